"""Widths are cells of a terminal, whatever the characters are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.safe_text import printable
from tui.text.bars import level_bar, upright_bars
from tui.widgets.cells import cell_len, cut, fit, wrap

pieces = st.sampled_from(
    ["a", " ", "日", "e\u0301", "👩‍🚀", "🇩🇪", "❤️", "…", "\u0301", "[b]", "word "]
)
texts = st.one_of(st.lists(pieces, max_size=40).map("".join), st.text(max_size=60).map(printable))


@given(texts, st.integers(0, 40))
def test_cut_never_takes_more_room(text: str, width: int) -> None:
    shown = cut(text, width)
    assert cell_len(shown) <= width
    assert shown == text or cell_len(text) > width or width == 0


@given(texts, st.integers(0, 40), st.sampled_from(["left", "right", "center"]))
def test_fit_takes_exactly_its_room(text: str, width: int, align: str) -> None:
    assert cell_len(fit(text, width, align)) == width  # type: ignore[arg-type]


@given(texts, st.integers(2, 30))
def test_wrapping_loses_nothing_and_fits(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert "".join(lines) == text.replace("\n", "")
    assert all(cell_len(line.rstrip()) <= width for line in lines)


def test_wrap_breaks_at_spaces_and_keeps_line_breaks() -> None:
    assert wrap("the lamp the stair", 9) == ["the lamp ", "the stair"]
    assert wrap("one\n\ntwo", 9) == ["one", "", "two"]
    assert wrap("unbreakable", 4) == ["unbr", "eaka", "ble"]


def test_what_is_cut_says_so() -> None:
    assert cut("committee", 5) == "comm…"
    assert cut("日本語", 4) == "日…"
    assert fit("日本語", 4) == "日… "


def test_bars() -> None:
    assert upright_bars([0, 1, 4, 8]) == " ▂▅█"
    assert upright_bars([1, 1, 1, 1], width=2) == "██"
    assert upright_bars([0, 0]) == "  "
    assert level_bar(1, 2, 4) == "██  "
    assert level_bar(1e-9, 1, 3) == "▏  "
    assert level_bar(5, 1, 2) == "██"
