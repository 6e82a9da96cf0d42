"""Add tweets: one field that takes paths; what it finds there appears below as one types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from core.errors import Interrupted, MynahError
from core.handles import normal_handle
from core.home import Home
from core.safe_text import plain
from tui.data.paths import EncodingSuggester, PathInput, PathSuggester, paths_in
from tui.data.preview import Line, lines_of, notes_of, rows_of, short_line_of

if TYPE_CHECKING:
    from core.fetching.estimate import FetchEstimate
    from core.sources.preview import Preview


WHOSE = {
    "must": "@handle: the file does not say whose it is",
    "may": "@handle, if you know it: the file has only a number",
}


@dataclass(frozen=True)
class FileChosen:
    """What to bring in; whose it is, its encoding and its dates, where the file does not say."""

    paths: list[Path]
    handle: str | None
    encoding: str | None
    date_format: str | None
    typed: dict[str, str]


@dataclass(frozen=True)
class FetchChosen:
    """A fetch that the person agreed to, and the most it may cost (None: the estimate)."""

    estimate: FetchEstimate
    budget: float | None
    typed: dict[str, str]


class AddTweets(ModalScreen["FileChosen | FetchChosen | None"]):
    """Nothing is written or paid until enter; esc leaves everything as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "cancel", "Cancel")]

    @dataclass
    class Looked(Message):
        """What the line stands for: files (``ready``), an account (``estimate``), or neither yet.

        ``named`` asks for a handle: "must" where nothing names one, "may" where only a number does.
        ``undated`` asks how dates are written.
        """

        text: str
        lines: list[Line]
        preview: list[str] = field(default_factory=list)
        notes: list[Line] = field(default_factory=list)
        ready: bool = False
        named: str = ""
        guessed: bool = False
        undated: bool = False
        estimate: FetchEstimate | None = None

    def __init__(self, home: Home, typed: Mapping[str, str] | None = None) -> None:
        """``typed`` is what came to nothing the last time, by field: it is there again."""
        super().__init__()
        self._home = home
        self._typed_before = dict(typed or {})
        self._ready = False
        self._named = ""
        self._estimate: FetchEstimate | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="add-tweets") as dialog:
            dialog.border_title = "Add tweets"
            dialog.border_subtitle = "enter brings it in · → completes · esc cancels"
            yield Static(
                "The path of an archive or a file with tweets (paste it, or drop files here), "
                "or @handle to fetch posts from the X API, which charges for each.",
                classes="muted",
                markup=False,
            )
            yield PathInput(
                placeholder="~/Downloads/twitter-2024-….zip or @handle",
                suggester=PathSuggester(),
                id="path",
            )
            yield Input(id="whose")
            yield Input(
                placeholder="another encoding, if the words below look wrong: mac-roman, utf-8, …",
                suggester=EncodingSuggester(),
                id="encoding",
            )
            yield Input(
                placeholder="how its dates are written: day-first, month-first, or %d.%m.%y",
                id="dates",
            )
            yield Input(placeholder="spend at most, in $ (empty: the price below)", id="budget")
            with VerticalScroll(id="found", can_focus=False):
                yield Static("", id="facts", markup=False)
                yield Static("", id="preview", markup=False)
                yield Static("", id="notes", markup=False)

    def on_mount(self) -> None:
        self.query_one("#whose").display = False
        self.query_one("#encoding").display = False
        self.query_one("#dates").display = False
        self.query_one("#budget").display = False
        path = self.query_one("#path", Input)
        if self._typed_before:
            with self.prevent(Input.Changed):
                for name, value in self._typed_before.items():
                    self.query_one(f"#{name}", Input).value = value
            self._look_again()
        path.focus()
        path.action_select_all()

    @on(Input.Changed, "#path")
    def _typed(self, event: Input.Changed) -> None:
        self._ready, self._estimate = False, None
        with self.prevent(Input.Changed):  # of the file before
            for name in ("#encoding", "#dates"):
                self.query_one(name, Input).value = ""
        self._look(event.value, None, None)

    @on(Input.Changed, "#encoding, #dates")
    def _look_again(self) -> None:
        self._ready = False
        path = self.query_one("#path", Input).value
        self._look(path, self._value("#encoding"), self._value("#dates"))

    def _value(self, name: str) -> str:
        return self.query_one(name, Input).value.strip()

    @work(thread=True, exclusive=True, exit_on_error=False, group="look")
    def _look(self, text: str, encoding: str | None, dates: str | None) -> None:
        """Say what the line stands for; runs again with every change, the newest wins."""
        words = text.strip()
        if words.startswith("@") and not Path(words).exists():
            self.post_message(self._account(text))
            return
        paths = paths_in(text)
        missing = [path for path in paths if not path.exists()]
        if not paths:
            self.post_message(self.Looked(text, []))
        elif missing:
            which = f": {missing[0].name}" if len(paths) > 1 else ""
            lines = [(f"There is nothing at that path yet{which}.", "dim")]
            self.post_message(self.Looked(text, lines))
        elif len(paths) == 1:
            self._file(text, paths[0], encoding or None, dates or None)
        else:
            self._files(text, paths)

    def _file(self, text: str, path: Path, encoding: str | None, dates: str | None) -> None:
        """What one file holds, and its first tweets as they will be stored, while it is read."""
        from core.sources.preview import preview
        from core.sources.source import DatesUnclear

        def show(seen: Preview) -> None:
            self.post_message(
                self.Looked(
                    text,
                    lines_of(seen),
                    rows_of(seen),
                    notes_of(seen),
                    ready=True,
                    named="must" if seen.needs_handle else "may" if seen.number else "",
                    guessed=seen.guessed or encoding is not None,
                    undated=seen.dates_unread > 0 or dates is not None,
                )
            )

        try:
            worker = get_current_worker()
            preview(
                path,
                encoding=encoding,
                date_format=dates,
                show=show,
                cancelled=lambda: worker.is_cancelled,
            )
        except Interrupted:
            return
        except MynahError as error:
            lines = _error_lines(error)
            undated = isinstance(error, DatesUnclear) or dates is not None
            if isinstance(error, DatesUnclear):
                lines = [(error.what, "bold"), (f"{error.why} Type it above.", "")]
            guessed = encoding is not None
            self.post_message(self.Looked(text, lines, guessed=guessed, undated=undated))

    def _files(self, text: str, paths: list[Path]) -> None:
        """A line for each of several files."""
        from core.sources.preview import preview

        worker = get_current_worker()
        lines: list[Line] = []
        ready = True
        for path in paths:
            try:
                seen = preview(path, cancelled=lambda: worker.is_cancelled)
            except Interrupted:
                return
            except MynahError as error:
                ready = False
                lines += _error_lines(error)
            else:
                lines.append(short_line_of(seen))
                if seen.needs_handle:
                    ready = False
                    words = f"{path.name} does not say whose it is: add it by itself."
                    lines.append((words, "bold"))
            done = len(lines) and path == paths[-1]
            self.post_message(self.Looked(text, list(lines), ready=ready and bool(done)))

    def _account(self, text: str) -> Looked:
        """What a fetch would cost at most; nothing is asked of X, so nothing is paid."""
        from core.fetching.estimate import estimate_fetch
        from core.fetching.token import find_token

        if len(text.strip()) < 2:
            return self.Looked(text, [])
        try:
            token = find_token(self._home)
            estimate = estimate_fetch(self._home, text, token=token)
        except MynahError as error:
            return self.Looked(text, _error_lines(error))
        lines = [
            (
                f"At most {estimate.posts_at_most:,} posts in {estimate.pages_at_most:,} pages, "
                f"at most ${estimate.cost_usd:,.2f} (prices of {estimate.price_date}).",
                "bold",
            ),
            (f"Fetched before, and not paid for again: {estimate.already_here:,} posts.", ""),
        ]
        if token is None:
            lines.append(
                ("No X API token: set MYNAH_X_TOKEN, or run mynah fetch --save-token.", "bold")
            )
        else:
            lines.append((f"Token: from the {token.where}. enter pays and fetches.", ""))
        lines += [("", ""), *((notice, "dim") for notice in estimate.notices)]
        return self.Looked(text, lines, estimate=estimate if token is not None else None)

    @on(Looked)
    def _looked(self, message: Looked) -> None:
        if message.text != self.query_one("#path", Input).value:
            return
        self._ready, self._estimate = message.ready, message.estimate
        self._named = message.named
        whose = self.query_one("#whose", Input)
        whose.display = bool(message.named)
        whose.placeholder = WHOSE.get(message.named, "")
        self.query_one("#encoding").display = message.guessed
        self.query_one("#dates").display = message.undated
        self.query_one("#budget").display = message.estimate is not None
        for name, lines in (("#facts", message.lines), ("#notes", message.notes)):
            text = Text("\n").join(Text(plain(line), style) for line, style in lines)
            self.query_one(name, Static).update(text)
            self.query_one(name).display = bool(lines)
        self.query_one("#preview", Static).update("\n".join(message.preview))
        self.query_one("#preview").display = bool(message.preview)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if self._estimate is not None:
            self._fetch(self._estimate)
            return
        paths = paths_in(self.query_one("#path", Input).value)
        if not paths or not all(path.exists() for path in paths):
            self._say("There is nothing at that path. Check it, or esc to leave.")
            return
        if len(paths) > 1 and not self._ready:
            return  # what is in the way stands below
        whose = self.query_one("#whose", Input)
        handle: str | None = (whose.value.strip() or None) if self._named else None
        if self._named == "must" and handle is None:
            whose.focus()
            return
        encoding = self.query_one("#encoding", Input).value.strip() or None
        dates = self._value("#dates") or None
        if (encoding or dates) and not self._ready:
            return
        if handle is not None:
            try:
                handle = normal_handle(handle)
            except MynahError as error:
                self._say(str(error))
                return
        self.dismiss(FileChosen(paths, handle, encoding, dates, self._all_typed()))

    def _fetch(self, estimate: FetchEstimate) -> None:
        """Enter after the price has been read is the yes."""
        given = self.query_one("#budget", Input).value.strip().removeprefix("$")
        try:
            budget = float(given) if given else None
        except ValueError:
            self._say(f"{given} is not an amount of dollars.")
            return
        self.dismiss(FetchChosen(estimate, budget, self._all_typed()))

    def _all_typed(self) -> dict[str, str]:
        return {field.id: field.value for field in self.query(Input) if field.id and field.value}

    def _say(self, sentence: str) -> None:
        self.query_one("#facts", Static).update(Text(plain(sentence)))
        self.query_one("#facts").display = True

    def action_cancel(self) -> None:
        self.dismiss(None)


def _error_lines(error: MynahError) -> list[Line]:
    return [(error.what, "bold"), (f"{error.why} {error.next_step}".strip(), "")]
