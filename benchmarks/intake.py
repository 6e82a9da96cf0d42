"""Importing a file against DuckDB reading and inserting the same file by hand, in one run.

    python -m benchmarks.intake [--rows 500000] [--rounds 3] [--formats csv,jsonl,...] [--command]

Every round is a process of its own, so that its peak memory is its own; they take turns, so that
whatever else the machine does meets all of them. Prints ratios, because seconds depend on the
machine.

read        CREATE TABLE AS SELECT * FROM the file: nothing but the columns that are wanted
by hand     INSERT INTO the corpus' own table, with dates and names read and every column filled
            that an import fills; nothing is checked, and nothing is merged
one of each the same, with one row for each tweet: the longest text
mynah       import_path: encoding, quoting, handles, kinds, duplicates, all of it or nothing
command     the whole `mynah import` with --command, start and curated view included

"x hand" is the measure: seconds of an import for each second by hand. DuckDB reads no archive of
X's: there, by hand means to unpack it, to cut off what is no JSON, and to read that.
--formats csv --rows 5000000 is the large one: some gigabytes of disk, minutes and not seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.intake_files import WRITERS


@dataclass(frozen=True)
class ByHand:
    """How DuckDB reads a file ($1 is its path), and what of it goes into which column."""

    read: str
    columns: str
    before: str = ""  # Python that makes ``path`` readable


_TEXTS = "columns = {id: 'VARCHAR', created_at: 'VARCHAR', author: 'VARCHAR', text: 'VARCHAR', "
_FLAT = ("id AS tweet_id, lower(author) AS handle, created_at::TIMESTAMPTZ AS created_at, text, "
         "false AS text_escaped, CASE WHEN is_retweet::BOOLEAN THEN 'retweet' WHEN text LIKE '@%' "
         "THEN 'reply' ELSE 'original' END AS kind, CASE WHEN text LIKE '@%' THEN "
         "lower(regexp_extract(text, '^@(\\w{1,20})', 1)) END AS reply_to")  # fmt: skip
_LINKS = "STRUCT(urls STRUCT(url VARCHAR, expanded_url VARCHAR)[])"
_CLASSIC = "strptime(created_at, '%a %b %d %H:%M:%S +0000 %Y')::TIMESTAMP AT TIME ZONE 'UTC'"
_LINES = "format = 'newline_delimited', columns = "
_HANDS = {
    "csv": ByHand("read_csv(?, all_varchar = true)", _FLAT),
    "jsonl": ByHand(f"read_json(?, format = 'newline_delimited', {_TEXTS}is_retweet: 'VARCHAR'}})",
                    _FLAT),
    "parquet": ByHand("read_parquet(?)", _FLAT),
    "twarc-v2": ByHand(
        f"read_json(?, {_LINES}{{id: 'VARCHAR', text: 'VARCHAR', created_at: 'VARCHAR', "
        "lang: 'VARCHAR', possibly_sensitive: 'BOOLEAN', author: 'STRUCT(username VARCHAR)', "
        "public_metrics: 'STRUCT(like_count BIGINT, retweet_count BIGINT)', referenced_tweets: "
        "'STRUCT(\"type\" VARCHAR)[]', in_reply_to_user: 'STRUCT(username VARCHAR)', entities: "
        f"'{_LINKS}'}})",
        "id AS tweet_id, lower(author.username) AS handle, created_at::TIMESTAMPTZ AS created_at, "
        "text, true AS text_escaped, CASE referenced_tweets[1].type WHEN 'retweeted' THEN "
        "'retweet' WHEN 'replied_to' THEN 'reply' WHEN 'quoted' THEN 'quote' ELSE 'original' END "
        "AS kind, lang, lower(in_reply_to_user.username) AS reply_to, "
        "to_json(entities.urls)::VARCHAR AS urls, possibly_sensitive AS sensitive, "
        "public_metrics.like_count AS favourites, public_metrics.retweet_count AS reposts",
    ),
    "twarc-v1": ByHand(
        f"read_json(?, {_LINES}{{id_str: 'VARCHAR', full_text: 'VARCHAR', created_at: 'VARCHAR', "
        "lang: 'VARCHAR', possibly_sensitive: 'BOOLEAN', \"user\": 'STRUCT(screen_name VARCHAR)', "
        "favorite_count: 'BIGINT', retweet_count: 'BIGINT', in_reply_to_screen_name: 'VARCHAR', "
        f"retweeted_status: 'STRUCT(id_str VARCHAR)', entities: '{_LINKS}'}})",
        f"id_str AS tweet_id, lower(\"user\".screen_name) AS handle, {_CLASSIC} AS created_at, "
        "full_text AS text, true AS text_escaped, CASE WHEN retweeted_status.id_str IS NOT NULL "
        "THEN 'retweet' WHEN in_reply_to_screen_name IS NOT NULL THEN 'reply' ELSE 'original' END "
        "AS kind, lang, lower(in_reply_to_screen_name) AS reply_to, "
        "to_json(entities.urls)::VARCHAR AS urls, possibly_sensitive AS sensitive, "
        "favorite_count AS favourites, retweet_count AS reposts",
    ),
    "snscrape": ByHand(
        f"read_json(?, {_LINES}{{id: 'VARCHAR', rawContent: 'VARCHAR', date: 'VARCHAR', "
        "lang: 'VARCHAR', \"user\": 'STRUCT(username VARCHAR)', likeCount: 'BIGINT', "
        "retweetCount: 'BIGINT', inReplyToUser: 'STRUCT(username VARCHAR)', "
        "links: 'STRUCT(tcourl VARCHAR, url VARCHAR)[]'})",
        "id AS tweet_id, lower(\"user\".username) AS handle, date::TIMESTAMPTZ AS created_at, "
        "rawContent AS text, false AS text_escaped, CASE WHEN rawContent LIKE 'RT @%' THEN "
        "'retweet' WHEN inReplyToUser.username IS NOT NULL THEN 'reply' ELSE 'original' END AS "
        "kind, lang, lower(inReplyToUser.username) AS reply_to, to_json(links)::VARCHAR AS urls, "
        "likeCount AS favourites, retweetCount AS reposts",
    ),
    "x-archive": ByHand(
        "read_json(?, format = 'array', maximum_object_size = 33554432, columns = {tweet: "
        "'STRUCT(id_str VARCHAR, full_text VARCHAR, created_at VARCHAR, lang VARCHAR, "
        "possibly_sensitive BOOLEAN, favorite_count BIGINT, retweet_count BIGINT, "
        f"in_reply_to_screen_name VARCHAR, entities {_LINKS})'}})",
        "tweet.id_str AS tweet_id, 'harbour_gull' AS handle, "
        f"{_CLASSIC.replace('created_at', 'tweet.created_at')} AS created_at, "
        "tweet.full_text AS text, true AS text_escaped, CASE WHEN tweet.full_text LIKE 'RT @%' "
        "THEN 'retweet' WHEN tweet.in_reply_to_screen_name IS NOT NULL THEN 'reply' ELSE "
        "'original' END AS kind, tweet.lang AS lang, lower(tweet.in_reply_to_screen_name) AS "
        "reply_to, to_json(tweet.entities.urls)::VARCHAR AS urls, tweet.possibly_sensitive AS "
        "sensitive, tweet.favorite_count AS favourites, tweet.retweet_count AS reposts",
        """
