"""How rows become bytes, format by format. The same rows give the same bytes, however batched.

chat and instruct are for tuning larger models elsewhere, one JSON object a line:

    chat      {"messages": [{"role": "system", …}, {"role": "user", …}, {"role": "assistant", …}]}
              TRL: a conversational language-modelling set (``SFTTrainer`` applies the model's own
              chat template). axolotl: ``type: chat_template``, whose field is ``messages``.
    instruct  {"prompt": "…\\n", "completion": "…"}
              TRL: a prompt-completion set; it joins the two as they are, so the prompt ends in a
              line break. axolotl: ``type: {field_instruction: prompt, field_output: completion,
              format: "{instruction}"}``.

The user's turn (the prompt) of a reply are the words that it answers, where the corpus has them
(column answered); of any other tweet it is the instruction.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import polars as pl

from core.dataset.blend import SEPARATOR
from core.dataset.options import ExportOptions

PARQUET_ROWS: Final = 100_000  # rows in a row group
# What Excel, LibreOffice and Sheets may run as a formula (OWASP, "CSV Injection").
_FORMULA: Final = r"^'*[=+\-@\t\r]"

Encode = Callable[[pl.DataFrame, ExportOptions], bytes]


def txt(rows: pl.DataFrame, options: ExportOptions) -> bytes:
    """The texts with ``<|endoftext|>`` between them and one at each end, as huggingtweets had it.

    A tweet that spells the mark itself gets a space into it, or it would count as two tweets.
    """
    texts = rows["text"].str.replace_all(SEPARATOR, "<| endoftext |>", literal=True)
    return "".join(text + SEPARATOR for text in texts).encode("utf-8")


def jsonl(rows: pl.DataFrame, options: ExportOptions) -> bytes:
    """One JSON object a line, times as ISO 8601 in UTC."""
    return _ndjson(_with_iso_times(rows))


def csv(rows: pl.DataFrame, options: ExportOptions) -> bytes:
    """RFC 4180, UTF-8 without a byte-order mark, times as ISO 8601 in UTC."""
    shown = safe_for_spreadsheets(rows) if options.spreadsheet_safe else rows
    buffer = io.BytesIO()
    _with_iso_times(shown).write_csv(buffer, include_header=False)
    return buffer.getvalue()


def chat(rows: pl.DataFrame, options: ExportOptions) -> bytes:
    """One conversation a line: what is asked, and the tweet as the answer."""
    turns = [_turn("user", _asked(rows, options)), _turn("assistant", pl.col("text"))]
    if options.system:
        turns.insert(0, _turn("system", _about(options.system)))
    return _ndjson(rows.select(pl.concat_list(turns).alias("messages")))


def instruct(rows: pl.DataFrame, options: ExportOptions) -> bytes:
    """One prompt with its completion a line."""
    prompt = _asked(rows, options) + pl.lit("\n")
    return _ndjson(rows.select(prompt.alias("prompt"), pl.col("text").alias("completion")))


LINES: Final[dict[str, Encode]] = {
    "txt": txt,
    "jsonl": jsonl,
    "csv": csv,
    "chat": chat,
    "instruct": instruct,
}


def head(columns: Iterable[str], options: ExportOptions) -> bytes:
    """What stands before the first row."""
    if options.format == "txt":
        return SEPARATOR.encode()
    return (",".join(columns) + "\n").encode() if options.format == "csv" else b""


def write_lines(
    frames: Iterable[pl.DataFrame], path: Path, columns: Iterable[str], options: ExportOptions
) -> str:
    """Writes a format of lines; returns the file's sha256."""
    encode, digest = LINES[options.format], hashlib.sha256()
    with path.open("wb") as file:
        start = head(columns, options)
        digest.update(start)
        file.write(start)
        for frame in frames:
            content = encode(frame, options)
            digest.update(content)
            file.write(content)
    return digest.hexdigest()


def write_parquet(parts: list[Path], path: Path, empty: pl.DataFrame) -> None:
    """One zstd file of the rows in ``parts`` (Arrow IPC files), in row groups of PARQUET_ROWS.

    The bytes depend neither on where one part ends nor on the number of threads. ``empty`` has the
    columns, for when there are no rows.
    """
    found = pl.scan_ipc(parts, glob=False, hive_partitioning=False) if parts else empty.lazy()
    found.sink_parquet(path, compression="zstd", row_group_size=PARQUET_ROWS, maintain_order=True)


def safe_for_spreadsheets(rows: pl.DataFrame) -> pl.DataFrame:
    """An apostrophe before every cell that a spreadsheet would take for a formula."""
    texts = pl.col(pl.String)
    return rows.with_columns(
        pl.when(texts.str.contains(_FORMULA)).then(pl.lit("'") + texts).otherwise(texts).name.keep()
    )


def _ndjson(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_ndjson(buffer)
    return buffer.getvalue()


def _turn(role: str, content: pl.Expr) -> pl.Expr:
    return pl.struct(pl.lit(role).alias("role"), content.alias("content"))


def _asked(rows: pl.DataFrame, options: ExportOptions) -> pl.Expr:
    """The words answered, or the instruction."""
    instruction = _about(options.instruction)
    return pl.coalesce("answered", instruction) if "answered" in rows.columns else instruction


def _about(words: str) -> pl.Expr:
    """The words with each row's own handle in them."""
    before, *after = words.split("{handle}")
    joined = pl.lit(before)
    for rest in after:
        joined = joined + pl.col("handle") + pl.lit(rest)
    return joined


def _with_iso_times(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col("created_at").dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ"))
