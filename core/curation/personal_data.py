"""Personal data in a text: e-mail addresses, phone, card and account numbers, street addresses.

Made to raise few false alarms rather than to find everything:

e-mail   name@site.tld, and name (at) site (dot) tld; not @name@server, which is a handle, and not
         image@2x.png
phone    written as people write them, and existing in a numbering plan (``phonenumbers``, a port
         of Google's libphonenumber); the shapes are narrow, because most runs of digits in tweets
         are dates, scores, prices and ids; free-call, premium and company numbers are nobody's own
card     15 or 16 digits, as printed on cards or in one piece, with the prefix of a card scheme and
         a right check digit (ISO/IEC 7812-1)
account  an IBAN with right check digits (ISO 13616)
street   a number and a street: 1600 Pennsylvania Avenue, 12 Elm St, P.O. Box 12 (English);
         Hauptstraße 12, Lange Str. 5 (German); Kerkstraat 12 (Dutch); 5 rue de la Paix (French);
         Calle Mayor 3, Rua Augusta 12, Via Roma 7 (Spanish, Portuguese, Italian). Names must be
         capitalised; an abbreviation must end the address (a comma, a direction, the end of the
         text), because "5 Great St" may go on as "Patrick"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import polars as pl

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
        texts.str.contains("[0-9]") & texts.str.contains_any(list(_STREET_SIGNS))
    )
    rows = worth.arg_true()
    found = [", ".join(personal_data(text)) or None for text in texts.gather(rows)]
    nothing = texts.clear(len(texts))
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


REGIONS: Final = (
    "GB FR DE NL BE CH AT SE IE AU NZ JP IN".split()
)  # countries whose own numbers begin with 0, in the order in which they are tried

# No part of a price, a share, a longer number, a name, a time or a sum stands before or after.
_PHONE_BEFORE: Final = r"(?<![\w@#$€£¥₹%.,:/=+−–-])(?<![$€£¥₹=] )"
_PHONE_AFTER: Final = r"(?![\w%€£¥$]|[.,:/–-]\d| ?[%€£¥$])"
_GAP: Final = r"[ \u00a0./-]"

_INTERNATIONAL: Final = re.compile(
    r"(?<![\w@#$€£¥%.,/=+-])(?:\+|(?<!\d )00)[1-9]\d{0,14}"
    rf"(?:(?:{_GAP}{{1,2}}|{_GAP}?\(\d{{1,5}}\){_GAP}?)\d{{1,12}}){{0,7}}{_PHONE_AFTER}",
    re.ASCII,
)
# 212-555-0123, (212) 555-0123, 1-212-555-0123
_NORTH_AMERICAN: Final = re.compile(
    rf"{_PHONE_BEFORE}(?:\+?1[ .-])?(?:\([2-9]\d{{2}}\) ?|[2-9]\d{{2}}[ .-])"
    rf"[2-9]\d{{2}}[ .-]\d{{4}}{_PHONE_AFTER}",
    re.ASCII,
)
# 06 12 34 56 78 as in France; 020 7946 0958, (0151) 234 5678, 030/901820, 0171-1234567 elsewhere.
# Digits in groups before or after make it a part of something longer.
_WITH_TRUNK_ZERO: Final = re.compile(
    rf"{_PHONE_BEFORE}(?<!\d )(?:0[1-9](?P<gap>[ .-])\d{{2}}(?:(?P=gap)\d{{2}}){{3}}"
    r"|(?:\(0\d{1,4}\) ?|0\d{1,5}(?:[ -]| ?/ ?))\d{2,8}(?:[ -]\d{2,6}){0,3})"
    rf"{_PHONE_AFTER}(?! \d)",
    re.ASCII,
)
_MOBILE: Final = re.compile(rf"{_PHONE_BEFORE}0[1-9]\d{{8,9}}{_PHONE_AFTER}", re.ASCII)
_CALLED: Final = re.compile(
    r"(?i:\b(?:call|text|tel|telephone|phone|cell|mobile|whatsapp|fax)\b[a-z ]{0,12}[:.]? ?)"
    rf"(?P<number>[2-9]\d{{9}}){_PHONE_AFTER}",
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


_ENGLISH: Final = "Street Avenue Boulevard Road Lane".split()
_ENGLISH_SHORT: Final = (
    "St Ave Blvd Rd Ln Dr Drive Ct Court Terrace Pkwy Parkway Hwy Highway".split()
)
_ENDINGS: Final = "straße strasse str. gasse allee straat laan gracht".split()
_GERMAN: Final = "Straße Strasse Str. Allee Gasse".split()
_FRENCH: Final = "rue avenue boulevard bd allée impasse quai chemin".split()
_ROMANCE: Final = (
    "Calle C/ Avenida Avda. Av. Paseo Plaza Rua Travessa Praça Via Viale Piazza Corso".split()
)

_STREET_SIGNS: Final = (
    *(f" {word}" for word in (*_ENGLISH, *_ENGLISH_SHORT, *_GERMAN, *_FRENCH)),
    *(f"{word} " for word in (*_ENDINGS, *_ROMANCE)),
    "Box ",
)
"""Words of which every address here has one, for finding the texts that are worth a look."""


def _one_of(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in words)


_HOUSE: Final = r"(?<![\w@#$€£¥%.,:/+-])[1-9][0-9]{0,4}[A-Za-z]?"
_LAST_HOUSE: Final = r"[1-9][0-9]{0,3}[A-Za-z]?(?![\w%€£¥$]|[.,:/-][0-9]| ?[%€£¥$])"
_CAPITAL: Final = r"[^\W\d_a-zß-öø-ÿ]"
_NAME: Final = rf"(?:{_CAPITAL}[\w'’-]{{1,30}}|{_CAPITAL}\.|[0-9]{{1,3}}(?:st|nd|rd|th))"
# Not addresses, though they look like them: Wall Street, Sesame Street, a 20 Minute Drive.
_NO_NAME: Final = r"(?!(?:Wall|Sesame|Fleet|Minutes?|Mins?|Hours?|Hrs?|Miles?|Days?|Years?|Lane)\b)"
_ADDRESS: Final = re.compile(
    rf"{_HOUSE} (?:(?:[NSEW]\.?|North|South|East|West) )?{_NO_NAME}(?:{_NAME} ){{1,3}}"
    rf"(?:(?:{_one_of(_ENGLISH)})\b|(?:{_one_of(_ENGLISH_SHORT)})\b\.?"
    r"(?=,|\s*\Z|\s+(?:[NS][EW]?|[EW]|Apt|Suite|Unit)\b))"
    rf"|\b(?:{_CAPITAL}[\w-]{{0,40}}(?:{_one_of(_ENDINGS)})"
    rf"|{_CAPITAL}[\w-]{{1,40}} (?:{_one_of(_GERMAN)})) {_LAST_HOUSE}"
    rf"|{_HOUSE}(?: ?(?:bis|ter))?,? (?:{_one_of(_FRENCH)}) "
    rf"(?:(?:de|du|des|la|le|les) |[ld]['’]){{0,3}}{_CAPITAL}[\w'’-]+(?: {_CAPITAL}[\w'’-]+){{0,2}}"
    rf"|(?<!\w)(?:{_one_of(_ROMANCE)}) (?:(?:de|del|de la|de los|da|do|dos|das|della|dei|degli) )?"
    rf"{_CAPITAL}[\w'’.-]+(?: (?:(?:de|del|da|do|della) )?{_CAPITAL}[\w'’.-]+){{0,2}},? "
    rf"(?:n[.º°] ?)?{_LAST_HOUSE}"
    r"|\bP\.? ?O\.? ?Box [0-9]{1,6}\b"
)


def find_streets(text: str) -> Iterator[tuple[int, int]]:
    """Where the street addresses of ``text`` begin and end."""
    for found in _ADDRESS.finditer(text):
        yield found.span()
