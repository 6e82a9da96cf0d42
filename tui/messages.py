"""What workers tell the app. Workers only post these; handlers on the app own all state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from core.corpus import AccountRow, ImportProgress, ImportResult, QueryResult
    from core.curation import Recipe
    from core.errors import MynahError
    from core.fetching import FetchProgress, FetchResult
    from core.sampling import SampleEvent
    from core.training import RunHistory, RunSummary
    from core.workbench import Curation, Workbench


@dataclass
class AccountsLoaded(Message):
    accounts: list[AccountRow]


@dataclass
class BenchLoaded(Message):
    bench: Workbench


@dataclass
class Curated(Message):
    curation: Curation


@dataclass
class ImportMoved(Message):
    """Floods while a file is read, so a newer one replaces it."""

    progress: ImportProgress

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ImportMoved)


@dataclass
class ImportEnded(Message):
    results: list[ImportResult]
    error: MynahError | None
    samples: bool


@dataclass
class RunsRead(Message):
    summaries: list[RunSummary]
    histories: dict[str, RunHistory]


@dataclass
class RunStarted(Message):
    run: str


@dataclass
class TrainPlanned(Message):
    """What the training form's settings would cost here."""

    lines: list[str]


@dataclass
class Sampled(Message):
    """Events of one generation, in the order they came."""

    generation: int
    events: list[SampleEvent]


@dataclass
class SamplingEnded(Message):
    generation: int
    error: MynahError | None


@dataclass
class Failed(Message):
    """A worker could not do its job; ``doing`` says which."""

    doing: str
    error: Exception


@dataclass
class RecipeLoaded(Message):
    recipe: Recipe


@dataclass
class BasesFound(Message):
    names: list[str]
    default: str


@dataclass
class QueryEnded(Message):
    result: QueryResult | None
    error: MynahError | None
    stopped: bool


@dataclass
class FetchMoved(Message):
    """A page, or a tick of a countdown; a newer one replaces it."""

    progress: FetchProgress

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, FetchMoved)


@dataclass
class FetchEnded(Message):
    handle: str
    result: FetchResult | None
    error: MynahError | None
