"""Data in the plain mode: accounts, tweets, imports, forgetting."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import pytest

from core.corpus.excluded import excluded_tweets
from core.corpus.reading import tweet_counts
from core.corpus.store import Corpus
from tests.fakes.x_api import WALKER, FakeX
from tests.unit.cli import KEEPER, ROOT, home_with_samples, mynah
from tests.unit.conversation import sentence, talk

TRANSCRIPT = ROOT / "tests" / "fixtures" / "plain_transcript.txt"


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    own = tmp_path_factory.mktemp("plain") / "home"
    shutil.copytree(home_with_samples(tmp_path_factory), own)
    return own


def counts(home: Path) -> dict[str, int]:
    return tweet_counts(Corpus(home / "tweets.duckdb"))


def test_an_archive_is_shown_before_it_is_brought_in(tmp_path: Path) -> None:
    home = tmp_path / "home"
    before = talk(home, "1", "1", str(KEEPER), "no")
    assert "1. Data: no tweets yet." in before
    assert "@keeper_of_the_light, 987 tweets, 4 Mar 2016 to 31 Oct 2023." in sentence(before)
    assert "Left out: 4 deleted by their author." in sentence(before)
    assert "Nothing was brought in." in before
    assert not home.exists(), "who only looks leaves no trace"
    after = sentence(talk(home, "1", "1", str(KEEPER), "yes", "b", ""))
    assert "@keeper_of_the_light: 991 tweets read, 987 new." in after
    assert "1. Data: 1 account with 987 tweets. The recipe standard keeps 726." in after
    assert counts(home) == {"keeper_of_the_light": 987}


def test_a_file_that_names_nobody_asks_whose_it_is(tmp_path: Path) -> None:
    file, home = tmp_path / "some words.csv", tmp_path / "home"
    with file.open("w", newline="") as lines:
        csv.writer(lines).writerows([["text"], ["The fog came in."], ["\x1b[2J\u202eIt left."]])
    said = talk(home, "1", "1", str(file), "no name", "@Gull", "yes")
    assert "The file does not say whose tweets these are." in sentence(said)
    assert "␛[2J‹202E›It left." in said, "shown, and not obeyed"
    assert counts(home) == {"gull": 2}


def test_what_comes_in_beside_a_chosen_account_makes_no_blend(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in ("ann", "bob"):
        (tmp_path / f"{name}.csv").write_text(f"author,text\n{name},the sea is calm\n")
    files = [str(tmp_path / f"{name}.csv") for name in ("ann", "bob")]
    said = sentence(
        talk(home, "1", "1", files[0], "yes", "1", files[1], "yes", "1", files[1], "yes", "")
    )
    assert said.count("not chosen yet") == 1
    assert "@bob is here, and not chosen yet. Choose the accounts to work with, in Data," in said
    assert "3. Choose the accounts to work with: 1 of 2 chosen" in said
    assert "Chosen: @ann." in sentence(talk(home))
    assert counts(home) == {"ann": 1, "bob": 1}
    said = sentence(talk(home, "1", "9", "", "b", ""))
    assert "9. Bring in three invented authors, too" in said
    assert "@second_breakfast_club are here, and not chosen yet." in said
    assert "8. Forget an account Type a number from 1 to 8." in said, "they are all there"
    assert "Chosen: @ann." in said


def test_a_table_is_asked_which_column_is_which(tmp_path: Path) -> None:
    file, home = tmp_path / "odd.csv", tmp_path / "home"
    file.write_text("when,nick,body\n2020-01-02,ann,the sea is calm\n2020-02-03,ann,a gull\n")
    said = sentence(
        talk(home, "1", "1", str(file), "3", "columns", "3", "1", "2", "2", "", "columns", "2",
             "3", "", "2", "yes", "1", "3", "2", "2", "", "Yes")
    )  # fmt: skip
    assert "has no column of texts. Its first line reads: when, nick, body. Which column" in said
    assert "3. body, for example “the sea is calm”" in said
    assert "--map text" not in said
    assert "as in @nasa, or columns to say which column names it." in said
    assert "3. date: when, for example “2020-01-02”" in said
    assert "@ann, 2 tweets, 2 Jan 2020 to 3 Feb 2020." in said
    assert "body is no longer read as text: a column has one role." in said
    assert "Left out: 2 without a usable account name. Choose other columns?" in said
    assert "@ann: 2 tweets read, 2 new." in said
    assert counts(home) == {"ann": 2}


def test_a_file_without_any_columns_is_not_asked_about(tmp_path: Path) -> None:
    file = tmp_path / "empty.jsonl"
    file.write_text("{}\n{}\n")
    said = sentence(talk(tmp_path / "home", "1", "1", str(file), "b"))
    assert "Its first object has: nothing." in said
    # a long path before it may be broken anywhere
    assert "has no columns to choose. It holds no texts and no numbers." in said
    assert "from 1 to 0" not in said


def test_a_path_that_is_not_there_and_an_answer_that_is_none(tmp_path: Path) -> None:
    said = sentence(
        talk(tmp_path / "home", "1", "1", "nowhere.zip", "1", "~nobody-here/x", "7", "b", "one")
    )
    assert "There is nothing at nowhere.zip. Check the path." in said
    assert "There is nothing at ~nobody-here/x. Check the path." in said
    assert "7 is not a number from 1 to 2." in said
    assert "one is not a number from 1 to" in said


def test_accounts_are_listed_and_chosen(home: Path) -> None:
    said = sentence(
        talk(home, "1", "2", "3", "1,2", "3", "2 @keeper_of_the_light", "3", "nobody", "3", ",",
             "3", "1,200", "3", "1 4", "b", "")
    )  # fmt: skip
    assert "1. @keeper_of_the_light (The Keeper): 987 tweets, from 4 Mar 2016 to" in said
    assert "Chosen: @orbit_grandmother, @keeper_of_the_light." in said
    assert "There is no account nobody. The choice is as it was." in said
    assert "No account was named. The choice is as it was." in said
    for number in ("1,200", "4"):
        assert f"There is no number {number} in the list: it ends at 3." in said
    assert "Type spaces between the numbers." in said
    assert "Chosen: @keeper_of_the_light, @orbit_grandmother." in said
    assert "Chosen: @orbit_grandmother and @keeper_of_the_light." in said
    again = sentence(talk(home))
    assert "Chosen: @orbit_grandmother and @keeper_of_the_light." in again, "remembered"


def test_tweets_are_found_read_and_left_out(home: Path) -> None:
    said = talk(home, "1", "3", "1", "4", "fog", "2", "n", "p", "12", "2", "b", "6", "back 1")
    assert "28 tweets found." in said
    assert "These are 1 to 10 of 27." in said, "of those that are kept it is none any more"
    assert "Type back or b." not in said, "the list is over with its last tweet"
    assert "These are 11 to 20 of" in said
    assert "1 tweet left out of training." in said
    assert "1 tweet taken back: the recipe decides on it again." in sentence(said)
    assert excluded_tweets(Corpus(home / "tweets.duckdb")) == []
    assert "No tweet is left out of training." in talk(home, "1", "6")


def test_a_search_takes_conditions_and_an_order(home: Path) -> None:
    said = sentence(
        talk(home, "1", "3", "1", "4", "?", "fog until:2016", "", "sort oldest", "sort",
             "sort newest", "b", "4", "is:nothing", "")
    )  # fmt: skip
    assert "has:link means also media, hashtag, mention" in said
    first = [found[1] for found in re.finditer(r" 1\. (\d+ \w+ \d{4}),", said)]
    assert first == ["21 Oct 2016", "7 Mar 2016", "21 Oct 2016"]
    assert re.search(r"1\. 7 Mar 2016, (reply, )?(kept|dropped)", said)
    liked = sentence(talk(home, "1", "3", "1", "4", "fog", "2", "sort likes", "1", "1"))
    likes = [int(many) for many in re.findall(r"\d+\. \d+ \w+ \d{4}, (\d+) likes?, ", liked)]
    assert likes == sorted(likes, reverse=True)
    assert len(likes) == 10
    assert re.search(
        rf"What is known: .*{likes[0]} likes?, .*from tweets.js \(x-archive\)\.", liked
    )
    assert "No order was named. There are: newest, oldest, likes, longest." in said
    assert "is:nothing" in said


def test_the_profile_command_says_the_same(home: Path) -> None:
    said = mynah("profile", "keeper_of_the_light", "--sentences", home=home).text
    assert "The busiest month was June 2016, with 27 kept." in said


def test_a_conversation_reads_as_it_was_read_aloud(home: Path) -> None:
    """The transcript was read by a person; one that differs is to be read again."""
    said = talk(
        home, "?", "1", "2", "3", "1", "4", "fog", "2", "12", "", "b", "5", "b",
        "2", "2", "n", "15", "4", "b", "b",
        "3", "1", "SELECT kind, count(*) AS tweets FROM tweets", "GROUP BY ALL ORDER BY 2 DESC;",
        "1", "b", "b", "4", "", "b", "",
    )  # fmt: skip
    said = said[said.index("Home.") :]  # the line before has the version
    said = re.sub(r"(?m)^.* ctrl\+c stops\.\n", "", said)  # how far it is, on a slow machine
    said = re.sub(r"rows in [\d.]+ seconds", "rows in SOME seconds", said)
    said = re.sub(r"(?m)^(Tokens|1,024-token blocks): .*\n", "", said)  # which need a vocabulary
    said = re.sub(r"The base model: .*", "The base model: SOME", said)
    # which is of this machine
    said = re.sub(r"(?m)^The preset fast learns all of it .*\n|^How long learning .*\n", "", said)
    assert said == TRANSCRIPT.read_text(encoding="utf-8")


def test_what_the_tweets_are_like_is_said_in_sentences(home: Path) -> None:
    said = sentence(talk(home, "1", "3", "1", "5"))
    assert "The tweets are from March 2016 to October 2023. Kept by year: 126 in 2016," in said
    assert "The busiest month was June 2016, with 27 kept." in said
    assert "The commonest words: lamp (61)," in said


def test_an_account_is_forgotten_after_a_yes_only(home: Path) -> None:
    kept = sentence(talk(home, "1", "8", "1", "no"))
    assert "Forgetting @keeper_of_the_light deletes 987 tweets from the corpus" in kept
    assert "Nothing was forgotten." in kept
    assert len(counts(home)) == 3
    gone = sentence(talk(home, "1", "3", "1", "8", "1", "yes"))  # chosen alone, then forgotten
    assert "Forgot @keeper_of_the_light: 987 tweets." in gone
    assert "No chosen account is left, so all the others are chosen now." in gone
    assert len(counts(home)) == 2


def test_the_last_tweet_is_not_shown_when_it_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text("id,text,date\n1,The fog is in,2024-01-01\n")
    said = sentence(
        talk(tmp_path / "home", "1", "1", str(file), "me", "yes", "4", "", "1", "1", "3", "yes", "")
    )
    forgotten = said[said.index("Forgot the tweet 1: 1 tweet.") :]
    assert "The fog is in" not in forgotten
    assert "1. Add tweets" in forgotten, "the list is left"


def test_imports_are_listed(home: Path) -> None:
    said = sentence(talk(home, "1", "7", "1"))
    assert "keeper_of_the_light.zip" in said
    assert "deleted by their author" in said


def test_a_fetch_says_why_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = "Fetching the account again goes on from there."
    with FakeX() as fake:
        monkeypatch.setenv("MYNAH_X_TOKEN", fake.token)
        monkeypatch.setenv("MYNAH_X_API_URL", fake.url)
        home = tmp_path / "home"
        said = sentence(
            talk(home, "1", "1", f"@{WALKER}", "0.1", "yes", "1", "@nobody_at_all", "", "yes")
        )
    assert f"18 new of 18 posts for $0.100. No more fits into that budget. {goes_on}" in said
    assert "@nobody_at_all: 0 new of 0 posts for $0.000. Data: a number" in said


def test_an_account_of_x_says_what_it_costs_and_what_is_missing(tmp_path: Path) -> None:
    said = sentence(talk(tmp_path / "home", "1", "1", "@nasa"))
    assert "No X API token" in said
    assert "at most $" in said
