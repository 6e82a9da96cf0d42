"""The page of favourites, and of every sample so far: find, sort, edit, note, copy, export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.markup import escape
from textual.screen import Screen
from textual.widgets import Static

from core.errors import MynahError
from core.home import in_full
from core.numbers import plural
from core.safe_text import printable
from tui.actions import with_keys
from tui.dialogs.keys import KeyPage
from tui.job import Report
from tui.sample.all_kept import Kept, KeptJob, KeptRead
from tui.section.screen import explained
from tui.text.numbers import SIGNS, ago
from tui.widgets.row_list import RowList
from tui.widgets.rows import Column, RowCells
from tui.widgets.search_field import SearchField

if TYPE_CHECKING:
    from core.sampling.favourites import Favourite
    from core.sampling.store import StoredSample
    from tui.section.screen import Mynah

_EXPORT_NAME: Final = "favourites.csv"
# What is said of a sample on the clipboard.
COPIED: Final = "With the word generated, so that nobody is misled."


# Names of the orders, and what each sorts by; the first is the order at the start.
_ORDERS: Final[tuple[tuple[str, Callable[[Kept], Any], bool], ...]] = (
    ("newest first", lambda one: one.when, True),
    ("oldest first", lambda one: one.when, False),
    ("by text", lambda one: one.text.casefold(), False),
    ("by note", lambda one: (not one.note, one.note.casefold()), False),
    ("by run", lambda one: one.run, True),
    ("shortest first", lambda one: len(one.text), False),
)


class _Rows:
    """The rows of many samples, of which few are ever in view."""

    def __init__(self, listed: Sequence[Kept]) -> None:
        self._listed = listed

    def __len__(self) -> int:
        return len(self._listed)

    def row(self, index: int) -> RowCells:
        one = self._listed[index]
        text = " ".join(one.text.split())
        if one.note:
            text = f"{text}  · {one.note}"
        sign = SIGNS["favourite"] if one.favourite else ""
        return [(sign, "success"), (text, "generated"), (ago(one.when), "muted")]


class Samples(Protocol):
    """What the page needs of the Sample section."""

    def credit(self, run: str) -> str: ...
    def repeat(self, stored: StoredSample) -> None: ...


class KeptPage(KeyPage["str | None"]):
    """Answers with a text to go on from, or None."""

    NAME = "Favourites"
    FOOT = ("keep", "edit", "copy", "export", "search", "sort", "which")

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q,f", "close", "Close"),
        ("slash", "search", "Search"),
        ("w", "which", "Favourites/all"),
        ("s", "sort", "Sort"),
        ("v", "keep", "Keep/take off"),
        ("enter", "edit", "Edit"),
        ("x,delete", "take_off", "Take off"),
        ("n", "note", "Note"),
        ("y", "copy", "Copy"),
        ("i", "go_on", "Go on from it"),
        ("r", "repeat", "Repeat"),
        ("e", "export", "Export"),
    ]

    def __init__(self, samples: Samples, job: KeptJob) -> None:
        super().__init__()
        self._samples = samples
        self._job = job
        self._found: list[Kept] = []
        self._listed: list[Kept] = []
        self._all = False
        self._order = 0
        self._words = ""

    @property
    def mynah(self) -> Mynah:
        return cast("Mynah", self.app)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="kept") as page:
            page.border_subtitle = "esc closes"
            yield SearchField(back_to="#kept", id="kept-search")
            yield RowList(
                (Column(width=1), Column(flex=1), Column(width=7, align="right")),
                empty="Reading…",
                id="kept",
            )
            yield Static("", id="kept-detail", markup=False)
            yield self.foot()

    def on_mount(self) -> None:
        self.mynah.reported.subscribe(self, self._reported)
        self._job.read()
        self.query_one("#kept").focus()

    def _reported(self, report: Report) -> None:
        if isinstance(report, KeptRead):
            self._found = report.found
            self._show()

    def _show(self) -> None:
        name, key, backwards = _ORDERS[self._order]
        listed = [one for one in self._found if (self._all or one.favourite) and self._matches(one)]
        self._listed = sorted(listed, key=key, reverse=backwards)
        rows = self.query_one("#kept", RowList)
        what = "sample" if self._all else "favourite"
        none = "No samples yet." if self._all else "None yet: v keeps one, w shows all."
        rows.set_empty("No sample has these words." if self._words else none)
        rows.set_rows(_Rows(self._listed), keep_cursor=True)
        page = self.query_one("#dialog")
        page.border_title = escape(f"{plural(len(listed), what)} (generated), {name}")
        self._show_detail()

    def _matches(self, one: Kept) -> bool:
        """Every word that is looked for stands in the text or the note."""
        looked = f"{one.text} {one.note}".casefold()
        return all(word in looked for word in self._words.casefold().split())

    @on(SearchField.Wanted)
    def _search(self, event: SearchField.Wanted) -> None:
        self._words = event.words
        self._show()

    @on(RowList.Highlighted)
    def _show_detail(self) -> None:
        one = self._one()
        detail = Text()
        if one is not None:
            detail.append(printable(one.text, keep_newlines=True), "italic")
            if one.note:
                detail.append(f"\n{printable(one.note)}", "bold")
            how = "edited; " if one.favourite and one.favourite.edited else ""
            made_by = f"\n{how}generated by {printable(one.run)}, {one.when:%d %b %Y %H:%M}"
            detail.append(made_by, "dim")
            if one.stored is not None:
                made = one.stored.sample
                of = "its base, " if one.stored.model == "base" else ""
                detail.append(f" · {of}seed {made.seed}, sample {made.index + 1}", "dim")
        self.query_one("#kept-detail", Static).update(detail)

    def _one(self) -> Kept | None:
        at = self.query_one("#kept", RowList).cursor
        return self._listed[at] if at < len(self._listed) else None

    def _changed(self, before: Kept, favourite: Favourite | None) -> None:
        after = replace(before, favourite=favourite)
        changed = [after if one is before else one for one in self._found]
        self._found = [one for one in changed if one.favourite or one.stored]
        self._show()

    # ── keys ─────────────────────────────────────────────────────────────────────────────

    def action_close(self) -> None:
        """Leaves the search, then the page."""
        field = self.query_one("#kept-search", SearchField)
        if field.has_class("-asked"):
            field.leave()
        else:
            self.dismiss(None)

    def action_search(self) -> None:
        self.query_one("#kept-search", SearchField).ask()

    def action_which(self) -> None:
        self._all = not self._all
        self._show()

    def action_sort(self) -> None:
        self._order = (self._order + 1) % len(_ORDERS)
        self._show()

    @explained
    def action_keep(self) -> None:
        """Keeps a sample, and moves on; takes a favourite off."""
        from core.sampling.favourites import keep_sample

        one = self._one()
        if one is None:
            return
        if one.favourite is not None:
            self.action_take_off()
        elif one.stored is not None:
            self._changed(one, keep_sample(self.mynah.state.home, one.stored))
            self.query_one("#kept", RowList).cursor += 1

    @explained
    def action_take_off(self) -> None:
        from core.sampling.favourites import drop_favourite

        one = self._one()
        if one is not None and one.favourite is not None:
            drop_favourite(self.mynah.state.home, one.favourite.id)
            self._changed(one, None)

    @on(RowList.Chosen)
    def action_edit(self) -> None:
        """Other words in the place of its own; the sample stays stored as it was made."""
        from core.sampling.favourites import edit_favourite, keep_sample
        from tui.dialogs.ask import Ask

        one = self._one()
        if one is None:
            return
        before = " ".join(one.text.split())  # a line has no line breaks

        @explained
        def edited(page: KeptPage, text: str) -> None:
            home, favourite = page.mynah.state.home, one.favourite
            if text != before and favourite is None and one.stored is not None:
                favourite = keep_sample(home, one.stored)
            if text != before and favourite is not None:
                edit_favourite(home, favourite.id, text)
                page._changed(one, replace(favourite, text=text, edited=True))

        self.app.push_screen(
            Ask("Edit this favourite", before),
            lambda text: None if text is None else edited(self, text),
        )

    def action_note(self) -> None:
        from core.sampling.favourites import keep_sample, note_favourite
        from tui.dialogs.ask import Ask

        one = self._one()
        if one is None:
            return

        @explained
        def noted(page: KeptPage, note: str) -> None:
            home, favourite = page.mynah.state.home, one.favourite
            if favourite is None and one.stored is not None:
                favourite = keep_sample(home, one.stored)
            if favourite is not None:
                note_favourite(home, favourite.id, note)
                page._changed(one, replace(favourite, note=note.strip()))

        self.app.push_screen(
            Ask("Note on this sample", one.note, optional=True),
            lambda note: None if note is None else noted(self, note),
        )

    def action_copy(self) -> None:
        one = self._one()
        if one is not None:
            of = "base" if one.stored is not None and one.stored.model == "base" else "tuned"
            self.mynah.copy(labelled(one.text, self._samples.credit(one.run), of), COPIED)

    def action_go_on(self) -> None:
        one = self._one()
        if one is not None:
            self.dismiss(one.text)

    def action_repeat(self) -> None:
        one = self._one()
        if one is None:
            return
        if one.stored is None:
            self.app.notify(
                "It was kept by a version that did not store how it was made.",
                title="It cannot be made again",
            )
        else:
            self._samples.repeat(one.stored)

    def action_export(self) -> None:
        """Those in the list, in its order."""
        export(self, [one.favourite for one in self._listed if one.favourite is not None])


def export(screen: Screen[Any], some: Sequence[Favourite]) -> None:
    """Asks for a file and writes the favourites to it, after a yes where one is there."""
    from core.sampling.favourites import each_once
    from tui.dialogs.ask import Ask
    from tui.dialogs.replacing import write_to

    app, mynah = screen.app, cast("Mynah", screen.app)
    if not some:
        app.notify(
            with_keys("{sample.favourite} keeps a sample.", mynah.state.keymap),
            title="No favourites to export",
        )
        return

    def write(path: Path) -> None:
        from core.sampling.favourites import export_favourites

        try:
            written = export_favourites(some, path, replace_it=True)
        except (MynahError, OSError) as error:
            mynah.show_error(error)
        else:
            app.notify(f"{path}", title=f"{plural(written, 'favourite')} written")

    def named(answer: str | None) -> None:
        if answer:
            write_to(app, answer, write)

    question = f"Export {plural(len(each_once(some)), 'favourite')} to (.txt, .csv or .jsonl)"
    app.push_screen(Ask(question, str(in_full(_EXPORT_NAME))), named)


def labelled(text: str, who: str, model: str) -> str:
    """A text as it leaves the app: it says what made it."""
    made = "by the base model of" if model == "base" else "in the style of"
    return f"{text}\n(generated {made} {who})"
