"""The before-and-after view of one tweet."""

from __future__ import annotations

import itertools

from hypothesis import given, settings

from core.workbench.diff import diff_parts
from tests.oracles.frames import hostile_texts


def test_what_the_filter_shows() -> None:
    assert diff_parts("see (https://t.co/abc) now", "see now") == [
        ("see ", "same"),
        ("(https://t.co/abc) ", "removed"),
        ("now", "same"),
    ]
    assert diff_parts("R&amp;B", "R&B") == [
        ("R&", "same"),
        ("amp;", "removed"),
        ("B", "same"),
    ]
    assert diff_parts("same", "same") == [("same", "same")]
    assert diff_parts("", "") == []
    assert diff_parts("gone", "") == [("gone", "removed")]


@settings(max_examples=200, deadline=None)
@given(hostile_texts, hostile_texts)
def test_pieces_spell_both_texts(raw: str, clean: str) -> None:
    parts = diff_parts(raw, clean)
    assert "".join(text for text, state in parts if state != "added") == raw
    assert "".join(text for text, state in parts if state != "removed") == clean
    assert all(text for text, _ in parts)
    assert all(a[1] != b[1] for a, b in itertools.pairwise(parts))


def test_a_very_long_post_is_compared_coarsely() -> None:
    raw = "".join(f"{i % 7} https://t.co/{i} " for i in range(5000))
    clean = "".join(f"{i % 7} " for i in range(5000))
    parts = diff_parts(raw, clean)
    assert [state for _, state in parts] == ["same", "removed", "added", "same"]
    assert parts[0][0] == "0 "
