"""Filtering runs: what a term matches, what is refused, and that text and filter are the same."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import WrongUsage
from core.runs.filter import NUMBER_FIELDS, TEXT_FIELDS, RunFilter, Term, parse_filter
from core.runs.settings import TrainSettings, settings_for
from core.runs.summary import RunSummary


def a_run(**changes: Any) -> RunSummary:
    values: dict[str, Any] = {
        "run": "20260301-1015-keeper-c0de", "handles": ["NASA", "keeper_of_light"], "names": {},
        "base": "smollm2-135m", "method": "lora", "preset": "fast", "state": "finished",
        "reason": "", "doing": "", "step": 340, "steps": 340, "train_loss": 3.2,
        "valid_loss": 3.41, "started": None, "ended": None, "device": "cpu (2 threads)",
        "folder": Path("x"), "name": "night shift", "note": "two of them", "tags": ["Base", "slow"],
        "settings": settings_for("fast", "smollm2-135m", lr=2e-3),
    }  # fmt: skip
    return RunSummary(**(values | changes))


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "lr>=1e-3", "lr=0.002", "lr<1", "handle:nasa", "handle=nasa", "handle:@nasa",
        "HANDLE:Keeper", "state:finished", "preset=fast", "loss<3.5", "loss>3.4 loss<=3.41",
        "tag:base", "tag=#slow", "#slow", "@nasa", "night", '"night shift"', 'name="night shift"',
        "-tag:old", "-lr>1", "state!=failed", "handle!=milly", "seed:1", "keep_best:true",
        "lora_rank=64 method:lora", "-nothing",
        "-max_memorised<1", "step=340", "device:cpu", "c0de",
    ],
)  # fmt: skip
def test_what_matches(text: str) -> None:
    assert parse_filter(text).matches(a_run())


@pytest.mark.parametrize(
    "text",
    [
        "lr>2e-3", "handle=keeper", "state:failed", "loss<3.41", "tag=bas", "-tag:base", "-night",
        "night fog", "seed!=1", "minutes>0", "minutes!=5", "max_memorised<1", "sweep:x", "trial>0",
        "name=night", "keep_best:false", "handle!=nasa",
    ],
)  # fmt: skip
def test_what_does_not(text: str) -> None:
    assert not parse_filter(text).matches(a_run())


def test_a_run_without_settings_or_losses_matches_no_comparison_of_them() -> None:
    bare = a_run(settings=None, valid_loss=None, train_loss=None, steps=None, name="", tags=[])
    for text in ("lr>0", "lr!=1", "loss>0", "train_loss>0", "steps>0", "name:a", "tag:b"):
        assert not parse_filter(text).matches(bare), text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour:red", "Runs have no colour"), ("handel:nasa", "handle"), ("lr>=", "lr>= lacks"),
        ("lr>=fast", "lr is a number"), ("loss:nan", "loss is a number"), ("handle>a", "is text"),
        ('"night', "cannot be read"), ('a"b', "cannot be read"), ("-", "lacks a value"),
        ('name:""', "lacks a value"), ("http://x", "quotes"),
    ],
)  # fmt: skip
def test_what_is_refused_and_how(text: str, said: str) -> None:
    with pytest.raises(WrongUsage) as refused:
        parse_filter(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hande=nasa", ("Runs have no hande.", "Near it: handle.", "")),
        ("xyzzy>1", ("Runs have no xyzzy.", "", "")),
        ("colour:red", ("Runs have no colour.", "",
                        'A word with a sign in it needs quotes: "a:b".')),
        ("lora_layer=1", ("Runs have no lora_layer.",
                          "Near it: lora_layers, lora_rank, lora_alpha.", "")),
        ("handle<=a", ("handle is text.", "", "Write handle:a or handle=a")),
        ("loss:low", ("loss is a number, and low is none.", "", "Write loss<3.5")),
        ('tea a"b cake', ('a"b cannot be read.', "A quote stands at the beginning of a value and "
                          "at its end.", 'For instance: note:"night shift"')),
        ("name!=", ("name!= lacks a value.", "", "")),
        ("-", ("- lacks a value.", "", "")),
        ('-""', ('-"" lacks a value.', "", "")),
    ],
)  # fmt: skip
def test_a_refusal_says_what_why_and_what_to_write(text: str, told: tuple[str, str, str]) -> None:
    with pytest.raises(WrongUsage) as refused:
        parse_filter(text)
    found = refused.value
    assert (found.what, found.why, found.next_step) == told


def test_a_value_in_quotes_is_what_stands_between_them() -> None:
    (term,) = parse_filter(r'-note:"a \"b\" \\ c"').terms
    assert term == Term(r'a "b" \ c', "note", ":", negated=True)
    assert str(parse_filter(r"a  lr>1")) == "a lr>1.0"
    assert str(RunFilter((Term("a"), Term("b c", negated=True)))) == 'a -"b c"'
    assert not parse_filter("")
    assert parse_filter("a")


def test_a_pasted_page_is_no_filter() -> None:
    assert len(parse_filter("tea " * 50).terms) == 50
    with pytest.raises(WrongUsage, match="at most 50 words"):
        parse_filter("tea " * 100_000)


def test_every_setting_is_a_field() -> None:
    assert {field.name for field in fields(TrainSettings)} <= NUMBER_FIELDS | TEXT_FIELDS
    assert not NUMBER_FIELDS & TEXT_FIELDS
    assert {"lr", "minutes", "max_memorised", "max_steps"} <= NUMBER_FIELDS
    assert {"keep_best", "packing"} <= TEXT_FIELDS


@given(st.text(st.sampled_from('lrhandle:<>=!-"\\ 1e.\n\tx\xa0é'), max_size=30) | st.text())
def test_any_text_is_read_or_refused_and_reads_the_same_again(text: str) -> None:
    try:
        found = parse_filter(text)
    except WrongUsage:
        return
    assert parse_filter(str(found)) == found
    found.matches(a_run())


words = st.text(min_size=1)
signs = st.sampled_from([">=", "<=", "!=", ":", "=", "<", ">"])
terms = st.one_of(
    st.builds(lambda value, no: Term(value, negated=no), words, st.booleans()),
    st.builds(
        Term,
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(sorted(NUMBER_FIELDS)),
        signs,
        st.booleans(),
    ),
    st.builds(
        Term,
        words.filter(lambda text: text[0] not in "@#"),
        st.sampled_from(sorted(TEXT_FIELDS)),
        st.sampled_from([":", "=", "!="]),
        st.booleans(),
    ),
)


@given(st.lists(terms, max_size=4))
def test_a_filter_written_down_is_the_same_filter(made: list[Term]) -> None:
    wanted = RunFilter(tuple(made))
    assert parse_filter(str(wanted)) == wanted
