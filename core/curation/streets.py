"""Street addresses: a number and a street, in the order and the spelling of a few languages.

Found are 1600 Pennsylvania Avenue, 12 Elm St, P.O. Box 12 (English); Hauptstraße 12, Lange Str. 5
(German); Kerkstraat 12 (Dutch); 5 rue de la Paix (French); Calle Mayor 3, Rua Augusta 12,
Via Roma 7 (Spanish, Portuguese, Italian). Names must be capitalised, as they are in addresses; an
abbreviation must end the address (a comma, a direction, the end of the text), because "5 Great St"
may go on as "Patrick".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

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

SIGNS: Final = (
    *(f" {word}" for word in (*_ENGLISH, *_ENGLISH_SHORT, *_GERMAN, *_FRENCH)),
    *(f"{word} " for word in (*_ENDINGS, *_ROMANCE)),
    "Box ",
)
"""Words of which every address here has one, for finding the texts that are worth a look."""


def _any(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in words)


_NUMBER: Final = r"(?<![\w@#$€£¥%.,:/+-])[1-9][0-9]{0,4}[A-Za-z]?"
_LAST_NUMBER: Final = r"[1-9][0-9]{0,3}[A-Za-z]?(?![\w%€£¥$]|[.,:/-][0-9]| ?[%€£¥$])"
_CAPITAL: Final = r"[^\W\d_a-zß-öø-ÿ]"
_NAME: Final = rf"(?:{_CAPITAL}[\w'’-]{{1,30}}|{_CAPITAL}\.|[0-9]{{1,3}}(?:st|nd|rd|th))"
# Not addresses, though they look like them: Wall Street, Sesame Street, a 20 Minute Drive.
_NO_NAME: Final = r"(?!(?:Wall|Sesame|Fleet|Minutes?|Mins?|Hours?|Hrs?|Miles?|Days?|Years?|Lane)\b)"
_ADDRESS: Final = re.compile(
    rf"{_NUMBER} (?:(?:[NSEW]\.?|North|South|East|West) )?{_NO_NAME}(?:{_NAME} ){{1,3}}"
    rf"(?:(?:{_any(_ENGLISH)})\b|(?:{_any(_ENGLISH_SHORT)})\b\.?"
    r"(?=,|\s*\Z|\s+(?:[NS][EW]?|[EW]|Apt|Suite|Unit)\b))"
    rf"|\b(?:{_CAPITAL}[\w-]{{0,40}}(?:{_any(_ENDINGS)})"
    rf"|{_CAPITAL}[\w-]{{1,40}} (?:{_any(_GERMAN)})) {_LAST_NUMBER}"
    rf"|{_NUMBER}(?: ?(?:bis|ter))?,? (?:{_any(_FRENCH)}) "
    rf"(?:(?:de|du|des|la|le|les) |[ld]['’]){{0,3}}{_CAPITAL}[\w'’-]+(?: {_CAPITAL}[\w'’-]+){{0,2}}"
    rf"|(?<!\w)(?:{_any(_ROMANCE)}) (?:(?:de|del|de la|de los|da|do|dos|das|della|dei|degli) )?"
    rf"{_CAPITAL}[\w'’.-]+(?: (?:(?:de|del|da|do|della) )?{_CAPITAL}[\w'’.-]+){{0,2}},? "
    rf"(?:n[.º°] ?)?{_LAST_NUMBER}"
    r"|\bP\.? ?O\.? ?Box [0-9]{1,6}\b"
)


def find_streets(text: str) -> Iterator[tuple[int, int]]:
    """Where the street addresses of ``text`` begin and end."""
    for found in _ADDRESS.finditer(text):
        yield found.span()
