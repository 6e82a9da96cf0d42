"""The texts that a model writes for a report: nothing typed before them, copies allowed."""

from __future__ import annotations

from core.progress import Reporter
from core.report.stored import ReportModel, remembered
from core.runs.folder import Run
from core.sampling.client import Sampler
from core.sampling.request import MOST_SAMPLES, Done, SampleRequest


def drawn_texts(
    run: Run, model: ReportModel, n: int, seed: int, *, device: str, reporter: Reporter
) -> list[str]:
    """``n`` texts of ``model``, sampled as the run is; those of the last time if nothing changed.

    Copies are allowed, because a report that draws them again would measure its own filter.
    """
    requests = requests_for(n, seed)
    inputs = {"model": model.hash, "requests": [request.to_json() for request in requests]}

    def draw() -> list[str]:
        texts: list[str] = []
        phase = f"the {model.point} model writes"
        reporter.show(phase, 0, n)
        with Sampler.for_run(run.folder, device, model_dir=model.folder) as sampler:
            for request in requests:
                done: dict[int, str] = {}
                for event in sampler.generate(request):
                    if isinstance(event, Done):
                        done[event.index] = event.text
                    reporter.show(phase, len(texts) + len(done), n)
                texts += [done[index] for index in sorted(done)]
        return texts

    texts: list[str] = remembered(run, f"texts-{model.point}", inputs, draw)
    return texts


def requests_for(n: int, seed: int) -> list[SampleRequest]:
    """``n`` texts with the defaults that a run is sampled with, in as few requests as can be."""
    return [
        SampleRequest(n=min(MOST_SAMPLES, n - start), seed=seed + number, allow_copies=True)
        for number, start in enumerate(range(0, n, MOST_SAMPLES))
    ]
