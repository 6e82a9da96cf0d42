"""Paths that are typed, pasted or dropped on a terminal, taken from the line that holds them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import unquote, urlsplit

from core.files import is_there
from core.home import expanded

_FILE_URL = re.compile(r"file://\S*")


def paths_in(text: str) -> list[Path]:
    """The paths in a pasted line; several when several files were dropped, none when it is empty.

    A line that is a path as it stands, spaces and all, is one path.
    """
    words = text.strip()
    if not words:
        return []
    one_path = _path(words)
    if is_there(one_path):
        return [one_path]
    if words.startswith("file://"):
        return [_path(url) for url in _FILE_URL.findall(words)]
    parts = _split(words)
    if len(parts) > 1 and not _is_marked(words) and not all(map(is_there, map(_path, parts))):
        return [one_path]  # a name with spaces that is not there (yet)
    return [_path(part) for part in parts]


def one_line(text: str) -> str:
    """Pasted lines, each a path, as one line that ``paths_in`` takes apart again."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        return lines[0] if lines else ""
    return " ".join(
        line if _is_marked(line) or line.startswith("file://") else _quoted(line) for line in lines
    )


def _quoted(path: str) -> str:
    """Always with quotes, which ``shlex.quote`` leaves out where a shell needs none."""
    return "'" + path.replace("'", "'\\''") + "'"


def _is_marked(words: str) -> bool:
    """Whether a terminal has quoted or escaped it."""
    return words[0] in "'\"" or "\\ " in words


def _split(words: str) -> list[str]:
    try:
        parts = shlex.split(words) or [words]
    except ValueError:  # an unfinished quote: take it as it stands
        return [words]
    if "\\" in words and not _is_marked(words) and not all(map(is_there, map(_path, parts))):
        return [words]  # a path of Windows
    return parts


def _path(words: str) -> Path:
    if words.startswith("file://"):
        words = unquote(urlsplit(words).path)
    return expanded(words)