import zipfile
with zipfile.ZipFile(path) as archive:
    for name in archive.namelist():
        if name.startswith("data/tweets"):
            text = archive.read(name)
            (folder / (Path(name).name + ".json")).write_bytes(text[text.index(b"=") + 1:])
path = folder / "*.js.json"
""",
    ),
}  # fmt: skip

_FRAME = """
import json, resource, sys, time
from pathlib import Path
import duckdb, polars
import core.sources.tables, core.sources.json_source, core.sources.archives.x_archive
import core.corpus.merge
from core.home import bundled
from core.corpus.store import Corpus
from core.corpus.importing import import_path
folder, path, ROWS = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
start = time.perf_counter()
%s
seconds = time.perf_counter() - start
status = Path("/proc/self/status")  # its own peak; the other one may be the parent's
if status.exists():
    peak = int(status.read_text().split("VmHWM:")[1].split()[0])
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([seconds, peak / 1024]))
"""
_RUN = """
connection = duckdb.connect(str(folder / "hand.duckdb"))
connection.execute("SET enable_progress_bar = false; SET TimeZone = 'UTC'")
connection.execute(bundled("sql", "schema.sql").read_text())
connection.execute({!r}, [str(path)]).fetchall()
connection.close()
"""
_MYNAH = """
(*results,) = import_path(Corpus(folder / "home" / "tweets.duckdb"), path)
assert sum(result.new for result in results) == ROWS, results
"""
_INSERT = """
INSERT INTO tweets BY NAME SELECT {columns}, 'public' AS audience, '{name}' AS source,
'a' AS source_file, now() AS first_imported_at, now() AS last_imported_at, ['{name}'] AS sources
FROM {read}{end}
"""
_ONE = " QUALIFY row_number() OVER (PARTITION BY handle, tweet_id ORDER BY length(text) DESC) = 1"


def steps(name: str) -> dict[str, str]:
    """Python that is timed, by its name on the screen."""
    hand = _HANDS[name]
    insert = {"columns": hand.columns, "read": hand.read, "name": name}
    return {
        "read": hand.before + _RUN.format(f"CREATE TABLE t AS FROM {hand.read}"),
        "by hand": hand.before + _RUN.format(_INSERT.format(**insert, end="")),
        "one of each": hand.before + _RUN.format(_INSERT.format(**insert, end=_ONE)),
        "mynah": _MYNAH,
    }


def once(code: str, file: Path, rows: int) -> tuple[float, float]:
    """Seconds and peak memory (MB) of one process."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        done = subprocess.run(
            [sys.executable, "-c", _FRAME % code, folder, str(file), str(rows)],
            capture_output=True, text=True,
        )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr)
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return seconds, memory


