"""Banned words are found in text, whole, in any case, wherever tokens part them."""

from __future__ import annotations

import pytest

from core.sampling.decoding.banned import BannedWords


@pytest.mark.parametrize(
    ("text", "fresh", "completed"),
    [
        ("", "cat", True),
        ("a ", "Cat", True),
        ("a c", "at", True),
        ("a c", "AT!", True),
        ("a con", "cat", False),
        ("a ", "cats", False),
        ("a ", "cats and cat", True),
        ("the cat", " sat", False),  # it was there before
        ("the cat sat on the ", "cat", True),
        ("good", " morning", True),
        ("Good \n", " MORNING.", True),
        ("good", "morning", False),
        ("x", "#tag", True),
        ("x", "#tags", False),
        ("caf", "é", True),
        ("", "", False),
    ],
)
def test_a_word_is_completed(text, fresh, completed):
    banned = BannedWords(("cat", "good morning", "#tag", "café"))
    assert banned.completed_by(text, fresh) is completed


def test_a_word_within_a_longer_phrase_is_found():
    banned = BannedWords(("cat food bowl", "food"))
    assert banned.completed_by("cat ", "food")
    assert banned.completed_by("cat food ", "bowl")


def test_no_words_ban_nothing():
    assert not BannedWords(())
    assert not BannedWords(()).completed_by("any", "thing")
