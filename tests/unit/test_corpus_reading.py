"""Who is in the corpus, and what is said of an account that is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.corpus.importing import import_path
from core.corpus.reading import tweets_at_hand
from core.corpus.store import Corpus
from core.errors import InputRefused
from core.home import Home
from tests.unit.cli import mynah

MANY = 1200


def corpus_of(folder: Path, handles: list[str]) -> Corpus:
    path = folder / "all.csv"
    lines = [f"{n},{who} has something to say about gulls,{who}" for n, who in enumerate(handles)]
    path.write_text("id,text,author\n" + "\n".join(lines) + "\n")
    corpus = Corpus(Home.at(folder / "home").corpus)
    import_path(corpus, path)
    return corpus


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return corpus_of(
        tmp_path_factory.mktemp("crowd"),
        ["harbour_gull", "harbor_gull", *(f"person{n:04}" for n in range(MANY - 2))],
    )


def refusal(corpus: Corpus, *handles: str) -> str:
    with pytest.raises(InputRefused) as refused:
        tweets_at_hand(corpus, handles)
    return str(refused.value)


def test_accounts_that_are_there_are_counted(crowd: Corpus) -> None:
    assert tweets_at_hand(crowd, ["person0007", "harbour_gull"]) == {
        "harbour_gull": 1,
        "person0007": 1,
    }


def test_an_unknown_account_is_answered_with_the_nearest_three(crowd: Corpus) -> None:
    message = refusal(crowd, "person0007", "harbourgull")
    assert message.startswith("There are no tweets of @harbourgull in the corpus.")
    assert f"It holds {MANY:,} accounts; spelled most alike: @harbour_gull, " in message
    assert "@harbour_gull, @harbor_gull" in message
    assert message.count("@") == 4, "the one that was asked for and three others"


def test_a_few_accounts_are_all_named(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, ["ann", "bob", "cleo"])
    assert "It holds: @ann, @bob, @cleo. `" in refusal(corpus, "dora"), "none is like it"
    assert "It holds: @ann, @bob, @cleo. Did you mean @cleo?" in refusal(corpus, "clea")
    assert "The corpus is empty." in refusal(Corpus(tmp_path / "none" / "tweets.duckdb"), "ann")


@pytest.mark.parametrize(
    "command",
    [
        ("stats",),
        ("profile",),
        ("compare", "standard", "classic"),
        ("export", "--format", "txt", "-o", "{}/out.txt"),
        ("curate", "-o", "{}/out"),
        ("train", "--base", "scratch"),
        ("forget",),
    ],
    ids=lambda command: str(command[0]),
)
def test_no_command_lists_everybody(
    crowd: Corpus,
    command: tuple[str, ...],
    tmp_path: Path,
) -> None:
    words = [word.format(tmp_path) for word in command]
    home = ("--home", str(crowd.path.parent))
    refused = mynah(*words, "@harbourgull", *home, code=3)
    assert "@harbourgull" in refused.err
    assert len(refused.err) < 500
    assert refused.err.count("@person") <= 1
