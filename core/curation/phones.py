"""Phone numbers in a text: written as people write them, and existing in a numbering plan.

The shapes are narrow on purpose: most runs of digits in tweets are dates, scores, prices and ids.
``phonenumbers``, a port of Google's libphonenumber, then says whether such a number can exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

REGIONS: Final = (
    "GB FR DE NL BE CH AT SE IE AU NZ JP IN".split()
)  # countries whose own numbers begin with 0, in the order in which they are tried

# No part of a price, a share, a longer number, a name, a time or a sum stands before or after.
_BEFORE: Final = r"(?<![\w@#$€£¥₹%.,:/=+−–-])(?<![$€£¥₹=] )"
_AFTER: Final = r"(?![\w%€£¥$]|[.,:/–-]\d| ?[%€£¥$])"
_GAP: Final = r"[ \u00a0./-]"

_INTERNATIONAL: Final = re.compile(
    r"(?<![\w@#$€£¥%.,/=+-])(?:\+|(?<!\d )00)[1-9]\d{0,14}"
    rf"(?:(?:{_GAP}{{1,2}}|{_GAP}?\(\d{{1,5}}\){_GAP}?)\d{{1,12}}){{0,7}}{_AFTER}",
    re.ASCII,
)
# 212-555-0123, (212) 555-0123, 1-212-555-0123
_NORTH_AMERICAN: Final = re.compile(
    rf"{_BEFORE}(?:\+?1[ .-])?(?:\([2-9]\d{{2}}\) ?|[2-9]\d{{2}}[ .-])"
    rf"[2-9]\d{{2}}[ .-]\d{{4}}{_AFTER}",
    re.ASCII,
)
# 06 12 34 56 78 as in France; 020 7946 0958, (0151) 234 5678, 030/901820, 0171-1234567 elsewhere.
# Digits in groups before or after make it a part of something longer.
_WITH_TRUNK_ZERO: Final = re.compile(
    rf"{_BEFORE}(?<!\d )(?:0[1-9](?P<gap>[ .-])\d{{2}}(?:(?P=gap)\d{{2}}){{3}}"
    r"|(?:\(0\d{1,4}\) ?|0\d{1,5}(?:[ -]| ?/ ?))\d{2,8}(?:[ -]\d{2,6}){0,3})"
    rf"{_AFTER}(?! \d)",
    re.ASCII,
)
_MOBILE: Final = re.compile(rf"{_BEFORE}0[1-9]\d{{8,9}}{_AFTER}", re.ASCII)
_CALLED: Final = re.compile(
    r"(?i:\b(?:call|text|tel|telephone|phone|cell|mobile|whatsapp|fax)\b[a-z ]{0,12}[:.]? ?)"
    rf"(?P<number>[2-9]\d{{9}}){_AFTER}",
    re.ASCII,
)
_DATE: Final = re.compile(
    r"(?<!\d)(?:\d{1,2}([./ -])\d{1,2}\1(?:\d{4}|\d{2})|[12]\d{3}([./ -])\d{1,2}\2\d{1,2})(?!\d)",
    re.ASCII,
)


def find_phones(text: str) -> Iterator[tuple[int, int]]:
    """Where the phone numbers of ``text`` begin and end; two may overlap."""
    for found in _INTERNATIONAL.finditer(text):
        end = found.end()
        # What follows a number may be another one: take words away until one is left that exists.
        while end > found.start() + 7:
            if _exists("+" + text[found.start() : end].removeprefix("00").lstrip("+"), None):
                yield found.start(), end
                break
            end = max(text.rfind(gap, found.start(), end) for gap in " \u00a0./-")
    for found in _NORTH_AMERICAN.finditer(text):
        if _exists(found[0], "US"):
            yield found.span()
    for found in _WITH_TRUNK_ZERO.finditer(text):
        digits = sum(map(str.isdecimal, found[0]))
        dated = found["gap"] is None and _DATE.search(found[0])
        if 9 <= digits <= 12 and not dated and any(_exists(found[0], one) for one in REGIONS):
            yield found.span()
    for found in _MOBILE.finditer(text):
        if any(_exists(found[0], one, mobile=True) for one in REGIONS):
            yield found.span()
    for found in _CALLED.finditer(text):
        if _exists(found["number"], "US"):
            yield found.span("number")


def _exists(number: str, region: str | None, *, mobile: bool = False) -> bool:
    """Whether a person or a household may have this number; ``region`` is where it is dialled."""
    import phonenumbers
    from phonenumbers import PhoneNumberType as Type

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    kind = phonenumbers.number_type(parsed)  # UNKNOWN when it cannot exist
    if mobile:
        return kind == Type.MOBILE
    return kind in (
        Type.FIXED_LINE,
        Type.MOBILE,
        Type.FIXED_LINE_OR_MOBILE,
        Type.VOIP,
        Type.PERSONAL_NUMBER,
        Type.PAGER,
    )
