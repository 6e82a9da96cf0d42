"""The last report of a run, kept in its folder and read back: for a page, a card, or publishing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from core.errors import MynahError
from core.report.blind import blind_result
from core.report.conclusions import who
from core.report.leaks import Leak
from core.report.measures import Group, Measure
from core.report.stored import ReportModel, recall, remember
from core.runs.folder import Run

_FILE: Final = "report"
# Measures by name, as JSON has them.
_Kept = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class LastReport:
    """What `keep_measures` kept. ``measures`` in the order of the page, ``meanings`` by group.

    made     when, in UTC
    n, seed  as they were asked for
    model    the hash of the model that it is of
    base     what the run began with; ``no_base`` why there are no texts of it
    others   how many other people the tweets of others are by, None where that is not known;
             ``invented``: they are the authors that ship with mynah, and nobody's
    leaks    with the texts of the tweets ("" where they are gone); None where nobody looked
    """

    who: str
    measures: list[Measure]
    meanings: dict[Group, str]
    made: datetime
    n: int
    seed: int
    model: str
    base: str
    no_base: str
    others: int | None
    invented: bool
    leaks: list[tuple[Leak, str]] | None

    def is_of(self, run: Run) -> bool:
        """Whether the run's model is still the one that was measured. Reads all of its weights."""
        return ReportModel.at("tuned", run.model).hash == self.model


def keep_measures(
    run: Run,
    model: str,
    found: Mapping[str, Any],
    about: Mapping[str, Any],
    *,
    leaks: bool,
    made: datetime | None = None,
) -> None:
    """Keeps measures as JSON has them; ``about``: n, seed and what else a page says of a report.

    Without ``leaks``, what an earlier report on the same model found of them stays. One that says
    what the last one said keeps its time. ``made`` None: now.
    """
    inputs, result = {"model": model, **about}, dict(found)
    time = (made or datetime.now(timezone.utc)).isoformat(timespec="seconds")
    if (kept := recall(run, _FILE, _Kept)) is not None:
        before, measured = kept
        if not leaks and before.get("model") == model:
            result |= {name: one for name, one in measured.items() if one.get("group") == "leak"}
        if json.loads(json.dumps([inputs, result])) == [_without_time(before), measured]:
            time = before.get("made", time)
    remember(run, _FILE, {**inputs, "made": time}, result)


def _without_time(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in inputs.items() if name != "made"}


def last_measures(run: Run) -> dict[str, Any] | None:
    """What the last report on the model that the run has now gave as JSON, without any tweet; None
    where there is none. For a card, or whoever publishes.
    """
    kept = recall(run, _FILE, _Kept)
    if kept is None:
        return None
    inputs, measured = kept
    current = ReportModel.at("tuned", run.model).hash
    return dict(measured) if inputs.get("model") == current else None


def last_report(run: Run) -> LastReport | None:
    """The last report on any model that the run has had; None where there is none to be read.

    What came of blind tests of the present model stands in the meaning of ``author``.
    """
    kept = recall(run, _FILE, _Kept)
    if kept is None:
        return None
    inputs, found = kept
    try:
        record = run.record()
        measures = [Measure.from_json(name, one) for name, one in found.items()]
        meanings = {one.group: str(found[one.name]["meaning"]) for one in measures}
        people = blind_result(run)
        if people is not None and "author" in meanings:
            meanings["author"] += f" {people.for_a_report()}"
        leaks = next((one.more["tweets"] for one in measures if "tweets" in one.more), None)
        return LastReport(
            who=who(sorted(record.handles)),
            measures=measures,
            meanings=meanings,
            made=_made(run, inputs),
            n=int(inputs["n"]),
            seed=int(inputs["seed"]),
            model=str(inputs["model"]),
            base=record.began_with,
            no_base=str(inputs.get("no_base", "")),
            others=inputs.get("others"),
            invented=bool(inputs.get("invented")),
            leaks=None if leaks is None else _with_texts(run, [Leak(**one) for one in leaks]),
        )
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        return None


def _made(run: Run, inputs: Mapping[str, Any]) -> datetime:
    if "made" in inputs:
        return datetime.fromisoformat(inputs["made"])
    written = (run.report / f"{_FILE}.json").stat().st_mtime
    return datetime.fromtimestamp(written, timezone.utc)


def _with_texts(run: Run, leaks: Sequence[Leak]) -> list[tuple[Leak, str]]:
    import polars as pl

    from core.dataset.frozen import load_frozen

    texts: dict[str, str] = {}
    if leaks:
        try:
            train = load_frozen(run.dataset).train.select(pl.col("tweet_id").cast(str), "text")
            texts = dict(train.iter_rows())
        except MynahError:
            pass  # they were deleted with their run's dataset
    return [(leak, texts.get(leak.tweet_id, "")) for leak in leaks]
