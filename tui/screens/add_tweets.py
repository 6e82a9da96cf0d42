"""Add tweets: one field that takes a path; what it recognises appears below as one types."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, Static

from core.errors import MynahError
from core.handles import normal_handle
from core.plain import plain


@dataclass(frozen=True)
class Chosen:
    """What to bring in, and whose it is where the file does not say."""

    path: Path
    handle: str | None


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


class AddTweets(ModalScreen["Chosen | None"]):
    """Nothing is written until enter; esc leaves everything as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "cancel", "Cancel")]

    @dataclass
    class Recognised(Message):
        text: str
        lines: list[tuple[str, str]]
        ready: bool
        needs_handle: bool

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="add-tweets") as dialog:
            dialog.border_title = "Add tweets"
            dialog.border_subtitle = "enter brings it in · → completes · esc cancels"
            yield Static(
                "An X archive (zip or folder), or a CSV or JSONL file with tweets.\n"
                "Paste the path, or drop the file on this window.",
                classes="muted",
                markup=False,
            )
            yield Input(
                placeholder="~/Downloads/twitter-2024-….zip", suggester=PathSuggester(), id="path"
            )
            yield Input(placeholder="@handle: the file does not say whose it is", id="whose")
            yield Static("", id="recognised", markup=False)

    def on_mount(self) -> None:
        self._ready = False
        self._needs_handle = False
        self.query_one("#whose").display = False
        self.query_one("#path").focus()

    @on(Input.Changed, "#path")
    def _typed(self, event: Input.Changed) -> None:
        self._ready = False
        self._look(event.value)

    @work(thread=True, exclusive=True, exit_on_error=False, group="recognise")
    def _look(self, text: str) -> None:
        """Say what the path holds; runs again with every change, the newest wins."""
        path = pasted_path(text)
        lines: list[tuple[str, str]] = []
        ready = needs_handle = False
        if path is None:
            pass
        elif not path.exists():
            lines = [("There is nothing at that path yet.", "dim")]
        else:
            from core.sources import detect

            try:
                found = detect(path)
                ready = True
                needs_handle = found.needs_handle
                lines = [(line, "") for line in found.lines()]
            except MynahError as error:
                lines = [(error.what, "bold"), (f"{error.why} {error.next_step}", "")]
        self.post_message(self.Recognised(text, lines, ready, needs_handle))

    @on(Recognised)
    def _recognised(self, message: Recognised) -> None:
        if message.text != self.query_one("#path", Input).value:
            return
        self._ready = message.ready
        self._needs_handle = message.needs_handle
        self.query_one("#whose").display = message.needs_handle
        text = Text()
        for line, style in message.lines:
            text.append(plain(line) + "\n", style)
        self.query_one("#recognised", Static).update(text)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        path = pasted_path(self.query_one("#path", Input).value)
        if path is None or not path.exists():
            self._say("There is nothing at that path. Check it, or esc to leave.")
            return
        handle: Any = self.query_one("#whose", Input).value.strip() or None
        if self._needs_handle and handle is None:
            self.query_one("#whose").focus()
            return
        if handle is not None:
            try:
                handle = normal_handle(handle)
            except MynahError as error:
                self._say(str(error))
                return
        self.dismiss(Chosen(path, handle))

    def _say(self, sentence: str) -> None:
        self.query_one("#recognised", Static).update(Text(plain(sentence)))

    def action_cancel(self) -> None:
        self.dismiss(None)
