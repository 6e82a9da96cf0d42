"""The texts that a model writes for a report: nothing typed before them, copies allowed."""

from __future__ import annotations

from core.progress import Reporter
from core.report.stored import ReportModel, remembered
from core.runs.folder import Run
from core.sampling.client import Sampler
from core.sampling.request import Done, SampleRequest


def drawn_texts(
    run: Run, model: ReportModel, n: int, seed: int, *, device: str, reporter: Reporter
) -> list[str]:
    """``n`` texts of ``model``, sampled as the run is; those of the last time if nothing changed.

    Copies are allowed, because a report that draws them again would measure its own filter.
    """
    request = SampleRequest(n=n, seed=seed, allow_copies=True)
    inputs = {"model": model.hash, "requests": [request.to_json()]}

    def draw() -> list[str]:
        done: dict[int, str] = {}
        phase = f"the {model.point} model writes"
        reporter.show(phase, 0, n)
        with Sampler.for_run(run.folder, device, model_dir=model.folder) as sampler:
            for event in sampler.generate(request):
                if isinstance(event, Done):
                    done[event.index] = event.text
                reporter.show(phase, len(done), n)
        return [done[index] for index in sorted(done)]

    texts: list[str] = remembered(run, f"texts-{model.point}", inputs, draw, list[str])
    return texts
