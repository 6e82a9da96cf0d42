"""The columns of a section: open this for which of them shows, and for where the focus may go."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec

from rich.text import Text
from textual import events
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

Given = ParamSpec("Given")


def acts_on(
    selector: str, *, at_once: bool = False
) -> Callable[[Callable[Concatenate[Any, Given], None]], Callable[..., None]]:
    """For an action on what a list shows: where the list is turned away, it is shown first.

    Pressed again, the action acts on what one sees by then; only with ``at_once``, for what cannot
    do any harm, it does the first time.
    """

    def of(action: Callable[Concatenate[Any, Given], None]) -> Callable[..., None]:
        @wraps(action)
        def guarded(section: Any, *args: Given.args, **options: Given.kwargs) -> None:
            widget = section.query_one(selector)
            hidden = section.turned_away(widget)
            if hidden:
                section.reveal(widget)
            if at_once or not hidden:
                action(section, *args, **options)

        return guarded

    return of


class Columns(Screen[None]):
    """In a narrow window only one of ``COLUMNS`` (ids of the body's children) shows at a time;
    [ and ] turn them. What has the focus always shows, so that keys act on what one sees.
    """

    COLUMNS: ClassVar[tuple[str, ...]] = ()
    FIRST_COLUMN: ClassVar[int] = 0
    AUTO_FOCUS = ""  # a section says where it begins; Textual would take the first of all columns

    def __init__(self) -> None:
        super().__init__()
        self._column = self.FIRST_COLUMN
        self._focused_last: dict[str, Widget] = {}  # what had the focus in each column last

    def on_mount(self) -> None:
        self._show_column()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._keep_focus_in_sight)

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self._keep_focus_in_sight)

    def _keep_focus_in_sight(self) -> None:
        if self.focused is None or self.turned_away(self.focused):
            self.set_focus(None)

    def set_focus(
        self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False
    ) -> None:
        """As Textual's; but in a narrow window nothing that is turned away gets the focus.

        It stays where it is, or goes to the first of what shows where it would be nowhere.
        """
        nowhere = widget is None and self._is_narrow and self.app.app_focus
        if nowhere or (widget is not None and self.turned_away(widget)):
            now = self.focused
            stays = widget is not None and now is not None and self._in_sight(now)
            widget = now if stays else self._first()
        super().set_focus(widget, scroll_visible, from_app_focus)

    def turn_panel(self, step: int) -> None:
        """Show the next column (narrow windows), or move the focus to it (wide ones).

        Back in a column, one is where one was.
        """
        if not self.COLUMNS:
            return
        left = self.focused
        if left is not None and (column := self._column_of(left)) is not None:
            self._focused_last[self.COLUMNS[column]] = left
        self._turn_to((self._column + step) % len(self.COLUMNS))
        if (there := self._first()) is not None:
            self.set_focus(there)

    def reveal(self, widget: Widget) -> None:
        """Give a widget the focus, and in a narrow window turn to the column that it is in."""
        column = self._column_of(widget)
        if column is not None:
            self._turn_to(column)
        self.set_focus(widget)

    def turned_away(self, widget: Widget) -> bool:
        """Whether the column of a widget does not show."""
        return self._is_narrow and self._column_of(widget) not in (None, self._column)

    @property
    def _is_narrow(self) -> bool:
        return len(self.COLUMNS) > 1 and self.has_class("-narrow")

    def _column_of(self, widget: Widget) -> int | None:
        above = {node.id for node in widget.ancestors_with_self}
        return next((at for at, name in enumerate(self.COLUMNS) if name in above), None)

    def _in_sight(self, widget: Widget) -> bool:
        """Whether a widget takes the focus, and nothing below its column hides it.

        Of the column itself the styles are read later than it is turned.
        """
        shown = [node.display for node in widget.ancestors_with_self if node.id not in self.COLUMNS]
        return widget.focusable and not self.turned_away(widget) and all(shown)

    def _first(self) -> Widget | None:
        """What gets the focus in the column that shows: what had it last, else the first."""
        name = self.COLUMNS[self._column]
        found = [node for node in self.query(f"#{name} *") if self._in_sight(node)]
        # not what is typed into, where one can choose: it would swallow the next [ or ]
        lists = [node for node in found if not isinstance(node, (Input, TextArea))]
        before = [node for node in lists if node is self._focused_last.get(name)]
        return next(iter((*before, *lists, *found)), None)

    def _turn_to(self, column: int) -> None:
        self._column = column
        self._show_column()

    def _show_column(self) -> None:
        for index, name in enumerate(self.COLUMNS):
            for column in self.query(f"#{name}"):
                column.set_class(index == self._column, "-turned")
        if len(self.COLUMNS) > 1:  # only a narrow window shows this
            turner = f"[ ] panel {self._column + 1} of {len(self.COLUMNS)}"
            self.query_one("#turner", Static).update(Text(turner))
