"""The field for paths: completing them, and taking several pasted lines."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

from core.files import is_there
from core.home import expanded
from core.workflow.several import is_table
from tui.text.paths import one_line

# Names of a folder that are looked at for a completion; of more, the first that fit are enough.
MOST_NAMES: Final = 100_000


# Names that stand below the field.
MOST_SHOWN: Final = 8
_ARCHIVES: Final = (".zip", ".tar", ".tgz", ".car", ".tar.gz", ".tar.zst")


class Candidate(NamedTuple):
    """What could stand in the field, and a few words about it."""

    value: str
    about: str


@dataclass(frozen=True)
class Candidates:
    """``shown`` of ``all`` that go on from ``typed``, the likeliest first."""

    typed: str
    shown: tuple[Candidate, ...] = ()
    all: int = 0
    common: str = ""  # what all of them begin with


class PathSuggester(Suggester):
    """Completes the last part of a path from the folder it is in, which is read in a thread.

    One folder at a time: while a slow one is read, the next completion waits for its turn, and
    gives way when the field has changed since. ``show`` is given the candidates of each text, for
    an empty one ``recent`` paths and then what lies in ~/Downloads.
    """

    def __init__(
        self,
        show: Callable[[Candidates], None] = lambda _: None,
        recent: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._show = show
        self._recent = recent
        self._wanted = ""
        self._reading = threading.Lock()

    async def get_suggestion(self, value: str) -> str | None:
        self._wanted = value
        found = await asyncio.to_thread(self._candidates, value)
        if value != self._wanted:
            return None
        self._show(found)
        first = found.shown[0].value if found.shown and value else ""
        return first if first and first.startswith(value) else None

    def _candidates(self, value: str) -> Candidates:
        if not value:
            return self._at_first()
        if value.startswith(("@", "'", '"', "file://")):
            return Candidates(value)
        typed = expanded(value)
        folder = str(typed if value.endswith("/") else typed.parent)
        start = value.rpartition("/")[2]
        with self._reading:
            names = self._names(folder, start, value)
        return _likeliest(value, value[: len(value) - len(start)], names)

    def _at_first(self) -> Candidates:
        recent = [Candidate(path, "again") for path in self._recent() if is_there(Path(path))]
        downloads = expanded("~/Downloads")
        with self._reading:
            names = self._names(str(downloads), "", "")
        likely = [(name, is_folder) for name, is_folder in names if not is_folder and _likely(name)]
        found = _likeliest("", "~/Downloads/", likely)
        again = recent[: MOST_SHOWN // 2]
        known = {str(expanded(one.value)) for one in again}
        there = [one for one in found.shown if str(expanded(one.value)) not in known]
        shown = (*again, *there)[:MOST_SHOWN]
        return Candidates("", shown, len(again) + found.all)

    def _names(self, folder: str, start: str, value: str) -> list[tuple[str, bool]]:
        """The names that begin with ``start``, whatever the case, and whether each is a folder."""
        found = []
        wanted = start.lower()
        try:
            with os.scandir(folder) as entries:
                for number, entry in enumerate(entries):
                    if number >= MOST_NAMES or self._wanted != value:
                        break
                    if entry.name.lower().startswith(wanted) and not entry.name.startswith("."):
                        found.append((entry.name, entry.is_dir()))
        except (OSError, ValueError):  # no folder, no right to it, or a name with a NUL
            return []
        return found


def _common_start(names: Sequence[str]) -> str:
    """The letters that all of ``names`` begin with."""
    first, last = min(names, default=""), max(names, default="")
    same = (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return first[: next(same, min(len(first), len(last)))]


def _likely(name: str) -> bool:
    return name.lower().endswith(_ARCHIVES) or _is_table(name)


def _is_table(name: str) -> bool:
    """With the scripts of an unpacked archive."""
    return is_table(name) or name.lower().endswith(".js")


def _likeliest(typed: str, before: str, names: Sequence[tuple[str, bool]]) -> Candidates:
    """Archives, then tables, then folders, then the rest; each by name, exact letters first."""
    start = typed[len(before) :]

    def rank(one: tuple[str, bool]) -> tuple[int, bool, str]:
        name, is_folder = one
        archive = name.lower().endswith(_ARCHIVES)
        kind = 2 if is_folder else 0 if archive else 1 if _is_table(name) else 3
        return kind, not name.startswith(start), name

    ordered = sorted(names, key=rank)
    about = ("archive", "table", "folder", "")
    shown = tuple(
        Candidate(before + name + ("/" if is_folder else ""), about[rank((name, is_folder))[0]])
        for name, is_folder in ordered[:MOST_SHOWN]
    )
    # a folder's slash is given only to the one that is meant
    exact = [name for name, _ in names if name.startswith(start)]
    common = _common_start(exact)
    if len(names) == 1 and names[0][1] and common:
        common += "/"
    return Candidates(typed, shown, len(names), before + common if common else "")


class EncodingSuggester(Suggester):
    """Completes the names of encodings; they are loaded when somebody types one."""

    async def get_suggestion(self, value: str) -> str | None:
        from core.sources.encoding import encoding_names

        start = value.casefold()
        return next((name for name in encoding_names() if name.startswith(start)), None)


class PathInput(Input):
    """Takes several pasted lines, where Input takes the first; tab completes.

    Up and down move through what is offered below, tab and enter take it. Without any of that, tab
    leaves the field as it always does.

    Messages: ``Pointed(index)`` when the cursor among the candidates has moved; -1 is none.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False, id="path.complete"),
        Binding("down", "point(1)", "Next candidate", show=False, id="path.next"),
        Binding("up", "point(-1)", "Candidate before", show=False, id="path.before"),
    ]

    @dataclass
    class Pointed(Message):
        index: int

    def __init__(
        self,
        *,
        placeholder: str,
        suggester: Suggester | None = None,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(placeholder=placeholder, suggester=suggester, id=id)
        self._candidates = Candidates("")
        self._pointed = -1

    def offer(self, candidates: Candidates) -> None:
        """What tab, up and down go by from now on."""
        self._candidates = candidates
        self._point(-1)

    def action_point(self, step: int) -> None:
        most = len(self._candidates.shown) if self._candidates.typed == self.value else 0
        if most:
            self._point((self._pointed + step + 1) % (most + 1) - 1)

    def _point(self, index: int) -> None:
        self._pointed = index
        self.post_message(self.Pointed(index))

    def action_complete(self) -> None:
        """The candidate pointed at, or as much as all of them have in common."""
        found = self._candidates
        if found.typed != self.value:
            return  # those of this text are being looked for
        if self._pointed >= 0:
            self.take(self._pointed)
        elif len(found.common) > len(self.value):
            self._put(found.common)
        elif len(found.shown) == 1 and found.shown[0].value != self.value:
            self.take(0)
        elif len(found.shown) > 1:
            self._point(0)
        else:
            self.screen.focus_next()

    def take(self, index: int) -> None:
        """Put a candidate into the field."""
        self._put(self._candidates.shown[index].value)

    def _put(self, value: str) -> None:
        self._pointed = -1
        self.value = value
        self.cursor_position = len(value)

    async def action_submit(self) -> None:
        if self._pointed >= 0 and self._candidates.typed == self.value:
            self.take(self._pointed)
        else:
            await super().action_submit()

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()  # Input's own
        event.stop()
        line = one_line(event.text)
        if self.selection.is_empty:
            self.insert_text_at_cursor(line)
        else:
            self.replace(line, *sorted((self.selection.start, self.selection.end)))
