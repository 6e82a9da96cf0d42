"""A report as Markdown whose tables are aligned, so that a terminal shows it as well as a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Final

from core.report.blind import BlindResult
from core.report.conclusions import (
    GROUP_NOTES,
    GROUP_TITLES,
    INTERVALS,
    POINT_NAMES,
    conclusions,
    others_in_words,
)
from core.report.intervals import Estimate
from core.report.leaks import Leak
from core.report.measures import Measure
from core.report.report import Report
from core.safe_text import printable

_COLUMNS: Final = ("tuned", "base", "held_out", "parrot", "impostors")
_IN_SENTENCES: Final = ("tuned", "held_out")
# Of the runs of words, those that a table shows; the JSON has them all.
_SHOWN_RUNS: Final = frozenset({2, 3, 5, 8, 12})
# An underscore within a word, as in @many_names, is no emphasis.
_ESCAPED: Final = re.compile(r"([\\`*\[\]<>|~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


def to_markdown(
    report: Report, *, width: int | None = None, blind: BlindResult | None = None
) -> str:
    """The page; nothing in it is markup or a control but what stands in this module. ``blind``:
    what came of blind tests.

    Where a table is wider than ``width`` cells, some of its intervals are left out.
    """
    findings = report.findings
    meanings = conclusions(findings)
    lines = [f"# {escaped(findings.who)}: report on {escaped(report.run)}", ""]
    lines += [*_points(report, findings.who), "", f"Numbers in brackets are the {INTERVALS}.", ""]
    lines += ["## In short", ""]
    lines += [f"- {escaped(meaning)}" for meaning in meanings.values()]
    for group, title in GROUP_TITLES.items():
        measures = [one for one in report.measures if one.group == group and _is_shown(one)]
        if measures:
            table = _table(measures, brief=False)
            if width is not None and len(table[0]) > width:
                table = _table(measures, brief=True)
            lines += ["", f"## {title}", "", *table, "", GROUP_NOTES[group]]
    if report.leaked:
        lines += ["", *_leaked(report, report.leaked)]
    if blind is not None:
        lines += [
            "",
            "## Told from real tweets by people",
            "",
            f"- {escaped(blind.for_a_report())}",
        ]
    lines += ["", "Generated texts are not written by a person."]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """``text`` from outside as Markdown shows it letter by letter, on one line, for a terminal."""
    return _ESCAPED.sub(r"\\\1", printable(text))


def _points(report: Report, name: str) -> list[str]:
    real = report.real
    handles = real.impostor_handles
    others = others_in_words(len(handles), invented=real.bundled_impostors)
    if handles:
        more = f" and {len(handles) - 5} more" if len(handles) > 5 else ""
        others += f" ({', '.join(f'@{handle}' for handle in handles[:5])}{more})"
    counts = {point: len(texts) for point, texts in report.texts.items()}
    # of a folder its name, since a page may go out
    base = report.no_base or f"{PurePath(report.base).name or report.base} before tuning"
    about = {
        "tuned": "texts that it wrote, copies allowed",
        "base": base,
        "held_out": f"tweets of {name} that it never saw: what to aim at",
        "parrot": "its own training tweets given back: what it must not do",
        "impostors": others,
    }
    return [
        f"- {POINT_NAMES[point]}: {counts.get(point, 0):,} · {escaped(what)}"
        for point, what in about.items()
    ]


def _is_shown(measure: Measure) -> bool:
    """Not every length of runs, nor what nobody writes, such as links where a recipe drops them."""
    name, _, size = measure.name.partition("_")
    if name == "novelty":
        return int(size) in _SHOWN_RUNS
    return measure.group != "look" or any(one.value for one in measure.points.values())


def _table(measures: Sequence[Measure], *, brief: bool) -> list[str]:
    """``brief``: with intervals only where the sentences need them."""
    points = [point for point in _COLUMNS if any(point in measure.points for measure in measures)]
    head = ["", *(POINT_NAMES[point] for point in points)]
    rows = [
        [
            measure.title + (" %" if measure.unit == "share" else ""),
            *(
                _cell(measure, measure.points.get(point), brief and point not in _IN_SENTENCES)
                for point in points
            ),
        ]
        for measure in measures
    ]
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]

    def line(cells: Iterable[str]) -> str:
        first, *rest = cells
        shown = [first.ljust(widths[0]), *map(str.rjust, rest, widths[1:])]
        return f"| {' | '.join(shown)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return [line(head), line(rule), *map(line, rows)]


def _cell(measure: Measure, one: Estimate | None, brief: bool) -> str:
    if one is None:
        return ""
    if one.value is None:
        return "too few"
    if brief or one.interval is None:
        return measure.in_digits(one.value)
    low, high = (measure.in_digits(end) for end in one.interval)
    return f"{measure.in_digits(one.value)} ({low}–{high})"


def _leaked(report: Report, texts: dict[str, str]) -> list[str]:
    measure = next(one for one in report.measures if one.name == "extracted")
    lines = ["## Training tweets that came back by half or more", ""]
    for fields in measure.more["tweets"]:
        leak = Leak(**fields)
        came = "all" if leak.extracted else f"{leak.back} of"
        text = escaped(texts.get(leak.tweet_id, ""))
        lines.append(f"- {escaped(leak.tweet_id)} · {came} {leak.words} words: {text}")
    if any(Leak(**fields).extracted for fields in measure.more["tweets"]):
        again = f"mynah report {report.run} --leaks --drop"
        lines += ["", f"`{again}` starts a new run without those that came back whole."]
    return lines
