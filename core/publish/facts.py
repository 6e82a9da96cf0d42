"""What a model card says of a run: from its record, its frozen dataset's manifest, its journal.

Nothing is read from the corpus, so that a card can be written when that is gone. No path, host
name, file name or account of this machine is among the facts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from core.dataset.manifest import RUN_NAME, BadManifest, count, read_manifest
from core.errors import InputRefused
from core.json_lines import read_json_lines
from core.runs.folder import Run, stale_reason
from core.runs.record import Result, RunRecord
from core.runs.tracked import all_tracked

if TYPE_CHECKING:
    import polars as pl

X_API: Final = "x-api"
_X_SOURCES: Final = frozenset({X_API, "x-archive"})
# Training tweets whose language is detected: evenly from all of them.
_MOST_TEXTS: Final = 2_000
# A language with a smaller share of the tweets is taken for an error of the detector.
_LEAST_SHARE: Final = 0.1


@dataclass(frozen=True)
class Account:
    """One author. The counts are None where the run does not have them any more.

    others      tweets that were dropped for another reason than retweet and short, by reason
    first, last days, ISO
    sources     names of formats, such as "x-archive"
    """

    handle: str
    name: str
    downloaded: int | None = None
    retweets: int | None = None
    short: int | None = None
    kept: int | None = None
    others: Mapping[str, int] = field(default_factory=dict)
    first: str = ""
    last: str = ""
    sources: Sequence[str] = ()

    @property
    def counted(self) -> bool:
        return None not in (self.downloaded, self.retweets, self.short, self.kept)

    @property
    def on_x(self) -> bool:
        """Whether the tweets came from X, so that the handle is an account there."""
        return bool(self.sources) and set(self.sources) <= _X_SOURCES


@dataclass(frozen=True)
class RunFacts:
    """A run as its card tells of it.

    accounts     in the order that they were given in
    languages    ISO 639 codes of the training tweets, the most frequent first
    energy_kwh   of the GPUs, from what their driver said; None where nothing was measured
    """

    run: Run
    record: RunRecord
    manifest: Mapping[str, Any]
    accounts: list[Account]
    languages: list[str]
    start: Mapping[str, Any]
    bits_per_byte: Mapping[str, float]
    energy_kwh: float | None

    @property
    def result(self) -> Result:
        return self.record.result or Result()

    @property
    def slug(self) -> str:
        """``a-b``: the accounts by name, as huggingtweets called its models."""
        return self.record.slug

    @property
    def one_line_tweets(self) -> bool:
        """Whether a line break ends a tweet of this model."""
        rules = (self.manifest.get("recipe") or {}).get("rules") or {}
        return bool(rules.get("line_breaks") != "keep")

    @property
    def from_the_x_api(self) -> bool:
        return any(X_API in account.sources for account in self.accounts)

    @property
    def stale(self) -> str | None:
        return stale_reason(self.run.folder)

    @property
    def tracker_links(self) -> list[tuple[str, str]]:
        """Trackers and their pages on the web; a folder of this machine is none."""
        links = []
        for tracked in all_tracked(self.run):
            parts = urlsplit(tracked.url)
            if parts.scheme == "https" and parts.hostname and "@" not in parts.netloc:
                links.append((tracked.to, parts._replace(query="", fragment="").geturl()))
        return links


def facts_of(run: Run) -> RunFacts:
    """Raises InputRefused when run.json is damaged, or the run has no model."""
    record = run.record()
    if not (run.model / "config.json").is_file():
        raise InputRefused(
            f"{run.id} has no model yet.", "", f"`mynah watch {run.id}` shows how it is."
        )
    if not record.handles:
        raise InputRefused(f"{run.id} does not say whose tweets it has learned from.")
    try:
        manifest, _ = read_manifest(run.dataset / RUN_NAME)
    except BadManifest:
        manifest = {}
    counted = manifest.get("handles")
    by_handle = counted if isinstance(counted, dict) else {}
    names = record.names if set(record.names) == set(record.handles) else {}
    accounts = [
        _account(handle, names.get(handle) or handle, by_handle.get(handle))
        for handle in names or record.handles
    ]
    start: dict[str, Any] = {}
    bits: dict[str, float] = {}
    powers: list[float] = []
    for line in read_json_lines(run.metrics):
        kind = line.get("kind")
        if kind == "start":
            start = line
        elif kind == "eval" and isinstance(value := line.get("bits_per_byte"), float):
            if math.isfinite(value):
                bits[str(line.get("phase"))] = value
        elif kind == "system":
            found = [line[name] for name in line if name.startswith("gpu") and "power" in name]
            if numbers := [value for value in found if isinstance(value, (int, float))]:
                powers.append(sum(numbers))
    seconds = record.result.seconds if record.result else None
    energy = None
    if powers and seconds and str(start.get("device", "")).startswith("cuda"):
        energy = sum(powers) / len(powers) * seconds / 3_600_000
    return RunFacts(run, record, manifest, accounts, _languages(run), start, bits, energy)


def _account(handle: str, name: str, counts: object) -> Account:
    if not isinstance(counts, dict):
        return Account(handle, name)
    dropped = counts.get("dropped")
    sources = counts.get("sources")
    numbers = {key: count(counts.get(key)) for key in ("downloaded", "retweets", "short", "kept")}
    others = {
        str(reason): number
        for reason, value in (dropped if isinstance(dropped, dict) else {}).items()
        if (number := count(value))
    }
    return Account(
        handle,
        name,
        **numbers,
        others=others,
        first=str(counts.get("first") or "")[:10],
        last=str(counts.get("last") or "")[:10],
        sources=[str(one) for one in sources] if isinstance(sources, list) else [],
    )


def _languages(run: Run) -> list[str]:
    """Empty where the training tweets are not there, or too short to tell."""
    from core.curation.language import tell_languages
    from core.dataset.frozen import TRAIN

    texts = some_texts(run, TRAIN, _MOST_TEXTS)
    codes = tell_languages(texts)["code"].drop_nulls().to_list()
    return [code for code, n in Counter(codes).most_common() if n >= _LEAST_SHARE * len(codes)]


def some_texts(run: Run, name: str, at_most: int) -> pl.Series:
    """Texts of the frozen file ``name``, evenly from all of it; empty where it cannot be read."""
    import polars as pl

    try:
        rows = pl.scan_parquet(run.dataset / name, glob=False, hive_partitioning=False)
        total = int(rows.select(pl.len()).collect().item())
        some = rows.select("text").gather_every(total // at_most + 1).collect()
        return some["text"].drop_nulls()
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return pl.Series("text", [], dtype=pl.String)