_COMMAND = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run([sys.executable, "-m", "tui", "import", sys.argv[1], "--json"], check=True,
               stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - start
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024]))
"""


def command(file: Path) -> tuple[float, float]:
    """Seconds and peak memory (MB) of the whole command."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        done = subprocess.run(
            [sys.executable, "-c", _COMMAND, str(file)], env={**os.environ, "MYNAH_HOME": folder},
            capture_output=True, text=True,
        )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr)
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return seconds, memory


def measured(name: str, rows: int, rounds: int, whole: bool) -> Iterator[str]:
    """The table of one format, a line at a time."""
    with tempfile.TemporaryDirectory(prefix="mynah-intake-") as folder:
        file = Path(folder) / ("a.zip" if name == "x-archive" else f"a.{name}")
        WRITERS[name](file, rows)
        yield f"{name}: {rows:,} rows, {file.stat().st_size / 1e6:,.0f} MB"
        found: dict[str, list[tuple[float, float]]] = {}
        for _ in range(rounds):
            for step, code in steps(name).items():
                found.setdefault(step, []).append(once(code, file, rows))
        if whole:
            found["command"] = [command(file)]
    hand = min(seconds for seconds, _ in found["by hand"])
    one = min(seconds for seconds, _ in found["one of each"])
    yield f"  {'':12}{'seconds':>9}{'rows/s':>12}{'x hand':>8}{'x one of each':>15}{'peak MB':>9}"
    for step, runs in found.items():
        seconds, peak = min(runs)[0], max(memory for _, memory in runs)
        yield (
            f"  {step:12}{seconds:9.2f}{rows / seconds:12,.0f}{seconds / hand:8.2f}"
            f"{seconds / one:15.2f}{peak:9,.0f}"
        )
    ratios = ", ".join(
        f"{mine[0] / theirs[0]:.2f}"
        for mine, theirs in zip(found["mynah"], found["by hand"], strict=True)
    )
    yield f"  mynah x hand, round by round: {ratios}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--formats", default="csv,jsonl,parquet,twarc-v2,x-archive",
                        help=f"any of {','.join(WRITERS)}")  # fmt: skip
    parser.add_argument("--command", action="store_true", help="the whole command as well")
    options = parser.parse_args()
    for name in options.formats.split(","):
        if name not in WRITERS:
            parser.error(f"there is no format {name!r}")
        for line in measured(name, options.rows, options.rounds, options.command):
            print(line, flush=True)


if __name__ == "__main__":
    main()
