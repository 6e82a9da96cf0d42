"""Personal data: what is found, and above all what is not taken for it."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curation.personal_data import find_personal, personal_data
from core.curation.recipe import load_recipe
from tests.oracles.frames import frame, hostile_texts
from tests.oracles.one_frame import curate


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mail me at jane.doe+x@example.co.uk.", "jane.doe+x@example.co.uk"),
        ("écris à élodie@exemple.fr!", "élodie@exemple.fr"),
        ("jane (at) example (dot) com", "jane (at) example (dot) com"),
        ("jane[at]example.com", "jane[at]example.com"),
        ("call +44 20 7946 0958 now", "+44 20 7946 0958"),
        ("+1 (212) 555-0123", "+1 (212) 555-0123"),
        ("+1-212-555-0123 2016", "+1-212-555-0123"),
        ("+49 (0)30 901820", "+49 (0)30 901820"),
        ("0049 30 901820", "0049 30 901820"),
        ("ring 212-555-0123 or (415) 867-5309", "212-555-0123, (415) 867-5309"),
        ("1-212-555-0123", "1-212-555-0123"),
        ("06 12 34 56 78", "06 12 34 56 78"),
        ("06.12.34.56.78", "06.12.34.56.78"),
        ("07911 123456", "07911 123456"),
        ("07911123456", "07911123456"),
        ("(0151) 234 5678", "(0151) 234 5678"),
        ("030/901820", "030/901820"),
        ("text 2125550123", "2125550123"),
        ("4111 1111 1111 1111", "4111 1111 1111 1111"),
        ("pay 4111111111111111", "4111111111111111"),
        ("3782 822463 10005", "3782 822463 10005"),
        ("GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 32"),
        ("NO9386011117947", "NO9386011117947"),
        ("CZ65 0800 0000 1920 0014 5399", "CZ65 0800 0000 1920 0014 5399"),
        ("NO64123456789012345678901234567890", "NO64123456789012345678901234567890"),
        ("+6837012 on the island", "+6837012"),
        ("01511 2345678", "01511 2345678"),
        ("DE89370400440532013000.", "DE89370400440532013000"),
        ("1600 Pennsylvania Avenue NW", "1600 Pennsylvania Avenue"),
        ("at 12 Elm St, Springfield", "12 Elm St"),
        ("221B Baker Street", "221B Baker Street"),
        ("350 5th Avenue", "350 5th Avenue"),
        ("Hauptstraße 12", "Hauptstraße 12"),
        ("Lange Str. 5a", "Lange Str. 5a"),
        ("Kerkstraat 12", "Kerkstraat 12"),
        ("12 bis rue d'Alésia", "12 bis rue d'Alésia"),
        ("Calle Mayor 3", "Calle Mayor 3"),
        ("Rua Augusta 1200", "Rua Augusta 1200"),
        ("Via Roma 7", "Via Roma 7"),
        ("P.O. Box 12", "P.O. Box 12"),
        ("a@b.org lives at 5 Oak Lane, call 06 12 34 56 78", "a@b.org, 5 Oak Lane, 06 12 34 56 78"),
    ],
)
def test_what_is_found(text: str, found: str) -> None:
    assert ", ".join(personal_data(text)) == found
    assert find_personal(pl.Series([text, "nothing here"])).to_list() == [found, None]


@pytest.mark.parametrize(
    "text",
    [
        *("2016-2020", "10/10", "1,000,000", "$5.99", "@user12345678", "100% 2016", "10:30-11:30"),
        *("@b@c.social hi", "logo@2x.png", "at 7 AM (at) home", "a @ b.c"),
        *("12.12.2016 - 14.12.2016", "2016-12-31 10:00:00", "01.02.2016 10", "01/02/2016 03/04/16"),
        *("1013558869728071685", "1483228800", "0-306-40615-2", "9780306406157", "0.123456789"),
        *("1 000 000 000", "192.168.100.100", "10.0.19041.1234", "51.5074, -0.1278", "007 1234567"),
        *("+100 000 000", "+1,000,000", "€ 0612345678", "#0612345678", "0612345678 €", "555-1234"),
        *("0-0 0-1 2-2 3-3", "2000 2001 2002 2003", "0 1 2 3 4 5 6 7 8 9 10", "3.14159265358979"),
        *("NO561234567890", "NO111234567890123456789012345678901"),  # too short, too long
        *("030 12345", "0664 123456789", "0301234567"),
        *("800-273-8255", "1-800-273-8255", "+44 800 1111"),  # free-call numbers are nobody's own
        *("4111 1111 1111 1112", "4111111111111112", "1234567812345670", "GB83WEST12345698765432"),
        *("5 Wall Street bankers", "20 Minute Drive", "10 Great St Patrick's days", "1st Street"),
        *("4th Avenue is nice", "50 Shades of Lane", "Apollo 11 Way", "the street", "12 streets"),
    ],
)
def test_what_is_not(text: str) -> None:
    assert personal_data(text) == []
    assert personal_data(f"so {text} it is") == []


def _grouped(number: int, gap: str) -> str:
    return f"{number:,}".replace(",", gap)


numbers = st.one_of(
    st.tuples(st.integers(1000, 2100), st.integers(1000, 2100)).map(
        lambda two: f"{two[0]}-{two[1]}"
    ),
    st.tuples(st.integers(0, 100), st.sampled_from("-/:"), st.integers(0, 100)).map(
        lambda score: f"{score[0]}{score[1]}{score[2]}"
    ),
    st.tuples(st.integers(0, 10**15), st.sampled_from(", ")).map(lambda it: _grouped(*it)),
    st.decimals(0, 10**7, places=2).map(lambda price: f"${price}"),
    st.integers(10**7, 10**9).map(lambda number: f"@user{number}"),
    st.integers(10**17, 2 * 10**18).map(str),  # tweet ids
    st.integers(10**9, 2 * 10**9).map(str),  # seconds since 1970
    st.tuples(
        st.integers(0, 40_000).map(lambda days: date(1930, 1, 1) + timedelta(days)),
        st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%y", "%Y%m%d", "%d %m %Y"]),
        st.sampled_from(["", " 10", " 23:59", " 2016", "-2020"]),
    ).map(lambda it: it[0].strftime(it[1]) + it[2]),
    st.tuples(*[st.integers(0, 255)] * 4).map(lambda four: ".".join(map(str, four))),
    st.floats(-180, 180).map(lambda degrees: f"{degrees:.6f}"),
    st.integers(0, 100).map(lambda share: f"{share} %"),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=3), st.sampled_from([", ", " and ", "; "]))
def test_numbers_of_other_kinds_raise_no_alarm(parts: list[str], gap: str) -> None:
    assert personal_data(f"we had {gap.join(parts)} then") == []


def _card(digits: str) -> str:
    """``digits`` with the check digit of ISO/IEC 7812-1, by adding until it fits."""
    for last in "0123456789":
        total = 0
        for place, digit in enumerate(reversed(digits + last)):
            value = int(digit) * (1 + place % 2)
            total += value - 9 if value > 9 else value
        if total % 10 == 0:
            return digits + last
    raise AssertionError


@settings(max_examples=50, deadline=None)
@given(st.integers(4 * 10**14, 5 * 10**14 - 1), st.sampled_from(["", " ", "-"]), st.integers(1, 9))
def test_cards_by_their_check_digit(number: int, gap: str, off: int) -> None:
    card = _card(str(number))
    wrong = card[:-1] + str((int(card[-1]) + off) % 10)

    def printed(digits: str) -> str:
        return gap.join(digits[start : start + 4] for start in range(0, 16, 4))

    assert personal_data(f"my card {printed(card)}!") == [printed(card)]
    assert personal_data(f"my card {printed(wrong)}!") == []


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(["DE", "FR", "NL"]), st.integers(10**17, 10**18 - 1), st.integers(1, 96))
def test_accounts_by_their_check_digits(country: str, number: int, off: int) -> None:
    letters = "".join(str(int(letter, 36)) for letter in country)
    check = 98 - int(f"{number}{letters}00") % 97
    assert personal_data(f"to {country}{check:02}{number} please") == [
        f"{country}{check:02}{number}"
    ]
    wrong = (check + off - 2) % 97 + 2  # the check digits go from 02 to 98
    if wrong != check:
        assert personal_data(f"to {country}{wrong:02}{number} please") == []


@settings(max_examples=50, deadline=None)
@given(
    st.from_regex(r"\A[a-z][a-z0-9._]{0,10}[a-z0-9]@[a-z][a-z0-9-]{0,8}[a-z0-9]\.(com|org|de)\Z")
)
def test_mail_addresses(address: str) -> None:
    assert personal_data(f"write to {address}, please") == [address]


@settings(max_examples=40, deadline=None)
@given(st.lists(hostile_texts, max_size=30))
def test_the_search_for_rows_misses_nothing_and_words_are_of_the_text(texts: list[str]) -> None:
    found = find_personal(pl.Series(texts, dtype=pl.String))
    for text, words in zip(texts, found, strict=True):
        each = personal_data(text)
        assert words == (", ".join(each) or None)
        assert all(part in text for part in each)


def test_long_hostile_runs_take_no_time() -> None:
    for run in ("9" * 20_000, "a." * 10_000, "A-" * 10_000, "0 1" * 7_000, "+1 (" * 5_000):
        assert personal_data(f"x@{run}") == []
        personal_data(f"5 {run} straße {run}@")


def test_flag_keeps_and_drop_drops() -> None:
    texts = ["write to me at jane@example.com", "nothing to see here", "jane@example.com"]
    standard = load_recipe("standard")
    flagged = curate(frame(texts), standard.replace(personal_data="flag"))
    assert flagged.select("kept", "reason", "trigger").rows() == [
        (True, None, "jane@example.com"),
        (True, None, None),
        (False, "short", "2 words, 3 needed"),
    ]
    dropped = curate(frame(texts), standard.replace(personal_data="drop"))
    assert dropped.select("reason", "trigger").rows() == [
        ("personal", "jane@example.com"),
        (None, None),
        ("personal", "jane@example.com"),
    ]
    kept = curate(frame(texts), standard)
    assert kept["trigger"].to_list() == [None, None, "2 words, 3 needed"]
