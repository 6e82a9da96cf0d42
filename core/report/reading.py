"""Reading texts with the two models of a report, and remembering what came of it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import asdict

from core.progress import Reporter
from core.report.likelihood import GivenBack, LanguageModel, TextNats
from core.report.stored import ReportModel, remembered, texts_hash
from core.runs.folder import Run


class Reader:
    """A model that is loaded when it is first needed, and let go by ``close``."""

    def __init__(self, run: Run, model: ReportModel, device: str, reporter: Reporter) -> None:
        self.model = model
        self._run, self._device, self._reporter = run, device, reporter
        self._loaded: LanguageModel | None = None

    def nats(self, name: str, texts: Sequence[str]) -> list[TextNats]:
        """What each of ``texts`` costs; ``name`` says which they are, for the file."""

        def read() -> list[dict[str, float]]:
            report = self._report("reads tweets", len(texts))
            return [asdict(one) for one in self._load().nats(texts, report)]

        if not texts:
            return []
        inputs = {"model": self.model.hash, "texts": texts_hash(texts)}
        kept: list[TextNats] = remembered(
            self._run, f"nats-{self.model.point}-{name}", inputs, read, list[TextNats]
        )
        return kept

    def given_back(self, pairs: Sequence[tuple[str, str]]) -> list[GivenBack]:
        """As `LanguageModel.given_back`."""
        return self._load().given_back(pairs, self._report("is asked for tweets", len(pairs)))

    def close(self) -> None:
        """Lets go of the model's memory."""
        self._loaded = None
        gc.collect()

    def _report(self, what: str, total: int) -> Callable[[int], None]:
        phase = f"the {self.model.point} model {what}"
        return lambda done: self._reporter.show(phase, done, total)

    def _load(self) -> LanguageModel:
        if self._loaded is None:
            self._reporter.show(f"loading the {self.model.point} model", 0, None)
            self._loaded = LanguageModel(self.model.folder, self._device)
        return self._loaded
