"""Favourites: kept, dropped, and read again after an accident."""

from __future__ import annotations

import json
import threading

import pytest

from core.home import Home
from core.sampling.favourites import (
    edit_favourite,
    export_favourites,
    favourites,
    forget_copies,
    keep_favourite,
)
from core.sampling.request import Copy, SampleRequest

REQUEST = SampleRequest("My dream", n=3, seed=7)
COPY = Copy("near", 7, "1")
NEW = Copy("new", 0, None)


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


def test_what_is_kept_while_others_are_forgotten_stays(tmp_path, monkeypatch):
    home = Home(tmp_path)
    keep_favourite(home, "r", "a copy", REQUEST, COPY)
    other = threading.Thread(target=keep_favourite, args=(home, "r", "mine", REQUEST, NEW))

    def read(path):
        found = [json.loads(line) for line in path.read_bytes().splitlines()]
        other.start()
        other.join(0.1)  # it waits for the lock
        return found

    with monkeypatch.context() as patch:
        patch.setattr("core.sampling.favourites.read_json_lines", read)
        assert forget_copies(home, {"1"}) == 1
    other.join()
    assert [one.text for one in favourites(home)] == ["mine"]


def test_edited_ones_say_so_and_are_the_same_favourite(tmp_path):
    home = Home(tmp_path)
    one = keep_favourite(home, "r", "a gul is a gull", REQUEST, COPY, sample_id="s1")
    edit_favourite(home, one.id, " a gull is a gull ")
    (edited,) = favourites(home)
    assert (edited.text, edited.edited, edited.id) == ("a gull is a gull", True, "s1")
    again = keep_favourite(home, "r", "a gul is a gull", REQUEST, COPY, sample_id="s1")
    assert again == edited, "the sample that it was is still kept"
    assert favourites(home) == [edited]
    edit_favourite(home, one.id, "  ")
    assert favourites(home) == [edited], "an empty text is no text"


@pytest.mark.parametrize("kind", ["txt", "csv", "jsonl"])
def test_an_export_has_each_text_once(tmp_path, kind):
    home = Home(tmp_path)
    for run, text in (("r", "Tea, at last"), ("q", "tea,  at last"), ("r", "A lamp")):
        keep_favourite(home, run, text, REQUEST, COPY)
    path = tmp_path / f"out.{kind}"
    assert export_favourites(favourites(home), path) == 2
    written = path.read_text().lower()
    assert written.count("at last") == 1
    assert "a lamp" in written


def test_a_file_that_another_writes_is_read_as_it_is_now(tmp_path):
    home = Home(tmp_path)
    kept = [keep_favourite(home, "r", text, REQUEST, COPY) for text in ("one", "two", "three")]
    assert favourites(home) == kept
    path = home.root / "favourites.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[2] + lines[0] + lines[1] + lines[2])  # longer than it was
    assert [one.text for one in favourites(home)] == ["three", "one", "two"]
    path.write_bytes(lines[1])
    assert favourites(home) == [kept[1]]
    with path.open("ab") as file:
        file.write(lines[2][:-5])
        file.flush()
        assert favourites(home) == [kept[1]], "half a line is none yet"
        file.write(lines[2][-5:])
    assert favourites(home) == kept[1:]
    path.unlink()
    assert favourites(home) == []
