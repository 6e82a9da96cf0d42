"""compare: the counts of both recipes, and the tweets on which they differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli import HANDLES, home_with_samples, mynah


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_with_samples(tmp_path_factory)


def test_both_sides_are_what_stats_says(home: Path) -> None:
    found = mynah("compare", "standard", "classic", "--json", "--tweets", "2000", home=home).json()
    for side in found["recipes"]:
        said = mynah("stats", "--recipe", side["recipe"], "--json", home=home).json()
        for one, other in zip(side["accounts"], said, strict=True):
            assert (one["handle"], one["kept"]) == (other["handle"], other["kept"])
            assert one["dropped"] == other["dropped"]
    assert found["differ"] == len(found["tweets"]) > 0
    parts = ("only_first", "only_second", "different_words", "different_reasons")
    assert sum(found[part] for part in parts) == found["differ"]
    kept = [side["all"]["kept"] for side in found["recipes"]]
    assert kept[1] - kept[0] == found["only_second"] - found["only_first"]
    for tweet in found["tweets"]:
        first, second = tweet["verdicts"]
        assert (first["kept"], first["reason"], first["text"]) != (
            second["kept"],
            second["reason"],
            second["text"],
        )


def test_the_table_goes_to_stdout_and_the_sentence_to_stderr(home: Path) -> None:
    done = mynah("compare", "standard", "strict", HANDLES[0], "--tweets", "3", home=home)
    lines = done.text.splitlines()
    assert lines[0].split() == ["@keeper_of_the_light", "standard", "strict", "difference"]
    assert any(line.startswith("kept") and "-" in line for line in lines)
    assert sum(line.startswith(f"@{HANDLES[0]}") for line in lines[1:]) == 3
    assert done.err.startswith("They differ on ")
    same = mynah("compare", "strict", "strict", home=home)
    assert "say the same of every tweet" in same.err


def test_a_recipe_that_is_not_there_is_refused(home: Path) -> None:
    done = mynah("compare", "standard", "strickt", home=home, code=3)
    assert "Did you mean 'strict'?" in done.err
    assert not done.text
