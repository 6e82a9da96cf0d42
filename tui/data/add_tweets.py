"""The dialog Add tweets: a path or an account to add, with a preview while one types."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, Static

from core.errors import MynahError
from core.handles import normal_handle
from core.safe_text import printable
from tui.actions import shown_key
from tui.data.columns import ColumnsPage
from tui.data.importing import recent_paths
from tui.data.paths import Candidates, EncodingSuggester, PathInput, PathSuggester
from tui.data.preview import COLUMNS_KEY, Mappings, PathsFound, Previewed, PreviewJob
from tui.job import Report
from tui.section.screen import Mynah
from tui.text.columns import mapping_in_words
from tui.text.previews import is_account
from tui.widgets.choice_field import Choice, ChoiceMenu
from tui.widgets.field import OpenField
from tui.widgets.panel import Dialog
from tui.widgets.row_list import Column, ListRows, RowList

if TYPE_CHECKING:
    from core.fetching.estimate import FetchEstimate


WHOSE = {
    "must": "@handle: the file does not say whose it is",
    "may": "@handle, if you know it: the file has only a number",
}

# Before a look at what is typed has come to anything.
NOTHING_YET = Previewed("", [], so_far=True)


@dataclass(frozen=True)
class FileChosen:
    """What to bring in; whose it is, its encoding, its dates and its columns, where the file does
    not say."""

    paths: list[Path]
    handle: str | None
    encoding: str | None
    date_format: str | None
    mappings: dict[Path, dict[str, str]]
    typed: dict[str, str]


@dataclass(frozen=True)
class FetchChosen:
    """A fetch that the person agreed to, and the most it may cost (None: the estimate)."""

    estimate: FetchEstimate
    budget: float | None
    typed: dict[str, str]


class AddTweets(Dialog["FileChosen | FetchChosen | None"]):
    """Nothing is written or paid until enter; esc leaves everything as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "cancel", "Cancel"),
        (COLUMNS_KEY, "columns", "Columns"),
    ]

    def __init__(
        self,
        preview: PreviewJob,
        typed: Mapping[str, str] | None = None,
        mappings: Mappings | None = None,
    ) -> None:
        """``typed`` is what was typed the last time and came to nothing, by field; ``mappings`` is
        what was said of the columns of files before."""
        super().__init__()
        self._preview = preview
        self._mappings = {path: dict(mapping) for path, mapping in (mappings or {}).items()}
        self._typed_before = dict(typed or {})
        self._paths: list[Path] | None = None  # that the field stands for; None: not known yet
        self._seen = NOTHING_YET  # the newest preview of what is typed
        self._submitted_early = False  # enter came before its end
        self._suggester = PathSuggester(self._offer, self._recent_paths)

    def _recent_paths(self) -> Sequence[str]:
        return recent_paths(cast("Mynah", self.app).state.home)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="add-tweets") as dialog:
            dialog.border_title = "Add tweets"
            dialog.border_subtitle = "enter brings it in · tab completes · esc cancels"
            yield Static(
                "The path of an archive or a file with tweets (paste it, or drop files here), of a "
                "folder, or *.csv. @handle fetches posts from the X API, which charges for each.",
                classes="muted",
                markup=False,
            )
            yield PathInput(
                placeholder="~/Downloads/twitter-2024-….zip or @handle",
                suggester=self._suggester,
                id="path",
            )
            yield RowList(
                (Column(flex=1), Column(width=8, align="right")), empty="", id="candidates"
            )
            yield OpenField("columns", f"columns ({shown_key(COLUMNS_KEY)})")
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
        self.query_one(OpenField).display = False
        self.query_one("#whose").display = False
        self.query_one("#encoding").display = False
        self.query_one("#dates").display = False
        self.query_one("#budget").display = False
        cast("Mynah", self.app).reported.subscribe(self, self._reported)
        listing = self.query_one("#candidates", RowList)
        listing.can_focus = False
        listing.display = False
        path = self.query_one("#path", PathInput)
        if not self._typed_before.get("path"):
            self._look_around()
        if self._typed_before:
            with self.prevent(Input.Changed):
                for name, value in self._typed_before.items():
                    self.query_one(f"#{name}", Input).value = value
            self._look_again()
        path.focus()
        path.action_select_all()

    def _look_around(self) -> None:
        """What an empty field offers; Input asks its suggester only about words."""
        self.run_worker(self._suggester.get_suggestion(""), exclusive=True, group="candidates")

    def _offer(self, found: Candidates) -> None:
        """What the field could go on with, below it; nothing when it is complete."""
        if not self.is_mounted:
            return
        listing = self.query_one("#candidates", RowList)
        complete = [one.value for one in found.shown] == [found.typed]
        self.query_one("#path", PathInput).offer(found)
        rows = [[(one.value, ""), (one.about, "muted")] for one in found.shown]
        if found.all > len(found.shown):
            rows.append([(f"… {found.all - len(found.shown):,} more", "muted"), ("", "")])
        listing.set_rows(ListRows(rows))
        listing.styles.height = len(rows)
        listing.display = bool(rows) and not complete

    @on(PathInput.Pointed)
    def _pointed(self, event: PathInput.Pointed) -> None:
        listing = self.query_one("#candidates", RowList)
        listing.set_class(event.index >= 0, "-pointed")
        listing.cursor = max(0, event.index)

    @on(RowList.Highlighted, "#candidates")
    def _clicked(self, event: RowList.Highlighted) -> None:
        event.stop()

    @on(RowList.Chosen, "#candidates")
    def _taken(self, event: RowList.Chosen) -> None:
        event.stop()
        path = self.query_one("#path", PathInput)
        path.take(event.index)
        path.focus()

    @on(Input.Changed, "#path")
    def _typed(self, event: Input.Changed) -> None:
        self._paths = None
        if not event.value:
            self._look_around()
        with self.prevent(Input.Changed):  # of the file before
            for name in ("#encoding", "#dates"):
                self.query_one(name, Input).value = ""
        self._look(event.value, None, None)

    @on(Input.Changed, "#encoding, #dates")
    def _look_again(self) -> None:
        path = self.query_one("#path", Input).value
        self._look(path, self._value("#encoding") or None, self._value("#dates") or None)

    def _look(self, typed: str, encoding: str | None, dates: str | None) -> None:
        self._seen, self._submitted_early = NOTHING_YET, False
        self._preview.run(typed, encoding, dates, dict(self._mappings))

    def _value(self, name: str) -> str:
        return self.query_one(name, Input).value.strip()

    def on_unmount(self) -> None:
        self._preview.stop()

    def _reported(self, message: Report) -> None:
        if not isinstance(message, (Previewed, PathsFound)):
            return
        if message.text != self.query_one("#path", Input).value:
            return
        if isinstance(message, PathsFound):
            self._paths = message.paths
            return
        self._seen = message
        self._show_columns()
        whose = self.query_one("#whose", Input)
        whose.display = bool(message.named)
        whose.placeholder = WHOSE.get(message.named, "")
        self.query_one("#encoding").display = message.guessed
        self.query_one("#dates").display = message.undated
        self.query_one("#budget").display = message.estimate is not None
        for name, lines in (("#facts", message.lines), ("#notes", message.notes)):
            text = Text("\n").join(Text(printable(line), style) for line, style in lines)
            self.query_one(name, Static).update(text)
            self.query_one(name).display = bool(lines)
        self.query_one("#preview", Static).update("\n".join(message.preview))
        self.query_one("#preview").display = bool(message.preview)
        if self._submitted_early and not message.so_far:
            self._go_on()

    # ── which column is which ────────────────────────────────────────────────────────────

    def _show_columns(self) -> None:
        """For tables only: what was said of their columns."""
        tables, field = self._seen.tables, self.query_one(OpenField)
        field.display = bool(tables)
        said = [(path, self._mappings[path]) for path in tables if path in self._mappings]
        if self._seen.textless and len(said) < len(tables):
            field.value = "which is the text?"
        elif not said:
            field.value = "as guessed"
        elif len(tables) == 1:
            field.value = mapping_in_words(said[0][1])
        else:
            field.value = f"chosen in {len(said)} of {len(tables)} tables"

    @on(OpenField.Opened)
    def action_columns(self) -> None:
        """Of several tables one is chosen first; those without a text stand before the others."""
        tables, textless = self._seen.tables, self._seen.textless
        paths = [*textless, *(path for path in tables if path not in textless)]
        if len(paths) <= 1:
            if paths:
                self._open_columns(paths[0])
            return
        choices = [
            Choice(path, path.name, "which column is the text?" if path in textless else "")
            for path in paths
        ]

        def chosen(index: int | None) -> None:
            if index is not None:
                self._open_columns(paths[index])

        anchor = self.query_one(OpenField).region
        self.app.push_screen(ChoiceMenu(choices, None, anchor, title="Columns of"), chosen)

    def _open_columns(self, path: Path) -> None:
        def chosen(mapping: dict[str, str] | None) -> None:
            if mapping is None:
                return
            self._mappings.pop(path, None)
            if mapping:
                self._mappings[path] = mapping
            self._look_again()

        several = len(self._paths or ()) > 1
        columns, mapping = self._seen.tables[path], self._mappings.get(path, {})
        page = ColumnsPage(path, columns, mapping, one_of_several=several)
        self.app.push_screen(page, chosen)

    # ── going on ─────────────────────────────────────────────────────────────────────────

    def _go_on(self) -> None:
        """Enter was pressed before anybody could know what there is; now it means what it says."""
        if self._seen.ready:
            self._submitted_early = False
            self._submit()
        elif self.query_one("#dates").display:
            self.query_one("#dates").focus()

    @on(Input.Submitted)
    def _submit(self) -> None:
        seen = self._seen
        if seen.estimate is not None:
            self._fetch(seen.estimate)
            return
        typed = self.query_one("#path", Input).value
        if is_account(typed):
            # what is in the way stands below; a token may have been stored meanwhile
            self._look(typed, None, None)
            return
        if typed and seen.so_far and not (self._submitted_early and seen.ready):
            # its end may ask whose it is, or for its dates; a second enter does not wait for it
            self._submitted_early = True
            if not seen.ready:
                self._say("Looking at it first…")
            return
        paths = self._paths
        if not paths:
            self._say("There is nothing at that path. Check it, or esc to leave.")
            return
        if seen.refused:
            self._look_again()  # what is in the way stands below; the file may be whole by now
            return
        if len(paths) > 1 and not seen.ready:
            return  # the same
        whose = self.query_one("#whose", Input)
        handle: str | None = (whose.value.strip() or None) if seen.named else None
        if seen.named == "must" and handle is None:
            whose.focus()
            return
        encoding = self.query_one("#encoding", Input).value.strip() or None
        dates = self._value("#dates") or None
        if (encoding or dates) and not seen.ready:
            return
        if handle is not None:
            try:
                handle = normal_handle(handle)
            except MynahError as error:
                self._say(str(error))
                return
        mappings = {path: self._mappings[path] for path in paths if path in self._mappings}
        self.dismiss(FileChosen(paths, handle, encoding, dates, mappings, self._all_typed()))

    def _fetch(self, estimate: FetchEstimate) -> None:
        """Enter after the price has been read is the yes."""
        given = self.query_one("#budget", Input).value.strip().removeprefix("$")
        try:
            budget = float(given) if given else None
            if budget is not None and not 0 <= budget < math.inf:
                raise ValueError
        except ValueError:
            self._say(f"{given} is not an amount of dollars.")
            return
        self.dismiss(FetchChosen(estimate, budget, self._all_typed()))

    def _all_typed(self) -> dict[str, str]:
        return {field.id: field.value for field in self.query(Input) if field.id and field.value}

    def _say(self, sentence: str) -> None:
        self.query_one("#facts", Static).update(Text(printable(sentence)))
        self.query_one("#facts").display = True

    def action_cancel(self) -> None:
        self.dismiss(None)
