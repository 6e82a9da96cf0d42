"""Add tweets: one field that takes a path; what it recognises appears below as one types."""

from __future__ import annotations

import shlex
from contextlib import suppress
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
from textual.suggester import Suggester
from textual.widgets import Input, Static

from core.errors import MynahError
from core.handles import normal_handle
from core.home import Home
from core.plain import plain

if TYPE_CHECKING:
    from core.fetching import FetchPlan


@dataclass(frozen=True)
class FileChosen:
    """What to bring in, and whose it is where the file does not say."""

    path: Path
    handle: str | None


@dataclass(frozen=True)
class FetchChosen:
    """A fetch that the person said yes to, and the most it may cost (None: what the plan says)."""

    plan: FetchPlan
    budget: float | None


def pasted_path(text: str) -> Path | None:
    """The path in what a terminal pastes for a dropped file: quoted, escaped or file://."""
    words = text.strip()
    if not words:
        return None
    if words.startswith("file://"):
        from urllib.parse import unquote, urlsplit

        words = unquote(urlsplit(words).path)
    elif words[0] in "'\"" or "\\ " in words:
        with suppress(ValueError):  # an unfinished quote: take it as it stands
            words = (shlex.split(words) or [words])[0]
    return Path(words).expanduser()


class PathSuggester(Suggester):
    """Completes the last part of a path from the folder it is in."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        typed = Path(value).expanduser()
        folder = typed if value.endswith("/") else typed.parent
        start = "" if value.endswith("/") else typed.name
        try:
            names = sorted(
                entry.name + ("/" if entry.is_dir() else "")
                for entry in folder.iterdir()
                if entry.name.startswith(start) and not entry.name.startswith(".")
            )
        except OSError:
            return None
        return value[: len(value) - len(start)] + names[0] if names and (start or value) else None


class AddTweets(ModalScreen["FileChosen | FetchChosen | None"]):
    """Nothing is written or paid until enter; esc leaves everything as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "cancel", "Cancel")]

    @dataclass
    class Recognised(Message):
        """What the line stands for: a file (``ready``), an account (``plan``), or neither yet."""

        text: str
        lines: list[tuple[str, str]]
        preview: list[str] = field(default_factory=list)
        ready: bool = False
        needs_handle: bool = False
        plan: FetchPlan | None = None

    def __init__(self, home: Home) -> None:
        super().__init__()
        self._home = home
        self._ready = False
        self._needs_handle = False
        self._plan: FetchPlan | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="add-tweets") as dialog:
            dialog.border_title = "Add tweets"
            dialog.border_subtitle = "enter brings it in · → completes · esc cancels"
            yield Static(
                "The path of an archive or a file with tweets (paste it, or drop the file here),\n"
                "or @handle to fetch posts from the X API, which charges for each.",
                classes="muted",
                markup=False,
            )
            yield Input(
                placeholder="~/Downloads/twitter-2024-….zip or @handle",
                suggester=PathSuggester(),
                id="path",
            )
            yield Input(placeholder="@handle: the file does not say whose it is", id="whose")
            yield Input(placeholder="spend at most, in $ (empty: the price below)", id="budget")
            with VerticalScroll(id="found", can_focus=False):
                yield Static("", id="recognised", markup=False)
                yield Static("", id="preview", markup=False)

    def on_mount(self) -> None:
        self.query_one("#whose").display = False
        self.query_one("#budget").display = False
        self.query_one("#path").focus()

    @on(Input.Changed, "#path")
    def _typed(self, event: Input.Changed) -> None:
        self._ready, self._plan = False, None
        self._look(event.value)

    @work(thread=True, exclusive=True, exit_on_error=False, group="recognise")
    def _look(self, text: str) -> None:
        """Say what the line stands for; runs again with every change, the newest wins."""
        words = text.strip()
        if words.startswith("@") and not Path(words).exists():
            self.post_message(self._account(text))
            return
        path = pasted_path(text)
        if path is None:
            self.post_message(self.Recognised(text, []))
        elif not path.exists():
            said = [("There is nothing at that path yet.", "dim")]
            self.post_message(self.Recognised(text, said))
        else:
            self.post_message(self._file(text, path))

    def _file(self, text: str, path: Path) -> Recognised:
        """What the file holds, and its first tweets as they will be stored."""
        from core.preview import first_rows
        from core.sources import detect

        try:
            found = detect(path)
            lines = [(line, "") for line in found.lines()]
            rows = first_rows(path, handle="you" if found.needs_handle else None)
        except MynahError as error:
            said = [(error.what, "bold"), (f"{error.why} {error.next_step}", "")]
            return self.Recognised(text, said)
        preview: list[str] = []
        for row in rows:
            when = f"{row.created_at:%Y-%m-%d}" if row.created_at else "no date   "
            preview.append(f"{when}  {row.kind:<8}  {plain(row.text)}")
        return self.Recognised(text, lines, preview, ready=True, needs_handle=found.needs_handle)

    def _account(self, text: str) -> Recognised:
        """What a fetch would cost at most; nothing is asked of X, so nothing is paid."""
        from core.fetching import find_token, plan_fetch

        if len(text.strip()) < 2:
            return self.Recognised(text, [])
        try:
            token = find_token(self._home)
            plan = plan_fetch(self._home, text, token=token)
        except MynahError as error:
            said = [(error.what, "bold"), (f"{error.why} {error.next_step}", "")]
            return self.Recognised(text, said)
        lines = [
            (
                f"At most {plan.posts_at_most:,} posts in {plan.pages_at_most:,} pages, "
                f"at most ${plan.cost_usd:,.2f} (prices of {plan.price_date}).",
                "bold",
            ),
            (f"Fetched before, and not paid for again: {plan.already_here:,} posts.", ""),
        ]
        if token is None:
            lines.append(
                ("No X API token: set MYNAH_X_TOKEN, or run mynah fetch --save-token.", "bold")
            )
        else:
            lines.append((f"Token: from the {token.where}. enter pays and fetches.", ""))
        lines += [("", ""), *((notice, "dim") for notice in plan.notices)]
        return self.Recognised(text, lines, plan=plan if token is not None else None)

    @on(Recognised)
    def _recognised(self, message: Recognised) -> None:
        if message.text != self.query_one("#path", Input).value:
            return
        self._ready, self._plan = message.ready, message.plan
        self._needs_handle = message.needs_handle
        self.query_one("#whose").display = message.needs_handle
        self.query_one("#budget").display = message.plan is not None
        text = Text()
        for line, style in message.lines:
            text.append(plain(line) + "\n", style)
        self.query_one("#recognised", Static).update(text)
        self.query_one("#preview", Static).update("\n".join(message.preview))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if self._plan is not None:
            self._fetch(self._plan)
            return
        path = pasted_path(self.query_one("#path", Input).value)
        if path is None or not path.exists():
            self._say("There is nothing at that path. Check it, or esc to leave.")
            return
        handle: str | None = self.query_one("#whose", Input).value.strip() or None
        if self._needs_handle and handle is None:
            self.query_one("#whose").focus()
            return
        if handle is not None:
            try:
                handle = normal_handle(handle)
            except MynahError as error:
                self._say(str(error))
                return
        self.dismiss(FileChosen(path, handle))

    def _fetch(self, plan: FetchPlan) -> None:
        """Enter after the price has been read is the yes."""
        given = self.query_one("#budget", Input).value.strip().removeprefix("$")
        try:
            budget = float(given) if given else None
        except ValueError:
            self._say(f"{given} is not an amount of dollars.")
            return
        self.dismiss(FetchChosen(plan, budget))

    def _say(self, sentence: str) -> None:
        self.query_one("#recognised", Static).update(Text(plain(sentence)))

    def action_cancel(self) -> None:
        self.dismiss(None)
