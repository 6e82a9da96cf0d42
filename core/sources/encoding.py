"""Names of encodings: those that ``--encoding`` takes, and how each is shown. Imports no Polars."""

from __future__ import annotations

import codecs
import difflib
from typing import Final

from core.errors import WrongUsage

# Names as Python's codecs have them. UTF-7, punycode and the like are no encodings of files.
_KNOWN: Final = (
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac-roman",
    *(f"cp{number}" for number in (1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258)),
    *(f"iso8859-{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)),
    "koi8-r", "koi8-u", "mac-cyrillic", "mac-greek", "mac-latin2", "cp437", "cp850", "cp852",
    "cp866", "cp874", "shift_jis", "cp932", "euc_jp", "gb18030", "gbk", "big5", "euc_kr", "cp949",
)  # fmt: skip
_TITLES: Final = {
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "mac-roman": "Mac Roman",
    "mac_roman": "Mac Roman",
    "mac-cyrillic": "Mac Cyrillic",
    "mac-greek": "Mac Greek",
    "mac-latin2": "Mac Latin 2",
    "iso8859-1": "Latin-1 (ISO 8859-1)",
    "shift_jis": "Shift JIS",
    "euc_jp": "EUC-JP",
    "euc_kr": "EUC-KR",
    "cp949": "Windows-949",
    "cp932": "Windows-932",
}
# names that people use and Python does not know
_ALSO: Final = {"macroman": "mac-roman", "ansi": "cp1252", "latin": "iso8859-1"}


def encoding_names() -> list[str]:
    """Every name for ``--encoding``, the usual ones first."""
    shown = {"cp1252": "windows-1252", "iso8859-1": "latin-1"}
    return [
        shown.get(name, name.replace("cp125", "windows-125").replace("iso8859", "iso-8859"))
        for name in _KNOWN
    ]


def read_encoding(given: str) -> str:
    """The codec's name for what a person wrote, in any of its spellings; raises WrongUsage."""
    wanted = "-".join(given.strip().lower().split())
    wanted = _ALSO.get(wanted.replace("-", "").replace("_", ""), wanted)
    try:
        name = codecs.lookup(wanted).name
    except (LookupError, ValueError, UnicodeError):
        name = ""
    name = {"utf-8-sig": "utf-8", "ascii": "utf-8"}.get(name, name)
    if name in _KNOWN:
        return name
    names = encoding_names()
    near = difflib.get_close_matches(wanted, [*names, *_KNOWN], n=1, cutoff=0.5)
    raise WrongUsage(
        f"There is no encoding {given.strip()!r} that mynah reads.",
        f"The nearest is {near[0]}." if near else f"The usual ones: {', '.join(names[:6])}.",
        "For example: --encoding windows-1252",
    )


def encoding_title(name: str) -> str:
    """A codec's name as it is shown: ``cp1252`` is Windows-1252."""
    if name in _TITLES:
        return _TITLES[name]
    if name.startswith("cp125"):
        return f"Windows-{name[2:]}"
    return name.upper().replace("ISO8859", "ISO 8859").replace("CP", "code page ")
