"""The page of a report, letter by letter, and the last report as it is read back from its file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from core.report.last import keep_measures, last_measures, last_report
from core.report.markdown import to_markdown
from core.report.points import RealTexts
from core.report.report import FEWEST_TEXTS, MOST_TEXTS, Report
from core.report.stored import ReportModel, recall, remember
from core.runs.folder import Run
from tests.fixtures.reports import RUN, WHO, invented
from tests.unit.cli import mynah

SOME = ["a tweet"] * 200
REAL = RealTexts([WHO], SOME, [], SOME, SOME, SOME, SOME, SOME, ["a", "b"], False)
TEXTS: dict[str, Sequence[str]] = {"tuned": SOME * 10, "base": SOME, "parrot": SOME[:9]}
REPORT = Report(RUN, "/home/me/smollm2", 200, 0, REAL, invented(True), TEXTS, {"1000000": "a *b*"})


def section(page: str, title: str) -> list[str]:
    """The lines below a heading."""
    return page.partition(f"## {title}\n\n")[2].partition("\n## ")[0].splitlines()


def test_the_points_of_a_page() -> None:
    assert to_markdown(REPORT).splitlines()[:7] == [
        "# @keeper_of_the_light: report on 20260301-1015-keeper-c0de",
        "",
        "- this model: 2,000 · texts that it wrote, copies allowed",
        "- base: 200 · smollm2 before tuning",
        "- unseen: 0 · tweets of @keeper_of_the_light that it never saw: what to aim at",
        "- parrot: 9 · its own training tweets given back: what it must not do",
        "- others: 0 · real tweets by 2 other accounts (@a, @b)",
    ]


@pytest.mark.parametrize(
    ("count", "others"),
    [
        (0, "nobody else's tweets are at hand"),
        (5, "real tweets by 5 other accounts (@h0, @h1, @h2, @h3, @h4)"),
        (6, "real tweets by 6 other accounts (@h0, @h1, @h2, @h3, @h4 and 1 more)"),
        (20, "real tweets by 20 other accounts (@h0, @h1, @h2, @h3, @h4 and 15 more)"),
    ],
)
def test_five_other_accounts_are_named(count: int, others: str) -> None:
    real = replace(REAL, impostor_handles=[f"h{at}" for at in range(count)])
    assert f"- others: 0 · {others}\n" in to_markdown(replace(REPORT, real=real))


@pytest.mark.parametrize(
    ("base", "no_base", "said"),
    [("/", "", "/ before tuning"), ("a", "It began with nothing.", "It began with nothing.")],
)
def test_the_base_of_a_page(base: str, no_base: str, said: str) -> None:
    page = to_markdown(replace(REPORT, base=base, no_base=no_base))
    assert f"- base: 200 · {said}\n" in page


def test_a_table_is_aligned_and_has_its_digits() -> None:
    shown = ("tuned", "base")
    measures = [
        replace(one, points={point: one.points[point] for point in shown})
        for one in REPORT.measures
        if one.group == "copying"
    ]
    page = to_markdown(replace(REPORT, measures=measures, leaked=None))
    assert section(page, "What it copies")[:10] == [
        "|                       |  this model |          base |",
        "| --------------------- | ----------: | ------------: |",
        "| copied %              | 6 (2.5–9.5) |     0 (0–0.2) |",
        "| · word for word %     |   2 (0–4.2) |     0 (0–0.2) |",
        "| · nearly %            |     4 (1–7) |     0 (0–0.2) |",
        "| new 2-word phrases %  |  35 (28–42) |    42 (35–49) |",
        "| new 3-word phrases %  |  57 (50–64) |    68 (61–74) |",
        "| new 5-word phrases %  |  78 (72–84) |    94 (90–97) |",
        "| new 8-word phrases %  |  89 (84–93) | 100 (100–100) |",
        "| new 12-word phrases % |  92 (87–96) | 100 (100–100) |",
    ]  # fmt: skip


def test_a_table_that_is_too_wide_has_the_intervals_that_sentences_need() -> None:
    wide = section(to_markdown(REPORT), "Who it sounds like")
    assert section(to_markdown(REPORT, width=len(wide[0])), "Who it sounds like") == wide
    narrow = to_markdown(REPORT, width=len(wide[0]) - 1)
    assert section(narrow, "Who it sounds like")[:5] == [
        "|                    |       this model | base |           unseen | parrot | others |",
        "| ------------------ | ---------------: | ---: | ---------------: | -----: | -----: |",
        "| taken for author % |       71 (64–78) |    4 |       86 (81–91) |     90 |      6 |",
        "| · subject hidden % |       62 (55–69) |   11 |       74 (68–80) |     78 |     15 |",
        "| Burrows's Delta    | 0.42 (0.39–0.45) |  1.3 | 0.12 (0.11–0.13) |    0.1 |    1.2 |",
    ]
    learned = "What it has learned"
    assert section(narrow, learned) == section(to_markdown(REPORT), learned), "it is narrow enough"


def test_what_nobody_writes_has_no_row() -> None:
    looks = section(to_markdown(REPORT), "What it looks like")
    rows = [line.split("|")[1].strip() for line in looks if line.startswith("|")]
    assert rows[2:6] == ["characters", "emoji", "hashtags", "punctuation marks"]
    few = [replace(one, points={"tuned": replace(one.points["tuned"], value=None)})
           for one in REPORT.measures if one.name == "sounds_like"]  # fmt: skip
    assert section(to_markdown(replace(REPORT, measures=few, leaked=None)), "Who it sounds like")[
        2
    ] == ("| taken for author % |    too few |")


def test_tweets_that_came_back_are_listed() -> None:
    assert section(to_markdown(REPORT), "Training tweets that came back by half or more") == [
        r"- 1000000 · all 9 words: a \*b\*",
        "- 1000007 · all 12 words: ",
        "- 1000008 · 7 of 10 words: ",
        "- 77 · 4 of 8 words: ",
        "",
        f"`mynah report {RUN} --leaks --drop` starts a new run without those that came back whole.",
        "",
        "Generated texts are not written by a person.",
    ]
    title = "## Training tweets that came back"
    assert title not in to_markdown(replace(REPORT, leaked={}))
    (extracted,) = [one for one in REPORT.measures if one.name == "extracted"]
    parts = [one for one in extracted.more["tweets"] if one["back"] < one["words"]]
    measures = [replace(extracted, more={"tweets": parts})]
    page = to_markdown(replace(REPORT, measures=measures))
    assert title in page
    assert "--drop" not in page


@pytest.mark.parametrize("count", [FEWEST_TEXTS - 1, MOST_TEXTS + 1])
def test_so_few_or_many_texts_are_no_report(tmp_path: Path, count: int) -> None:
    refused = mynah("report", "latest", "-n", str(count), home=tmp_path, code=2)
    assert f"{count} is not in the range 20<=x<=2000" in refused.err


# ── the last report ──────────────────────────────────────────────────────────────────────

ABOUT = {"n": 200, "seed": 3, "no_base": "", "others": 2, "invented": True}
NOON = datetime(2026, 2, 26, 12, tzinfo=timezone.utc)
LATER = NOON.replace(hour=13)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(tmp_path / RUN)
    run.model.mkdir(parents=True)
    (run.model / "config.json").write_text("{}", "utf-8")
    record = {"handles": [WHO], "base": "smollm2"}
    (run.folder / "run.json").write_text(json.dumps(record), "utf-8")
    return run


def keep(run: Run, made: datetime | None, *, leaks: bool = True, **about: Any) -> None:
    measures = invented(leaks)
    report = Report(RUN, "smollm2", 200, 3, REAL, measures, {}, {} if leaks else None)
    hashed = ReportModel.at("tuned", run.model).hash
    found = report.to_json(tweets=False)
    keep_measures(run, hashed, found, {**ABOUT, **about}, leaks=leaks, made=made)


def test_a_report_keeps_its_time_until_it_says_something_else(run: Run) -> None:
    assert last_measures(run) is None
    assert last_report(run) is None
    keep(run, NOON)
    first = last_report(run)
    assert first is not None
    assert first.leaks is not None
    assert [(leak.tweet_id, leak.back, text) for leak, text in first.leaks] == [
        ("1000000", 9, ""), ("1000007", 12, ""), ("1000008", 7, ""), ("77", 4, "")
    ]  # fmt: skip
    assert (first.made, first.n, first.seed, first.others, first.invented, first.base) == (
        NOON, 200, 3, 2, True, "smollm2"
    )  # fmt: skip
    assert first.is_of(run)
    keep(run, LATER)
    assert last_report(run) == first, "it says the same"
    keep(run, LATER, seed=4)
    other = last_report(run)
    assert other is not None
    assert (other.made, other.seed) == (LATER, 4)
    before = datetime.now(timezone.utc).replace(microsecond=0)
    keep(run, None, seed=5)
    now = last_report(run)
    assert now is not None
    assert before <= now.made <= datetime.now(timezone.utc)
    run.model.rename(run.folder / "away")
    assert not now.is_of(run)
    assert last_measures(run) is None
    assert last_report(run) == now, "what it said stays to be read"


@pytest.mark.parametrize("found", [5, None, [], "x", {"copied": 5}, {"copied": []}])
def test_a_report_of_another_kind_is_as_good_as_none(run: Run, found: object) -> None:
    keep(run, NOON)
    kept = recall(run, "report")
    assert kept is not None
    remember(run, "report", kept[0], found)
    assert last_measures(run) is None
    assert last_report(run) is None
    keep(run, LATER, leaks=False)
    now = last_report(run)
    assert now is not None
    assert now.made == LATER


def test_what_was_found_of_leaks_stays_for_the_same_model_alone(run: Run) -> None:
    keep(run, NOON)
    both = last_measures(run)
    assert both is not None
    keep(run, LATER, leaks=False)
    assert last_measures(run) == both
    plain, before = invented(leaks=False), last_report(run)
    assert before is not None
    assert before.is_of(run)
    (run.model / "config.json").write_text('{"another": 1}', "utf-8")
    assert last_measures(run) is None
    assert not before.is_of(run)
    keep(run, LATER, leaks=False)
    now = last_report(run)
    assert now is not None
    assert now.leaks is None
    found = last_measures(run)
    assert found is not None
    assert list(found) == [one.name for one in plain]
    keep(run, LATER)
    assert list(last_measures(run) or {}) == list(both)
    less = {"loss": both["loss"]}
    hashed = ReportModel.at("tuned", run.model).hash
    keep_measures(run, hashed, less, ABOUT, leaks=True)
    assert last_measures(run) == less, "who looked for leaks and found none has none"


def test_a_report_without_a_time_is_as_old_as_its_file(run: Run) -> None:
    import os

    keep(run, NOON)
    kept = recall(run, "report")
    assert kept is not None
    inputs = {name: one for name, one in kept[0].items() if name not in ("made", "invented")}
    remember(run, "report", inputs, kept[1])
    os.utime(run.report / "report.json", (LATER.timestamp(), LATER.timestamp()))
    found = last_report(run)
    assert found is not None
    assert found.made == LATER
    assert found.invented is False


@pytest.mark.parametrize(
    ("inputs", "result"),
    [
        ({}, {}), ({"n": None}, {}), ({"n": "many"}, {}), ({"n": 1e999}, {}), ({"made": 7}, {}),
        ({"made": "noon"}, {}), (None, 7), (None, []),
        (None, {"loss": 3}), (None, {"loss": {}}), (None, "loss"),
    ],
)  # fmt: skip
def test_a_report_that_is_damaged_is_as_good_as_none(run: Run, inputs: Any, result: Any) -> None:
    keep(run, NOON)
    kept = recall(run, "report")
    assert kept is not None
    damaged = kept[0] if inputs is None else {**kept[0], **inputs} if inputs else {}
    remember(run, "report", damaged, result or kept[1] if inputs is not None else result)
    assert last_report(run) is None
    (run.report / "report.json").write_bytes(b"\xff{")
    assert last_report(run) is None
