"""Text before and after cleaning, in one reading: what goes, what comes, what stays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar, Literal

from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from core.safe_text import printable

Change = Literal["same", "removed", "added"]
DiffSegment = tuple[str, Change]


def diff_content(
    segments: Iterable[DiffSegment],
    *,
    removed: Style | None = None,
    added: Style | None = None,
    signs: bool = False,
) -> Content:
    """Segments as one text: removed ones struck out, added ones underlined.

    With ``signs`` they stand in ``[-…-]`` and ``{+…+}`` as well (wdiff's signs), for terminals
    without colour or without a strike. Texts are made harmless and never read as markup.
    """
    removed = Style(strike=True, dim=True) if removed is None else removed
    added = Style(underline=True) if added is None else added
    parts: list[Content] = []
    for text, change in segments:
        shown = printable(text, keep_newlines=True)
        if not shown:
            continue
        if change == "removed":
            parts.append(Content.styled(f"[-{shown}-]" if signs else shown, removed))
        elif change == "added":
            parts.append(Content.styled(f"{{+{shown}+}}" if signs else shown, added))
        else:
            parts.append(Content(shown))
    return Content("").join(parts)


class DiffText(Widget):
    """A wrapped text with its changes. The signs come on by themselves where colour is off.

    Example::

        diff = DiffText([("see ", "same"), ("https://t.co/abc", "removed"), (" now", "same")])
        diff.set_segments(segments)

    Messages: none.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"diff-text--removed", "diff-text--added"}
    DEFAULT_CSS = """
    DiffText {
        height: auto;
        background: transparent;
        & > .diff-text--removed { color: $text-error; text-style: strike; }
        & > .diff-text--added { color: $text-success; text-style: underline; }
    }
    """

    signs: reactive[bool | None] = reactive(None, layout=True)
    """Whether ``[-…-]`` and ``{+…+}`` are drawn; None: only where there is no colour."""

    def __init__(
        self,
        segments: Iterable[DiffSegment] = (),
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own name)
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._segments = list(segments)

    def set_segments(self, segments: Iterable[DiffSegment]) -> None:
        self._segments = list(segments)
        self.refresh(layout=True)

    def render(self) -> Content:
        signs = self.app.no_color if self.signs is None else self.signs
        return diff_content(
            self._segments,
            removed=replace(self.get_visual_style("diff-text--removed"), background=None),
            added=replace(self.get_visual_style("diff-text--added"), background=None),
            signs=signs,
        )
