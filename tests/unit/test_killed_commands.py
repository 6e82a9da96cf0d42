"""A few of the kills of `python -m benchmarks.kills`: at moments when files change their names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.killing.deeds import with_template
from tests.killing.driver import Deed, Wrong, kill_at_each_step


@pytest.fixture(scope="module")
def deeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Callable[[Path], Deed]]:
    return with_template(tmp_path_factory.mktemp("deeds"))


# the first of the moments, and how many lie between two
@pytest.mark.slow
@pytest.mark.parametrize(("name", "first", "every"), [("export", 9, 20), ("forget", 3, 9)])
def test_killed_at_some_steps_and_done_again(
    name: str, first: int, every: int, deeds: dict[str, Callable[[Path], Deed]], tmp_path: Path
) -> None:
    found = kill_at_each_step(deeds[name], tmp_path, first=first, every=every)
    assert found.kills
    assert found.wrong == []


def test_a_driver_that_finds_nothing_would_be_no_use(
    deeds: dict[str, Callable[[Path], Deed]], tmp_path: Path
) -> None:
    deed = deeds["export"](tmp_path)
    deed.begin()
    (tmp_path / "out-files" / "tweets.train.jsonl").write_text("half")
    with pytest.raises(Wrong, match="verify"):
        deed.sound()
