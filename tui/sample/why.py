"""The page "Why did it say that?": the training tweets whose words are nearest to a sample."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.markup import escape
from textual.widgets import Static

from core.safe_text import printable
from tui.job import Attempt, Host, Job, Report
from tui.widgets.panel import Dialog

if TYPE_CHECKING:
    from core.errors import MynahError
    from core.sampling.nearest import NearTweet
    from core.sampling.store import StoredSample
    from tui.section.screen import Mynah

_MEASURE = (
    "Nearness: how many of its words a sample and a tweet share, rare words counting for more: 0 "
    "is none, 1 is the same words (the cosine of their TF-IDF weights over all training tweets). "
    "Shared words are underlined; those of the prompt do not count. It shows where words may come "
    "from; the model learned from all tweets, not from these alone."
)


@dataclass
class NearestFound(Report):
    """``found`` None: ``error`` says why."""

    sample_id: str
    found: list[NearTweet] | None
    error: MynahError | None = None


class NearestJob(Job):
    """Reports NearestFound."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "looking for the nearest tweets", newest_wins=True)

    def find(self, stored: StoredSample, folder: Path) -> None:
        def work(_: Attempt) -> Report:
            from core.sampling.nearest import nearest_tweets

            found = nearest_tweets(folder / "dataset", stored.text, stored.prompt)
            return NearestFound(stored.id, found)

        self.start(work, lambda error: NearestFound(stored.id, None, error))


class WhyPage(Dialog[None]):
    """Closes with esc."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,enter,h", "dismiss", "Close")]

    def __init__(self, stored: StoredSample, folder: Path, job: NearestJob) -> None:
        super().__init__()
        self._stored, self._folder, self._job = stored, folder, job

    @property
    def mynah(self) -> Mynah:
        return cast("Mynah", self.app)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog", classes="why") as page:
            page.border_title = "Why did it say that?"
            page.border_subtitle = "nearness 1: the same words · esc closes"
            yield Static(self._of_sample(()), id="why-sample", markup=False)
            yield Static("Looking through the training tweets…", id="why-tweets", markup=False)
            yield Static(Text(_MEASURE, "dim"), id="why-measure", markup=False)

    def on_mount(self) -> None:
        self.mynah.reported.subscribe(self, self._reported)
        self._job.find(self._stored, self._folder)
        self.query_one("#dialog").focus()

    def _of_sample(self, shared: Iterable[str]) -> Text:
        from core.sampling.nearest import spans_of

        text = Text()
        text.append("generated  ", "dim")
        text.append(underlined(self._stored.text, spans_of(self._stored.text, shared), "italic"))
        return text

    def _reported(self, report: Report) -> None:
        if not isinstance(report, NearestFound) or report.sample_id != self._stored.id:
            return
        shown = self.query_one("#why-tweets", Static)
        if report.found is None:
            error = report.error
            shown.update(
                printable(f"{error.what} {error.why}" if error else "", keep_newlines=True)
            )
            return
        if not report.found:
            shown.update("None of its words is in a training tweet.")
            return
        in_tweets = {word for near in report.found for word in near.shared}
        self.query_one("#why-sample", Static).update(self._of_sample(in_tweets))
        page = self.query_one("#dialog")
        page.border_title = escape("Why did it say that? The nearest training tweets")
        shown.update(Text("\n\n").join(_one(near) for near in report.found))


def _one(near: NearTweet) -> Text:
    when = f"{near.created_at:%d %b %Y}" if near.created_at is not None else "no date"
    text = Text()
    text.append(
        f"nearness {near.score:.2f}  {when}  @{printable(near.handle)}  "
        f"{printable(near.tweet_id)}\n",
        "dim",
    )
    text.append(underlined(near.text, near.spans()))
    shared = ", ".join(near.shared[:8]) + (" …" if len(near.shared) > 8 else "")
    if near.kept:
        text.append(f"\n{printable(near.kept)}", "dim")
    return text.append(f"\nshared: {printable(shared)}", "dim")


def underlined(text: str, spans: Sequence[tuple[int, int]], style: str = "") -> Text:
    """``text`` made safe for a terminal, with these parts of it underlined."""
    shown, at = Text(style=style), 0
    for begin, end in spans:
        shown.append(printable(text[at:begin]))
        shown.append(printable(text[begin:end]), "bold underline")
        at = end
    return shown.append(printable(text[at:]))
