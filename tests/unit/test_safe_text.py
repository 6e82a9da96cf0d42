"""Text from outside must not reach the terminal as anything but visible text."""

from __future__ import annotations

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from core.safe_text import printable, printable_json

HOSTILE = "\x1b[31mred\x1b]0;title\x07 \x00nul \u202eevil\u2066 zero\u200bwidth \x9b31m [bold]"
ALLOWED_FORMAT = {"\u200d", "\u00ad"}


def acts_on_a_terminal(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in (
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u200b\ufeff"
    )


def test_hostile_text_is_shown() -> None:
    shown = printable(HOSTILE)
    assert "␛[31mred" in shown
    assert "␀nul" in shown
    assert "‹202E›evil" in shown
    assert "zero‹200B›width" in shown
    assert "[bold]" in shown
    assert not any(acts_on_a_terminal(character) for character in shown)


@given(st.text(st.characters(codec=None)))
def test_nothing_unsafe_survives(text: str) -> None:
    assert not any(acts_on_a_terminal(character) for character in printable(text))
    kept = printable(text, keep_newlines=True)
    assert not any(acts_on_a_terminal(character) for character in kept.replace("\n", ""))
    assert kept.count("\n") == text.count("\n")


@given(st.text())
def test_plain_leaves_safe_text_alone_and_is_idempotent(text: str) -> None:
    once = printable(text)
    assert printable(once) == once
    if text and all(c.isalnum() for c in text):
        assert once == text


@given(st.recursive(st.text() | st.integers() | st.none(), lambda x: st.lists(x, max_size=3)))
def test_json_is_the_same_document_and_safe(value: object) -> None:
    for indent in (2, None):
        text = printable_json(value, indent=indent)
        assert json.loads(text) == value
        assert not any(acts_on_a_terminal(character) for character in text.replace("\n", ""))


def test_emoji_and_scripts_stay_readable() -> None:
    text = "👩‍🚀 naïve 日本語 ไทย ✊🏽"
    assert printable(text) == text
    assert text in printable_json([text])
