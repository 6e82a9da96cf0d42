"""The README of a folder for Hugging Face: what its loader needs to know, and its reader."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

_DTYPES: Final = {
    pl.String(): "string",
    pl.Boolean(): "bool",
    pl.Datetime("us", "UTC"): "timestamp[us, tz=UTC]",
}
_SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"),
                 (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M"))  # fmt: skip
_MEANT: Final = {
    "tweet_id": "the tweet's number, as text",
    "handle": "its author, lower case",
    "created_at": "when it was written (UTC)",
    "kind": "original, reply, quote, retweet or manual_retweet",
    "text": "its words, cleaned",
    "raw_text": "its words, as the source gave them",
    "kept": "whether the recipe keeps it",
    "reason": "why it does not",
}


def readme(manifest: dict[str, Any], empty: pl.DataFrame) -> str:
    """The card for what ``manifest`` tells of; ``empty`` has the columns.

    The settings at its top are those that ``datasets.load_dataset`` reads.
    """
    files = manifest["files"].values()
    rows = sum(file["rows"] for file in files)
    recipe, handles = manifest["recipe"], manifest["handles"]
    size = next((name for most, name in _SIZES if rows < most), "10M<n<100M")
    head = [
        "---",
        "configs:",
        "- config_name: default",
        "  data_files:",
        *(
            f"  - split: {split(file['part'])}\n    path: {name}"
            for name, file in manifest["files"].items()
        ),
        "dataset_info:",
        "  features:",
        *(f"  - name: {name}\n    dtype: {_DTYPES[dtype]}" for name, dtype in empty.schema.items()),
        "license: other",
        "license_name: the-authors-own",
        "pretty_name: Tweets of " + ", ".join(handles),
        "size_categories:",
        f"- {size}",
        "tags:",
        "- tweets",
        "- mynah",
        "task_categories:",
        "- text-generation",
        "---",
    ]
    rules = f"`{recipe['name']}`{', changed' if recipe.get('changed') else ''}"
    body = [
        "",
        "# Tweets of " + ", ".join(f"`@{handle}`" for handle in handles),
        "",
        f"{rows:,} tweets, cleaned by mynah {manifest['mynah']} with the recipe {rules} "
        f"(`{recipe['hash']}`). `mynah.manifest.json` holds the rules, the counts and the sha256 "
        "of each file; `mynah verify` checks them.",
        "",
        "```python",
        "from datasets import load_dataset",
        "",
        'tweets = load_dataset("path/to/this/folder")',
        "```",
        "",
        "| account | downloaded | retweets | short | other reasons | kept | first | last |",
        "|---|---:|---:|---:|---:|---:|---|---|",
        *(_row(handle, counts) for handle, counts in handles.items()),
        "",
        "| split | tweets |",
        "|---|---:|",
        *(f"| {split(file['part'])} | {file['rows']:,} |" for file in files),
        "",
        *_how(manifest),
        "## Columns",
        "",
        *(f"- `{name}`: {_MEANT[name]}" for name in empty.columns),
        "",
        "## Whose words these are",
        "",
        "The words are their authors', and no licence comes with them: ask before you share them, "
        "or what was made of them. A tweet that its author has deleted since should go from here "
        "too. What a model trained on them writes is not theirs, and should say so.",
        "",
    ]
    return "\n".join([*head, *body])


def split(part: str) -> str:
    """The name that Hugging Face has for a part."""
    return "validation" if part == "valid" else "train"


def _row(handle: str, counts: dict[str, Any]) -> str:
    others = sum(counts["dropped"].values())
    days = [(counts[end] or "-")[:10] for end in ("first", "last")]
    numbers = [counts["downloaded"], counts["retweets"], counts["short"], others, counts["kept"]]
    cells = [f"`@{handle}`", *(f"{number:,}" for number in numbers), *days]
    return "| " + " | ".join(cells) + " |"


def _how(manifest: dict[str, Any]) -> list[str]:
    lines = []
    if manifest["split"]:
        lines.append(
            f"The validation split was drawn under the seed {manifest['seed']}; threads and "
            "near copies lie on one side of it: no text in it is in the train split too."
        )
    if manifest["weights"]:
        shares = ", ".join(f"`@{name}` {weight:g}" for name, weight in manifest["weights"].items())
        lines.append(
            f"The train split is one epoch of a blend ({shares}): tweets of smaller accounts "
            "repeat."
        )
    return [*lines, ""] if lines else []
