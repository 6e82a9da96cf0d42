"""Personal data in a text: e-mail addresses, phone, card and account numbers, street addresses.

Made to raise few false alarms rather than to find everything:

e-mail   name@site.tld, and name (at) site (dot) tld; not @name@server, which is a handle, and not
         image@2x.png
phone    see ``phones``; free-call, premium and company numbers are nobody's own and are left alone
card     15 or 16 digits, as printed on cards or in one piece, with the prefix of a card scheme and
         a right check digit (ISO/IEC 7812-1)
account  an IBAN with right check digits (ISO 13616)
street   see ``streets``
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import polars as pl

from core.curation.phones import find_phones
from core.curation.streets import SIGNS, find_streets

_MAIL: Final = re.compile(
    r"(?<![\w@.+%-])\w[\w.+%-]{0,63}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+"
    r"(?!(?:png|jpe?g|gif|svg|webp)\b)[^\W\d_]{2,24}(?![\w@-]|\.\w)"
    r"|(?<![\w@.+%-])\w[\w.+%-]{0,63} ?[(\[] ?at ?[)\]] ?"
    r"[\w-]+(?:(?: ?[(\[] ?dot ?[)\]] ?|\.)[\w-]+)+",
    re.IGNORECASE,
)
_CARD: Final = re.compile(
    r"(?<![\w.,@#$€£¥:/=+-])(?<!\d )"
    r"(?:\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}|3[47]\d{2}([ -]?)\d{6}\2\d{5})(?!\w|[.,:/-]\d| \d)",
    re.ASCII,
)
# Visa, Mastercard (its two ranges), American Express, Discover, JCB.
_SCHEME: Final = re.compile(
    r"4|5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|3[47]|6011|65|352[89]|35[3-8]"
)
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", re.ASCII)

# What a text must have to be worth a look.
_MAYBE: Final = (
    r"[\w%+-]@\w"  # e-mail
    r"|(?i:[(\[] ?at ?[)\]])"
    r"|[0-9](?:[ \x{a0}()./-]{0,3}[0-9]){6}"  # a number of seven digits or more
    r"|[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4}"  # IBAN
)


def find_personal(texts: pl.Series) -> pl.Series:
    """What was found in each text, with commas between; null where nothing was."""
    worth = texts.str.contains(_MAYBE) | (
        texts.str.contains("[0-9]") & texts.str.contains_any(list(SIGNS))
    )
    rows = worth.arg_true()
    found = [", ".join(personal_data(text)) or None for text in texts.gather(rows)]
    nothing = pl.Series("personal", [None], dtype=pl.String).new_from_index(0, len(texts))
    return nothing.scatter(rows, pl.Series(found, dtype=pl.String)) if found else nothing


def personal_data(text: str) -> list[str]:
    """The personal data of one text, as it stands there, in reading order."""
    spans: list[tuple[int, int]] = []
    for find in (_find_mails, _find_accounts, _find_cards, find_phones, find_streets):
        for start, end in find(text):
            if all(end <= other_start or other_end <= start for other_start, other_end in spans):
                spans.append((start, end))
    return [text[start:end] for start, end in sorted(spans)]


def _find_mails(text: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in _MAIL.finditer(text))


def _find_accounts(text: str) -> Iterator[tuple[int, int]]:
    for found in _IBAN.finditer(text):
        account = found[0].replace(" ", "")
        turned = account[4:] + account[:4]
        # Letters count as two digits, A as 10; the whole must leave 1 when divided by 97.
        if 15 <= len(account) <= 34 and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1:
            yield found.span()


def _find_cards(text: str) -> Iterator[tuple[int, int]]:
    for found in _CARD.finditer(text):
        digits = [int(c) for c in found[0] if c.isdecimal()]
        # Luhn: every second digit from the right counts double, its digits added up.
        doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
        if (
            _SCHEME.match("".join(map(str, digits)))
            and (sum(doubled) + sum(digits[::-2])) % 10 == 0
        ):
            yield found.span()
