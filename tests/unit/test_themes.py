"""Colours: those that ship can be read and told apart, and those of a person's own come in."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from textual.color import Color

from tui.themes import THEMES, own_themes

SHIPPED = [theme for theme in THEMES if not theme.name.startswith("ansi")]
# What an eye without the cones for red (protan) or green (deutan) makes of linear RGB; Viénot,
# Brettel and Mollon 1999.
WITHOUT = {
    "protan": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
    "deutan": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
}


def linear(colour: str) -> list[float]:
    shares = [part / 255 for part in Color.parse(colour).rgb]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in shares]


def luminance(colour: str) -> float:
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))


def contrast(one: str, other: str) -> float:
    """WCAG's ratio, 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", SHIPPED, ids=lambda theme: theme.name)
def test_text_can_be_read(theme) -> None:
    assert contrast(theme.foreground, theme.background) >= 7
    for name in ("primary", "secondary", "success", "warning", "error"):
        assert contrast(getattr(theme, name), theme.background) >= 3.5, name


@pytest.mark.parametrize("theme", ["okabe-ito", "okabe-ito-day"])
@pytest.mark.parametrize("eye", WITHOUT)
def test_what_is_good_and_bad_differs_for_a_colour_blind_eye(theme: str, eye: str) -> None:
    (chosen,) = [one for one in THEMES if one.name == theme]
    seen = {}
    for name in ("success", "warning", "error"):
        given = linear(getattr(chosen, name))
        seen[name] = [sum(w * c for w, c in zip(row, given, strict=True)) for row in WITHOUT[eye]]
    for one, other in combinations(seen, 2):
        apart = max(abs(a - b) for a, b in zip(seen[one], seen[other], strict=True))
        assert apart > 0.05, (one, other)


def test_themes_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "dusk.toml").write_text(
        'primary = "#7fb4ca"\nbackground = "rgb(10, 10, 12)"\ndark = true\n'
        '[variables]\nborder = "#333"\n'
    )
    (tmp_path / "notes.txt").write_text("no theme")
    ((dusk,), refused) = own_themes(tmp_path)
    assert (dusk.name, dusk.dark, dusk.variables) == ("dusk", True, {"border": "#333"})
    assert refused == []
    assert dusk.to_color_system().generate()["primary"], "Textual derives the rest"
    assert own_themes(tmp_path / "missing") == ([], [])


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.toml", "primary = ", "Invalid value"),
        ("a.toml", 'accent = "#fff"', "primary is missing"),
        ("a.toml", 'primary = "[red]"', "primary is no colour"),
        ("a.toml", "primary = 7", "primary is no colour"),
        ("a.toml", 'primary = "#fff"\nborder = "#fff"', "border is no colour of a theme"),
        ("a.toml", 'primary = "#fff"\ndark = "yes"', "dark is true or false"),
        ("a.toml", 'primary = "#fff"\nvariables = 1', "variables is a table"),
        ("a.toml", 'primary = "#fff"\n[variables]\nborder = 5', "border is no colour"),
        ("mynah.toml", 'primary = "#fff"', "a theme that ships has this name"),
        ("a b.toml", 'primary = "#fff"', "letters, digits"),
        ("a.toml", "#" * 70_000, "too large"),
    ],
)
def test_what_is_no_theme_is_named(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    found, (sentence,) = own_themes(tmp_path)
    assert found == []
    assert sentence.startswith(f"{name}: ")
    assert words in sentence
