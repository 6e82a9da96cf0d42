"""All samples of a request at once, for tests that do not follow them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.sampling.client import Done, SampleEvent, Sampler
from core.sampling.request import Sample, SampleRequest


def sample(
    run_folder: Path,
    request: SampleRequest,
    *,
    progress: Callable[[SampleEvent], None] | None = None,
    device: str = "auto",
) -> list[Sample]:
    """In the order of their index; ``progress`` is called with every event."""
    done: list[Sample] = []
    with Sampler.for_run(run_folder, device) as sampler:
        for event in sampler.generate(request):
            if isinstance(event, Done):
                done.append(event.sample)
            if progress is not None:
                progress(event)
    return sorted(done, key=lambda made: made.index)
