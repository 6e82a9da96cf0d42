"""Exports: what each format holds, byte for byte repeatable, safe to open."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curation.recipe import load_recipe
from core.dataset.blend import epoch_order
from core.dataset.card import readme
from core.dataset.formats import safe_for_spreadsheets
from core.dataset.options import FORMATS, ExportOptions, suggested_name
from core.dataset.verify import verify
from core.dataset.write import ExportResult, export_batches, would_replace
from core.errors import InputRefused, WrongUsage
from tests.oracles.datasets import export
from tests.oracles.frames import different_texts, frame, hostile_texts, in_order
from tests.oracles.one_frame import curate

STANDARD = load_recipe("standard")
TEXTS = [
    "first line\nsecond, with https://t.co/a",
    'she said "never, ever" again',
    "=HYPERLINK(1) is no formula",
    "ok",
    "ünï 😀 今日は晴れ\u2028end",
    "-1 is a number <|endoftext|> here",
]
CURATED = curate(frame(TEXTS), STANDARD)


def write(out: Path, format: str, rows: pl.DataFrame = CURATED, **options: object) -> ExportResult:  # noqa: A002
    return export(rows, out, format=format, recipe=STANDARD, **options)  # type: ignore[arg-type]


def test_txt(tmp_path: Path) -> None:
    result = write(tmp_path / "tweets.txt", "txt")
    mark = "<|endoftext|>"
    parts = (tmp_path / "tweets.txt").read_bytes().decode().split(mark)
    assert parts[0] == parts[-1] == ""
    assert parts[1] == "first line second, with"
    assert parts[-2] == "-1 is a number <| endoftext |> here"
    assert result.rows == len(parts) - 2 == 5
    assert result.sha256 == sha256((tmp_path / "tweets.txt").read_bytes()).hexdigest()


def test_jsonl_and_all(tmp_path: Path) -> None:
    write(tmp_path / "tweets.jsonl", "jsonl", what="all")
    rows = [json.loads(line) for line in (tmp_path / "tweets.jsonl").read_text().split("\n")[:-1]]
    assert len(rows) == 6
    assert rows[3] == {
        "tweet_id": "4",
        "handle": "someone",
        "created_at": "2020-01-01T03:00:00Z",
        "kind": "original",
        "text": "ok",
        "raw_text": "ok",
        "kept": False,
        "reason": "short",
    }
    assert rows[0]["raw_text"] == TEXTS[0]


def test_csv_does_not_run_in_a_spreadsheet(tmp_path: Path) -> None:
    write(tmp_path / "safe.csv", "csv")
    write(tmp_path / "exact.csv", "csv", spreadsheet_safe=False)
    with (tmp_path / "safe.csv").open(newline="", encoding="utf-8") as file:
        safe = list(csv.DictReader(file))
    with (tmp_path / "exact.csv").open(newline="", encoding="utf-8") as file:
        exact = list(csv.DictReader(file))
    assert list(safe[0]) == ["tweet_id", "handle", "created_at", "kind", "text"]
    assert [row["text"] for row in exact] == CURATED.filter("kept")["clean_text"].to_list()
    assert [row["text"][0] for row in safe] == ["f", "s", "'", "ü", "'"]
    assert safe[2]["text"] == "'=HYPERLINK(1) is no formula"


@pytest.mark.parametrize("first", list("=+-@\t\r"))
def test_no_first_character_of_a_cell_makes_it_a_formula(first: str) -> None:
    cells = pl.DataFrame({"text": [f"{first}1", f"'{first}1", f"a{first}1"]})
    safe = safe_for_spreadsheets(cells)["text"].to_list()
    assert safe == [f"'{first}1", f"''{first}1", f"a{first}1"]


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(hostile_texts, max_size=15))
def test_exact_csv_jsonl_and_parquet_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    out = tmp_path_factory.mktemp("out")
    rows = curate(frame(texts), STANDARD.replace(line_breaks="keep"))
    wanted = rows.sort(pl.col("tweet_id").cast(pl.Int64))["text"].to_list()
    if not wanted:
        return
    for name in ("csv", "jsonl", "parquet"):
        write(out / f"x.{name}", name, rows, what="all", spreadsheet_safe=False)
    assert pl.read_parquet(out / "x.parquet")["raw_text"].to_list() == wanted
    lines = (out / "x.jsonl").read_bytes().decode().split("\n")[:-1]
    assert [json.loads(line)["raw_text"] for line in lines] == wanted
    if sys.version_info >= (3, 11):  # before, the csv module could not read a NUL
        with (out / "x.csv").open(newline="", encoding="utf-8") as file:
            assert [row["raw_text"] for row in csv.DictReader(file)] == wanted


def test_parquet_keeps_types(tmp_path: Path) -> None:
    write(tmp_path / "tweets.parquet", "parquet")
    rows = pl.read_parquet(tmp_path / "tweets.parquet")
    assert rows.schema["created_at"] == pl.Datetime("us", "UTC")
    assert rows.height == 5


def many(count: int = 200) -> pl.DataFrame:
    handles = ["a" if i % 4 else "b" for i in range(count)]
    return curate(frame(different_texts(count), handle=handles), STANDARD)


def test_split_and_manifest(tmp_path: Path) -> None:
    result = write(tmp_path / "set.csv", "csv", many(), split=0.1, seed=4)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("set.csv.manifest.json", "set.train.csv", "set.valid.csv")
    ]
    train, valid = (pl.read_csv(tmp_path / f"set.{part}.csv") for part in ("train", "valid"))
    assert (train.height, valid.height, result.rows) == (180, 20, 200)
    assert not set(train["text"]) & set(valid["text"])
    assert result.path == tmp_path / "set.train.csv"
    assert result.manifest == tmp_path / "set.csv.manifest.json"
    assert result.sha256 == sha256(result.manifest.read_bytes()).hexdigest()
    manifest = json.loads(result.manifest.read_text())
    assert manifest["recipe"] == {
        "name": "standard",
        "hash": STANDARD.hash,
        "rules": STANDARD.rules,
    }
    assert (manifest["seed"], manifest["split"], manifest["format"]) == (4, 0.1, "csv")
    assert manifest["handles"]["b"]["kept"] == 50
    assert manifest["handles"]["b"]["train"] + manifest["handles"]["b"]["valid"] == 50
    assert manifest["source_files"] == ["tweets.js"]
    for name, told in manifest["files"].items():
        assert told["sha256"] == sha256((tmp_path / name).read_bytes()).hexdigest()
    json.dumps(result.to_json())


def test_weights_make_a_blend(tmp_path: Path) -> None:
    result = write(tmp_path / "set.jsonl", "jsonl", many(), weights={"a": 1, "b": 1}, seed=1)
    handles = [json.loads(line)["handle"] for line in result.path.read_text().splitlines()]
    assert handles.count("a") == 150
    assert 145 <= handles.count("b") <= 155
    assert handles != sorted(handles)


def test_a_blend_is_the_first_epoch_of_a_run(tmp_path: Path) -> None:
    weights = {"a": 1.0, "b": 5.0}
    result = write(tmp_path / "x", "jsonl", many(), weights=weights, seed=3)
    lines = result.path.read_text("utf-8").splitlines()
    kept = in_order(many(), "text").filter("kept")
    order = epoch_order(
        ["a", "b"],
        (kept["handle"] == "b").cast(pl.Int64).to_numpy(),
        (kept["text"].str.len_chars().cast(pl.Int64) + 1).to_numpy(),
        seed=3,
        epoch=0,
        weights=weights,
    )
    assert [json.loads(line)["tweet_id"] for line in lines] == kept["tweet_id"].gather(
        order
    ).to_list()


def test_hugging_face_folder(tmp_path: Path) -> None:
    out = tmp_path / "set"
    write(out, "hf", many(), split=0.1)
    result = write(out, "hf", many(), split=0.1)
    files = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
    assert files == [
        *("README.md", "data/train.parquet", "data/validation.parquet", "mynah.manifest.json")
    ]
    readme = (out / "README.md").read_text()
    assert readme.startswith("---\nconfigs:\n")
    assert "path: data/validation.parquet" in readme
    assert result.path == out
    assert json.loads(result.manifest.read_text())["card"]["name"] == "README.md"
    write(out, "hf", many(), split=0)
    assert not (out / "data" / "validation.parquet").exists()
    assert "validation" not in (out / "README.md").read_text()
    write(out, "hf", many())
    assert pl.read_parquet(out / "data" / "validation.parquet").height == 20, "its own default"
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    with pytest.raises(InputRefused, match="other files"):
        write(other, "hf", many())


LOADER = """
import sys
try:
    from datasets import load_dataset
