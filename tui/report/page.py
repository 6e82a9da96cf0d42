"""One group of a report as a page: sentences, a picture of each measure, how it was measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from rich.text import Text
from textual.widgets import Static

from core.safe_text import printable
from tui.report.pictures import LABEL, Line, dots, table
from tui.report.points import OTHER_SIGN, SIGNS, STYLES, UNSEEN, legend, title_of

if TYPE_CHECKING:
    from core.report.last import LastReport
    from core.report.measures import Group, Measure

DISTANCE = "_distance"
NOVELTY = "novelty_"


class Page(Static):
    """Text with the styles of points; nothing in it is read as markup.

    Example::

        page.show(group_lines(report, "author", width))
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "page--model",
        "page--unseen",
        "page--aim",
        "page--muted",
        "page--title",
        "page--warning",
    }
    DEFAULT_CSS = """
    Page {
        height: auto;
        & > .page--model { color: $text-primary; text-style: bold; }
        & > .page--unseen { color: $text-success; }
        & > .page--aim { color: $text-success; }
        & > .page--muted { color: $text-muted; }
        & > .page--title { text-style: bold; }
        & > .page--warning { color: $text-warning; }
        &:ansi > .page--muted { color: ansi_default; text-style: dim; }
    }
    """

    def __init__(self, *, id: str) -> None:  # noqa: A002  (Textual's own name)
        super().__init__("", markup=False, id=id)

    def show(self, lines: Iterable[Line]) -> None:
        """Each line is printable; a long one is wrapped."""
        text = Text()
        for number, line in enumerate(lines):
            text.append("\n" if number else "")
            for words, style in line:
                text.append(words, self._style(style))
        self.update(text)

    def _style(self, name: str) -> Style:
        if not name:
            return Style.null()
        return self.get_visual_style(f"page--{name}").rich_style


def groups_of(report: LastReport) -> list[Group]:
    """Those that there are measures of, in the order of the page."""
    from core.report.conclusions import GROUP_TITLES

    there = {one.group for one in report.measures}
    return [group for group in GROUP_TITLES if group in there]


def of_group(report: LastReport, group: Group) -> list[Measure]:
    return [one for one in report.measures if one.group == group]


def group_lines(report: LastReport, group: Group, width: int) -> list[Line]:
    """The page of a group for ``width`` cells."""
    from core.report.conclusions import GROUP_NOTES

    lines: list[Line] = [[(printable(report.meanings[group]), "")], []]
    for title, picture in _pictures(of_group(report, group), width):
        lines += [[(title, "title")], *picture, []]
    return [*lines, [(GROUP_NOTES[group], "muted")]]


def legend_lines(report: LastReport, group: Group) -> list[Line]:
    """What each point of the group is, a line each, and what the intervals are."""
    from core.report.conclusions import INTERVALS

    measures = of_group(report, group)
    lines: list[Line] = []
    for point, name, what in legend(report, measures):
        style = STYLES.get(point, "")
        sign = SIGNS.get(point, OTHER_SIGN)
        aim = ("┊ ", "aim") if point == UNSEEN else ("  ", "")
        words = (printable(what), "muted")
        lines.append([(sign, style), aim, (name.ljust(LABEL), style), words])
    return [*lines, [("├─┤ ( – )  " + INTERVALS, "muted")]]


def _pictures(measures: list[Measure], width: int) -> list[tuple[str, list[Line]]]:
    """Title and lines of each; the one that the sentences speak of first."""
    novelty = [one for one in measures if one.name.startswith(NOVELTY)]
    distances = {
        one.name.removesuffix(DISTANCE): one for one in measures if one.name.endswith(DISTANCE)
    }
    others = [one for one in measures if one not in novelty and one not in distances.values()]
    if distances:
        others = [one for one in others if any(of.value for of in one.points.values())]
        others.sort(key=lambda one: -_of_model(distances.get(one.name)))
    pictures = [(title_of(one), dots(one, width)) for one in others]
    if novelty:
        sizes = [one.name.removeprefix(NOVELTY) for one in novelty]
        title = "Phrases of 2 to 12 words that occur in no training tweet, percent"
        pictures.insert(1, (title, table(novelty, sizes)))
    if distances:
        heads = [one.title.removeprefix("≠ ").split()[0] for one in distances.values()]
        title = "How far from the training tweets: 0 is the same, 1 has nothing in common"
        pictures.append((title, table(list(distances.values()), heads)))
    return pictures


def _of_model(measure: Measure | None) -> float:
    found = None if measure is None else measure.points.get("tuned")
    return 0.0 if found is None or found.value is None else found.value
