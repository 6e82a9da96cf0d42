"""Favourites: kept, dropped, and read again after an accident."""

from __future__ import annotations

import json

from core.home import Home
from core.sampling.favourites import favourites, keep_favourite
from core.sampling.request import Copy, SampleRequest

REQUEST = SampleRequest("My dream", n=3, seed=7)
COPY = Copy("near", 7, "1")


def test_keep_list_and_drop(tmp_path):
    home = Home(tmp_path / "new")
    assert favourites(home) == []
    assert not home.root.exists()
    first = keep_favourite(home, "run-1", "My dream is 🌊\nwide", REQUEST, COPY)
    second = keep_favourite(home, "run-2", "My dream is small", REQUEST, COPY)
    assert favourites(home) == [first, second]
    assert (first.run, first.prompt, first.copy) == ("run-1", "My dream", COPY)
    assert first.settings["seed"] == 7
    assert "prompt" not in first.settings
    path = home.root / "favourites.jsonl"
    assert all(json.loads(line)["generated"] for line in path.read_bytes().splitlines())
    with path.open("a") as file:  # what an earlier version wrote to take one off the list
        file.write(json.dumps({"dropped": first.id}) + "\n")
    assert favourites(home) == [second]


def test_a_line_cut_off_harms_no_other(tmp_path):
    home = Home(tmp_path)
    kept = [keep_favourite(home, "r", "one", REQUEST, COPY)]
    with (tmp_path / "favourites.jsonl").open("ab") as file:
        file.write(b'{"id": "x", "text": "hal')
    kept.append(keep_favourite(home, "r", "two", REQUEST, COPY))
    with (tmp_path / "favourites.jsonl").open("ab") as file:
        file.write(b'[1]\n{"id": "x"}\n\xff\n')
    assert favourites(home) == kept