except ImportError:
    print("absent")
    raise SystemExit
whole = load_dataset(sys.argv[1], cache_dir=sys.argv[2])
print({name: part.num_rows for name, part in whole.items()}, whole["train"].column_names)
for part in whole.values():
    assert all(isinstance(row["text"], str) and row["created_at"].tzinfo for row in part)
"""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "{'train': 180, 'validation': 20} ['tweet_id', 'handle', 'created_at', "),
        ({"split": 0}, "{'train': 200} ["),
        ({"what": "all"}, "'raw_text', 'kept', 'reason']"),
        ({"weights": {"a": 1, "b": 4}}, "'validation': 20} ["),
    ],
)  # fmt: skip
def test_the_loader_of_hugging_face_opens_it(
    tmp_path: Path, options: dict[str, object], said: str
) -> None:
    """With the real loader, where it is installed; in a folder that has no ``datasets`` of ours."""
    write(tmp_path / "set", "hf", many(), **options)
    done = subprocess.run(
        [sys.executable, "-c", LOADER, str(tmp_path / "set"), str(tmp_path / "cache")],
        cwd=tmp_path,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.stdout == "absent\n":
        pytest.skip("the package datasets is not installed")
    assert done.returncode == 0, done.stderr
    assert said in done.stdout


def test_chat_and_instruct(tmp_path: Path) -> None:
    write(tmp_path / "chat.jsonl", "chat")
    write(tmp_path / "instruct.jsonl", "instruct")
    chat, instruct = (
        [json.loads(line) for line in (tmp_path / name).read_text("utf-8").split("\n")[:-1]]
        for name in ("chat.jsonl", "instruct.jsonl")
    )
    texts = CURATED.filter("kept")["clean_text"].to_list()
    for text, conversation, pair in zip(texts, chat, instruct, strict=True):
        assert conversation == {
            "messages": [
                {"role": "system", "content": "You write in the voice of @someone."},
                {"role": "user", "content": "Write a tweet in the style of @someone."},
                {"role": "assistant", "content": text},
            ]
        }
        assert pair == {
            "prompt": "Write a tweet in the style of @someone.\n",
            "completion": text,
        }


def test_words_before_a_tweet_are_taken_as_they_are(tmp_path: Path) -> None:
    """Braces, quotes and backslashes are no pattern; only {handle} stands for something."""
    nasty = '{} {0} {handle} $1 \\n "quoted" {handle}'
    options = ExportOptions("chat", system="", instruction=nasty)
    export_batches([many(4).sort("handle")], tmp_path / "x", handles=["a", "b"], recipe=STANDARD,
                   options=options)  # fmt: skip
    lines = (tmp_path / "x").read_text().splitlines()
    asked = [json.loads(line)["messages"][0]["content"] for line in lines]
    assert asked == [nasty.replace("{handle}", handle) for handle in "aaab"]


def test_a_name_is_never_a_pattern(tmp_path: Path) -> None:
    for name in ("tw[1]*.parquet", "a=b.parquet", "%s {0}.csv"):
        result = write(tmp_path / name, "csv" if name.endswith("csv") else "parquet", many())
        assert result.path == tmp_path / name
        assert verify(result.manifest).ok


@pytest.mark.parametrize(
    "options",
    [
        {"format": "xml"},
        {"format": "txt", "what": "all"},
        {"format": "csv", "what": "some"},
        {"format": "csv", "what": "all", "split": 0.1},
        {"format": "csv", "weights": {"nobody": 1}},
        {"format": "csv", "split": 2.0},
        {"format": "chat", "what": "all"},
        {"format": "csv", "what": "all", "weights": {"someone": 1}},
    ],
)
def test_what_does_not_go_together(tmp_path: Path, options: dict[str, object]) -> None:
    with pytest.raises(WrongUsage):
        write(tmp_path / "x", **options)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("split", [None, 0, 0.1])
def test_what_would_be_replaced_is_what_is_written(tmp_path: Path, split: float | None) -> None:
    out = tmp_path / "x.csv"
    named = would_replace(out, ExportOptions("csv", split=split))
    write(out, "csv", split=split)
    assert sorted(named) == sorted(tmp_path.iterdir())


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="is a folder"):
        write(tmp_path, "csv")
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(InputRefused, match="is a pipe or a device"):
            write(tmp_path / "pipe", "csv")
    with pytest.raises(InputRefused, match="nothing to export"):
        write(tmp_path / "x.csv", "csv", curate(frame(["ok"]), STANDARD))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputRefused, match="cannot be written") as refused:
        write(tmp_path / "file" / "x.csv", "csv")
    assert "Errno" not in refused.value.why


@pytest.mark.parametrize("taken", ["x.valid.csv", "x.csv.manifest.json"])
def test_a_folder_where_a_file_belongs_changes_nothing(tmp_path: Path, taken: str) -> None:
    write(tmp_path / "x.csv", "csv", split=0.1)
    (tmp_path / taken).unlink()
    (tmp_path / taken).mkdir()
    before = {file.name: file.is_dir() or file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(InputRefused, match=f"{taken} is a folder"):
        write(tmp_path / "x.csv", "csv", split=0.2)
    after = {file.name: file.is_dir() or file.read_bytes() for file in tmp_path.iterdir()}
    assert after == before


@pytest.mark.parametrize("what", FORMATS)
def test_a_manifest_tells_only_the_options_that_its_format_heeds(what: str) -> None:
    told = ExportOptions(format=what).to_json()  # type: ignore[arg-type]
    assert ("system" in told) == (what == "chat")
    assert ("instruction" in told) == (what in ("chat", "instruct"))
    assert "purpose" not in told


def test_the_ends_of_what_may_be_held_out_and_weighed() -> None:
    for split, taken in ((None, None), (0, 0), (0.001, 0.001), (0.5, 0.5)):
        assert ExportOptions("csv", split=split).checked(["a"]).split == taken
    for split in (-0.001, 0.501, float("nan")):
        with pytest.raises(WrongUsage, match="cannot be held out"):
            ExportOptions("csv", split=split).checked(["a"])
    assert ExportOptions("hf").checked(["a"]).split == 0.1
    assert ExportOptions("hf", what="all").checked(["a"]).split is None
    for weight in (0.01, 1, 9.5):
        options = ExportOptions("csv", weights={"a": weight}).checked(["a"])
        assert options.weights == {"a": weight}
    with pytest.raises(WrongUsage, match="Leave the account out"):
        ExportOptions("csv", weights={"a": 0}).checked(["a"])
    for weight in (-1, float("inf"), float("nan")):
        with pytest.raises(WrongUsage) as refused:
            ExportOptions("csv", weights={"a": weight}).checked(["a"])
        assert "Leave the account out" not in str(refused.value)


def test_names_for_files() -> None:
    assert suggested_name(["c", "b", "a"], "csv") == "a-b-c.csv"
    assert suggested_name(["d", "c", "b", "a"], "jsonl") == "a-b-c-and-more.jsonl"
    assert suggested_name(["x" * 81], "txt") == "x" * 80 + ".txt"
    assert suggested_name([], "hf") == "tweets"


@pytest.mark.parametrize(
    ("rows", "size"),
    [
        (999, "n<1K"), (1_000, "1K<n<10K"), (9_999, "1K<n<10K"), (10_000, "10K<n<100K"),
        (99_999, "10K<n<100K"), (100_000, "100K<n<1M"), (999_999, "100K<n<1M"),
        (1_000_000, "1M<n<10M"), (9_999_999, "1M<n<10M"), (10_000_000, "10M<n<100M"),
    ],
)  # fmt: skip
def test_a_card_says_how_many_and_whose(rows: int, size: str) -> None:
    counts = {"downloaded": 3_020, "retweets": 1_001, "short": 12, "dropped": {"date": 2, "cap": 5},
              "kept": 2_000, "first": "2016-01-02T03:04:05+00:00", "last": None}  # fmt: skip
    files = {
        "data/train.parquet": {"part": "train", "rows": rows - 20},
        "data/validation.parquet": {"part": "valid", "rows": 20},
    }
    manifest = {"files": files, "recipe": {"name": "mine", "hash": "abc"}, "handles": {"a": counts},
                "mynah": "9.9", "split": 0.1, "seed": 7, "weights": {}}  # fmt: skip
    told = readme(manifest, pl.DataFrame(schema={"text": pl.String})).splitlines()
    assert told[told.index("size_categories:") + 1] == f"- {size}"
    assert "| `@a` | 3,020 | 1,001 | 12 | 7 | 2,000 | 2016-01-02 | - |" in told
    assert [line for line in told if line.startswith(("| train", "| validation"))] == [
        f"| train | {rows - 20:,} |",
        "| validation | 20 |",
    ]
    assert any(line.startswith(f"{rows:,} tweets, cleaned by mynah 9.9 with") for line in told)
    assert "drawn under the seed 7" in "\n".join(told)
    assert "one epoch of a blend" not in "\n".join(told)
