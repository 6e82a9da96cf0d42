"""Files of JSON lines that grow at their end: open this to read or to add lines of one."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

_MOST_DIGITS: Final = 40
_BEGINS_OBJECT: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{")


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


# json.loads would make one anew for each line
_DECODER: Final = json.JSONDecoder(parse_int=_whole_number)
_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")


def read_json_lines(
    path: Path, *, head: int = 0, tail: int | None = None
) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines; a last line without its end is not there yet.

    With ``tail``, of a file longer than twice as many bytes only the lines in the first ``head``
    and in the last ``tail`` bytes. A file that cannot be read has none.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            skip = tail is not None and size > 2 * tail
            for line in file:
                if skip and file.tell() > head:
                    file.seek(size - (tail or 0))
                    file.readline()  # the rest of a line that began in the middle
                    skip = False
                elif line.endswith(b"\n") and (record := parse_json_line(line)) is not None:
                    yield record
    except OSError:
        return


def parse_json_line(line: bytes) -> dict[str, Any] | None:
    """The object on a line; None for what a killed process may have left."""
    if not _BEGINS_OBJECT.match(line) or line.rstrip()[-1:] != b"}":
        return None  # not even to be tried: there may be millions
    try:
        content = parse_json(line)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def parse_json(content: bytes | str) -> Any:
    """What is written there, in UTF-8; raises ValueError, also for what is nested too deeply.

    A half of a surrogate pair, which could not be written again, is read as U+FFFD, and a whole
    number of more digits than any of ours as a float, infinite where it is too large for one.
    """
    text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
    try:
        found = _DECODER.decode(text)
        if "\\u" not in text:
            return found
        text = json.dumps(found, ensure_ascii=False)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not _HALF_PAIR.search(text):
        return found
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _DECODER.decode(whole)


def append_json_lines(
    path: Path, records: Iterable[Mapping[str, Any]], *, private: bool = False
) -> None:
    """Adds lines in one write, so that two processes never mix theirs, on lines of their own.

    Makes the folder where there is none. ``private``: only this user can read the file.
    """
    written = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    if not written:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    how = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, how, 0o600 if private else 0o666)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":  # a write was cut off there once
                written = b"\n" + written
        while written:  # a disk that is nearly full takes a part, and only then says why
            written = written[file.write(written) :]
