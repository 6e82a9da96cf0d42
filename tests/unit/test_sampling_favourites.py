"""Favourites: kept, dropped, and read again after an accident."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timezone

import pytest

from core.errors import InputRefused
from core.home import Home
from core.locks import held_lock
from core.sampling.favourites import (
    drop_favourite,
    edit_favourite,
    export_favourites,
    favourites,
    forget_copies,
    keep_favourite,
    note_favourite,
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


def test_half_of_the_first_line_is_none_yet(tmp_path):
    one, other = Home(tmp_path / "one"), Home(tmp_path / "other")
    kept = keep_favourite(one, "r", "one", REQUEST, COPY)
    line = (one.root / "favourites.jsonl").read_bytes()
    other.root.mkdir()
    for part in (line[:40], line[40:]):
        with (other.root / "favourites.jsonl").open("ab") as file:
            file.write(part)
        found = favourites(other)
    assert found == [kept]


def test_a_favourite_is_kept_once(tmp_path):
    home = Home(tmp_path)
    first = keep_favourite(home, "r", "one", REQUEST, COPY, sample_id="s1")
    assert (first.id, first.edited, first.note) == ("s1", False, "")
    assert keep_favourite(home, "r", "one", REQUEST, NEW, sample_id="s2") == first
    assert keep_favourite(home, "q", "other", REQUEST, NEW, sample_id="s1") == first
    second = keep_favourite(home, "q", "one", SampleRequest(seed=1, reply_to="tea?"), NEW)
    assert favourites(home) == [first, second]
    assert len(second.id) == 32
    assert second.settings["reply_to"] == "tea?"
    assert "reply_to" not in first.settings
    assert (second.settings["n"], first.settings["n"]) == (10, 3)


def test_notes_and_changes_are_of_one_favourite_and_may_be_taken_back(tmp_path):
    home = Home(tmp_path)
    first, second = (keep_favourite(home, "r", text, REQUEST, COPY) for text in ("one", "two"))
    note_favourite(home, first.id, " for Monday ")
    note_favourite(home, "gone", "no matter")
    edit_favourite(home, "gone", "no matter")
    drop_favourite(home, "gone")
    noted, other = favourites(home)
    assert (noted.note, noted.text, noted.edited, other) == ("for Monday", "one", False, second)
    note_favourite(home, first.id, "")
    assert favourites(home) == [first, second]
    drop_favourite(home, first.id)
    assert favourites(home) == [second]
    (home.root / "favourites.jsonl").unlink()
    assert favourites(home) == []
    again = keep_favourite(home, "r", "one", REQUEST, COPY)
    assert favourites(home) == [again]


def test_what_another_process_kept_is_read_from_its_first_line(tmp_path):
    one, other = Home(tmp_path / "one"), Home(tmp_path / "other")
    kept = [keep_favourite(one, "r", text, REQUEST, COPY) for text in ("one", "two")]
    other.root.mkdir()
    (other.root / "favourites.jsonl").write_bytes((one.root / "favourites.jsonl").read_bytes())
    assert favourites(other) == kept


def test_a_line_of_other_values_is_passed_over(tmp_path):
    home = Home(tmp_path)
    one = keep_favourite(home, "r", "one", REQUEST, COPY)
    (line,) = (home.root / "favourites.jsonl").read_bytes().splitlines()
    whole = json.loads(line)
    wrong = (
        ("when", "noon"), ("when", 7), ("copy", 7), ("copy", {"verdict": "new"}), ("text", False),
        ("settings", True), ("note", 5), ("prompt", None), ("edited", "no"),
    )  # fmt: skip
    with (home.root / "favourites.jsonl").open("a") as file:
        for name, value in wrong:
            file.write(json.dumps({**whole, "id": "x", name: value}) + "\n")
    assert favourites(home) == [one]
    with (home.root / "favourites.jsonl").open("a") as file:
        file.write(json.dumps({**whole, "id": "later", "mood": "merry"}) + "\n")
    assert [kept.id for kept in favourites(home)] == [one.id, "later"], "a later version's"


def test_a_time_without_a_zone_is_utc(tmp_path):
    home = Home(tmp_path)
    one = keep_favourite(home, "r", "one", REQUEST, COPY)
    (line,) = (home.root / "favourites.jsonl").read_bytes().splitlines()
    with (home.root / "favourites.jsonl").open("a") as file:
        file.write(
            json.dumps({**json.loads(line), "id": "x", "when": "2026-01-02T03:04:05"}) + "\n"
        )
    assert min(favourites(home), key=lambda kept: kept.when).id == "x"
    assert favourites(home)[1].when == datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    assert favourites(home)[0] == one


def test_copies_are_forgotten_beside_damaged_lines(tmp_path):
    home = Home(tmp_path)
    keep_favourite(home, "r", "one", REQUEST, COPY)
    (line,) = (home.root / "favourites.jsonl").read_bytes().splitlines()
    whole = json.loads(line)
    near = {"verdict": "near", "longest": 7}
    damaged = [
        {**whole, "id": ["x"], "copy": {**near, "tweet_id": "1"}},
        {**whole, "id": "y", "copy": {**near, "tweet_id": ["1"], "tweet_ids": True}},
        {**whole, "id": "z", "copy": {**near, "tweet_id": {}, "tweet_ids": [[], "1"]}},
    ]
    with (home.root / "favourites.jsonl").open("a") as file:
        file.writelines(json.dumps(one) + "\n" for one in damaged)
    assert forget_copies(home, {"1"}) == 3
    (left,) = (home.root / "favourites.jsonl").read_text().splitlines()
    assert json.loads(left)["id"] == "y"


def test_what_would_be_forgotten_is_counted_first(tmp_path):
    home = Home(tmp_path)
    assert forget_copies(home, {"1"}) == 0
    near = keep_favourite(home, "r", "near", REQUEST, COPY)
    other = keep_favourite(home, "r", "new", REQUEST, NEW)
    note_favourite(home, near.id, "a secret")
    edit_favourite(home, near.id, "another secret")
    note_favourite(home, other.id, "harmless")
    before = (home.root / "favourites.jsonl").read_bytes()
    assert forget_copies(home, {"2"}) == 0
    with held_lock(home.locks / "favourites.lock"):
        assert forget_copies(home, {"1"}, dry_run=True) == 1
    assert (home.root / "favourites.jsonl").read_bytes() == before
    assert forget_copies(home, {"1"}) == 1
    (left,) = favourites(home)
    assert (left.text, left.note) == ("new", "harmless")
    assert b"secret" not in (home.root / "favourites.jsonl").read_bytes()


def test_the_words_of_an_export(tmp_path):
    home = Home(tmp_path)
    one = keep_favourite(home, "r", "=Tea\nat 🌊", REQUEST, COPY)
    note_favourite(home, one.id, "for Monday")
    edit_favourite(home, one.id, "=Tea\nat 🌊, later")
    when = one.when.isoformat(timespec="seconds")
    for kind in ("TXT", "csv", "jsonl"):
        assert export_favourites(favourites(home), tmp_path / f"out.{kind}") == 1
    assert (tmp_path / "out.TXT").read_text("utf-8") == "=Tea at 🌊, later\n"
    assert json.loads((tmp_path / "out.jsonl").read_text("utf-8")) == {
        "text": "=Tea\nat 🌊, later", "note": "for Monday", "run": "r", "prompt": "My dream",
        "seed": 7, "copy": "near", "when": when, "generated": True, "edited": True,
    }  # fmt: skip
    assert "🌊" in (tmp_path / "out.jsonl").read_text("utf-8")
    table = (tmp_path / "out.csv").read_text("utf-8")
    assert table.splitlines()[0] == "text,note,run,prompt,seed,copy,when,generated,edited"
    assert table.endswith(f",for Monday,r,My dream,7,near,{when},true,true\n")
    for path, refusal in (
        (tmp_path / "out.csv", "is there already"),
        (tmp_path / "o.md", "ending"),
    ):
        with pytest.raises(InputRefused, match=refusal):
            export_favourites(favourites(home), path)
    assert (tmp_path / "out.csv").read_text("utf-8") == table
    assert export_favourites([], tmp_path / "out.csv", replace_it=True) == 0
