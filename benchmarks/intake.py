"""Importing a CSV against DuckDB reading and inserting the same file by hand, in one run.

    python -m benchmarks.intake [--rows 500000] [--rounds 3] [--jsonl]

Every round is a process of its own, so that its peak memory is its own. Prints ratios, because
seconds depend on the machine and on who else uses it.

bare        CREATE TABLE AS SELECT * FROM read_csv(…, all_varchar): five columns of text
by hand     INSERT INTO the corpus' own table, with dates read and columns filled, nothing checked
mynah       import_path: encoding, quoting, handles, kinds, duplicates, all of it or nothing

--rows 5000000 is the large one: about a gigabyte of disk, minutes rather than seconds.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.curation import made_up

_BARE = """
connection = duckdb.connect(str(folder / "bare.duckdb"))
connection.execute("CREATE TABLE t AS SELECT * FROM " + READ, [str(file)]).fetchall()
connection.close()
"""
_BY_HAND = """
connection = duckdb.connect(str(folder / "hand.duckdb"))
connection.execute(bundled("sql", "schema.sql").read_text())
connection.execute(
    "INSERT INTO tweets BY NAME SELECT id AS tweet_id, lower(author) AS handle, "
    "created_at::TIMESTAMPTZ AS created_at, text, false AS text_escaped, CASE WHEN is_retweet = "
    "'True' THEN 'retweet' WHEN text LIKE '@%' THEN 'reply' ELSE 'original' END AS kind, 'public' "
    "AS audience, 'csv' AS source, 'a.csv' AS source_file, now() AS first_imported_at, "
    "now() AS last_imported_at, ['csv'] AS sources FROM " + READ, [str(file)]
).fetchall()
connection.close()
"""
_MYNAH = """
(*results,) = import_path(Corpus(folder / "home" / "tweets.duckdb"), file)
assert sum(result.new for result in results) == ROWS, results
"""
_FRAME = """
import json, resource, sys, time
from pathlib import Path
import duckdb, polars
import core.sources.delimited, core.sources.json_source, core.corpus.merge
from core.bundled import bundled
from core.corpus import Corpus, import_path
folder, file, ROWS, READ = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
start = time.perf_counter()
%s
seconds = time.perf_counter() - start
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def write(path: Path, rows: int, *, jsonl: bool) -> None:
    """A file of made-up tweets by fifty people."""
    rng = random.Random(2)
    texts = made_up(min(rows, 20_000))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        if not jsonl:
            writer.writerow(["id", "created_at", "author", "text", "is_retweet"])
        for n in range(rows):
            date = f"20{10 + n % 14}-{n % 12 + 1:02}-{n % 28 + 1:02}T12:00:{n % 60:02}Z"
            row = [str(10**18 + n * 4194304), date, f"user{n % 50}", rng.choice(texts), n % 5 == 0]
            if jsonl:
                names = ("id", "created_at", "author", "text", "is_retweet")
                item = dict(zip(names, row, strict=True))
                stream.write(json.dumps(item, ensure_ascii=False) + "\n")
            else:
                writer.writerow(row)


def once(code: str, file: Path, rows: int, read: str) -> tuple[float, float]:
    """Seconds and peak memory (MB) of one process."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        done = subprocess.run(
            [sys.executable, "-c", _FRAME % code, folder, str(file), str(rows), read],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return seconds, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jsonl", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mynah-intake-") as folder:
        file = Path(folder) / "a.csv"
        write(file, options.rows, jsonl=options.jsonl)
        print(f"{options.rows:,} rows, {file.stat().st_size / 1e6:,.0f} MB")
        read = (
            "read_json(?, format = 'newline_delimited', columns = {id: 'VARCHAR', created_at: "
            "'VARCHAR', author: 'VARCHAR', text: 'VARCHAR', is_retweet: 'VARCHAR'})"
            if options.jsonl
            else "read_csv(?, all_varchar = true)"
        )
        steps = {"bare": _BARE, "by hand": _BY_HAND, "mynah": _MYNAH}
        # in turns, so that whatever else the machine does meets all of them
        rounds = [
            {name: once(code, file, options.rows, read) for name, code in steps.items()}
            for _ in range(options.rounds)
        ]
    best = {name: min(r[name][0] for r in rounds) for name in steps}
    print(f"{'':10}{'seconds':>9}{'rows/s':>12}{'x bare':>8}{'x hand':>8}{'peak MB':>9}")
    for name, seconds in best.items():
        peak = max(r[name][1] for r in rounds)
        print(
            f"{name:10}{seconds:9.2f}{options.rows / seconds:12,.0f}{seconds / best['bare']:8.2f}"
            f"{seconds / best['by hand']:8.2f}{peak:9,.0f}"
        )


if __name__ == "__main__":
    main()
