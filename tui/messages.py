"""What workers tell the app. Workers only post these; handlers on the app own all state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from pathlib import Path

    from core.corpus.importing import ImportProgress, ImportResult
    from core.corpus.reading import AccountRow
    from core.curation.profile import Profile
    from core.curation.recipe import Recipe
    from core.dataset.estimate import Estimate
    from core.dataset.shares import Share
    from core.dataset.write import ExportResult
    from core.errors import MynahError
    from core.fetching.result import FetchProgress, FetchResult
    from core.progress import Progress
    from core.query.catalogue import Catalogue
    from core.query.changing import Changed
    from core.query.result import QueryResult
    from core.runs.history import RunHistory
    from core.runs.summary import RunSummary
    from core.sampling.request import SampleEvent
    from core.workbench.bench import Curation, Workbench
    from core.workbench.comparison import ComparedRows, Comparison
    from core.workbench.view import TweetRows, Which


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
class CountMoved(Message):
    """How far long work on the tweets is, as ``recounting 1.2M of 5M``; empty when it is over."""

    doing: str

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, CountMoved)


@dataclass
class RowsFound(Message):
    """The rows that the list of one section should show, and what was asked for."""

    section: str
    rows: TweetRows | ComparedRows
    which: Which
    words: str


@dataclass
class Compared(Message):
    comparison: Comparison


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
    """What the training form's settings would cost here, and the share of each account."""

    lines: list[str]
    shares: list[Share]
    whole: str


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
    """Exactly one of the first four is there: rows, a plan, a change, or why there is none."""

    result: QueryResult | None = None
    plan: str | None = None
    changed: Changed | None = None
    error: MynahError | None = None


@dataclass
class QuerySaved(Message):
    """A result is in a file, or ``error`` says why not."""

    path: Path
    rows: int
    error: MynahError | None


@dataclass
class CatalogueRead(Message):
    """What a query can name."""

    catalogue: Catalogue


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


@dataclass
class ProfileMoved(Message):
    """How many tweets were judged so far; a newer one replaces it."""

    judged: int

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ProfileMoved)


@dataclass
class ProfileMade(Message):
    profiles: list[Profile]
    error: MynahError | None


@dataclass
class ExportSized(Message):
    """What an export would hold; ``error`` when its options do not go together."""

    estimate: Estimate | None
    error: MynahError | None


@dataclass
class ExportMoved(Message):
    """How far an export is; a newer one replaces it."""

    progress: Progress

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ExportMoved)


@dataclass
class ExportEnded(Message):
    result: ExportResult | None
    error: MynahError | None
