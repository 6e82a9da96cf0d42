"""A run that learns answers: two accounts that talk, from their archives to an answer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import gguf
import polars as pl
import pytest

from core.dataset.frozen import FEWEST_ANSWERS, load_frozen
from core.dataset.verify import verify
from core.errors import InputRefused
from core.home import Home
from core.models.answering import Answering
from core.runs.folder import Run, all_runs
from core.safe_text import printable
from core.sampling.client import Sampler
from core.sampling.copies import CopyIndex
from core.sampling.engine import Engine
from core.sampling.learned import Learned
from core.sampling.request import Done, SampleRequest
from core.sampling.store import stored_samples
from core.training.data import IGNORE, predicted, tensors
from core.training.tweets import RunTweets
from core.workflow.training import train
from tests.unit import conversation
from tests.unit.cli import Ended, mynah
from tests.unit.conversation import sentence
from tests.unit.talking import ASKED, home_that_answers, said, talk


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_that_answers(tmp_path_factory)


@pytest.fixture
def home(talking: Path, tmp_path: Path) -> Path:
    shutil.copytree(talking, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def run(home: Path) -> Run:
    (found,) = all_runs(Home.at(home))
    return found


def frozen_only(home: Path, *handles: str) -> Run:
    """A run of which only the dataset is made."""
    return train(Home.at(home), handles, base="scratch", answers=True, torchrun=True)


def tweets_of(run: Run) -> RunTweets:
    settings = run.record().train_settings
    assert settings is not None
    return RunTweets(run, settings, run.model)


def test_the_dataset_holds_what_somebody_else_is_answered(run: Run) -> None:
    frozen = load_frozen(run.dataset)
    rows = pl.concat([frozen.train, frozen.valid]).sort("tweet_id")
    assert rows["handle"].unique().to_list() == ["tell"], "only the answers are learned"
    answers = rows.filter(pl.col("answered").is_not_null())
    assert answers.height == ASKED
    assert answers.row(0, named=True) | {"created_at": None} == {
        "handle": "tell", "tweet_id": "2000", "created_at": None,
        "text": said(2000),
        "answered": f"{said(0)}?", "answered_id": "1000",
        "answered_by": "ask",
    }  # fmt: skip
    others = rows.filter(pl.col("answered").is_null())["tweet_id"].to_list()
    assert {one[0] for one in others} == {"3", "4", "5"}, "threads and strangers stand alone"
    record = run.record()
    assert record.answering == Answering(
        learned=frozen.train["answered"].count(),
        held_out=frozen.valid["answered"].count(),
        tweets=rows.height,
    )
    assert record.answering.held_out > 0
    assert frozen.manifest.content["answered"] == ASKED
    assert verify(run.dataset).ok


def test_only_the_persons_own_words_count(run: Run) -> None:
    data = tweets_of(run)
    frozen = load_frozen(run.dataset).train
    at = frozen["answered"].is_not_null().arg_max()
    alone = frozen["answered"].is_null().arg_max()
    assert at is not None
    assert alone is not None
    answer, tweet = frozen.row(at, named=True), frozen.row(alone, named=True)

    def ids(text: str) -> list[int]:
        return list(data.tokenizer(text, add_special_tokens=False)["input_ids"])

    mark, asked, own = data.separator, ids(f"> {answer['answered']}\n"), ids(answer["text"])
    (row,) = data.train.rows[at]
    assert row == [mark, *(~one for one in asked), *own, mark]
    assert predicted(row) == data.train.tokens[at] == len(own) + 1
    assert data.train.rows[alone] == [[mark, *ids(tweet["text"]), mark]]
    assert data.train.bytes[at] == len(answer["text"].encode()) + 1

    inputs, targets = tensors([row, *data.train.rows[alone]], "cpu")
    read = inputs[0, : len(row) - 1].tolist()
    assert read == [mark, *asked, *own]
    assert targets[0, : len(row) - 1].tolist() == [IGNORE] * len(asked) + [*own, mark]
    assert set(targets[0, len(row) - 1 :].tolist()) <= {IGNORE}
    whole = data.train.rows[alone][0]
    assert inputs[1, : len(whole) - 1].tolist() == whole[:-1]
    assert targets[1, : len(whole) - 1].tolist() == whole[1:]


def test_sampling_asks_in_the_very_form_that_was_learned(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, frozen = tweets_of(run), load_frozen(run.dataset).train
    at = frozen["answered"].is_not_null().arg_max()
    assert at is not None
    learned = Learned.of(run.folder)
    engine = Engine.of(run.model, "cpu", answering=learned.answering)
    read: list[list[int]] = []
    begin = type(engine.loaded.decoder).prompt
    monkeypatch.setattr(
        type(engine.loaded.decoder),
        "prompt",
        lambda self, ids: read.append(ids) or begin(self, ids),
    )
    # as the person who asked had published it
    typed = f"@tell {frozen['answered'][at]} https://t.co/x1"
    request = learned.asked(SampleRequest(reply_to=typed, n=2, seed=3, max_tokens=6))
    first = [event.sample for event in engine.generate(request) if isinstance(event, Done)]
    (row,) = data.train.rows[at]
    own = data.train.tokens[at]
    assert read == [[one if one >= 0 else ~one for one in row[:-own]]]
    begun = learned.asked(SampleRequest(prompt="nobody", reply_to=typed, n=1, seed=3))
    list(engine.generate(begun))
    words = data.tokenizer("nobody", add_special_tokens=False)["input_ids"]
    assert read[1] == [*read[0], *words]
    assert all(one.reply_to == frozen["answered"][at] for one in first)
    assert all(one.reply_to not in one.text for one in first), "what is answered is no text"
    plain = SampleRequest(n=2, seed=3, max_tokens=6)
    list(engine.generate(plain))
    assert read[2] == [data.separator]


def test_an_answer_can_be_asked_for_stored_and_repeated(home: Path, run: Run) -> None:
    asked = ("sample", "latest", "--reply-to", "@tell how is the fog? https://t.co/y", "-n", "2")
    made = mynah(*asked, "--seed", "5", "--max-tokens", "8", "--json", home=home).json()
    assert [one["reply_to"] for one in made] == ["how is the fog?"] * 2
    again = mynah(*asked, "--seed", "5", "--max-tokens", "8", home=home).text
    assert "in answer to: how is the fog?" in again
    for one in made:
        assert printable(one["text"]) in again
    query = "SELECT id, reply_to FROM samples WHERE reply_to IS NOT NULL"
    first = mynah("sql", query, "--json", home=home).json()[0]
    assert first["reply_to"] == "how is the fog?"
    repeated = mynah("sample", "--repeat", first["id"], "--json", home=home).json()[0]
    assert (repeated["same"], repeated["reply_to"]) == (True, "how is the fog?")


def test_who_has_not_learned_to_answer_says_so(home: Path) -> None:
    # no model is loaded before that is known
    (run,) = all_runs(Home.at(home))
    record = json.loads(run.record_file.read_text())
    run.record_file.write_text(json.dumps(record | {"answering": None}))
    ended = mynah("sample", "latest", "--reply-to", "how is the fog?", home=home, code=3)
    assert "has not learned to answer" in ended.err
    assert "--answers" in ended.err


def test_a_tweet_without_words_cannot_be_answered(home: Path) -> None:
    ended = mynah("sample", "latest", "--reply-to", "@tell https://t.co/a", home=home, code=3)
    assert "Nothing is left of the tweet to answer." in ended.err


def refused(home: Path, *more: str) -> Ended:
    return mynah("train", "tell", "--base", "scratch", "--answers", *more, home=home, code=3)


def test_too_few_answers_are_refused_with_their_number(tmp_path: Path) -> None:
    few = FEWEST_ANSWERS - 1
    mynah("import", *talk(tmp_path, few), home=tmp_path / "home")
    ended = refused(tmp_path / "home")
    assert f"{few} of the {3 * few + 1} kept tweets answer a tweet of somebody else" in ended.err
    assert f"At least {FEWEST_ANSWERS} are needed" in ended.err
    assert all_runs(Home.at(tmp_path / "home")) == []


def test_an_archive_of_one_side_has_no_answers(tmp_path: Path) -> None:
    mynah("import", talk(tmp_path)[1], home=tmp_path / "home")
    assert "0 of the" in refused(tmp_path / "home").err


def test_the_number_is_said_before_it_learns(home: Path) -> None:
    ended = mynah("train", "tell", "--base", "scratch", "--answers", "--torchrun", home=home)
    said = f"{ASKED} of the {3 * ASKED + 1} kept tweets answer a tweet of somebody else"
    assert 0 <= ended.err.index(said) < ended.err.index("is ready")


@pytest.mark.parametrize("preset", ["classic", "faithful"])
def test_one_text_of_all_tweets_has_no_answers(home: Path, preset: str) -> None:
    ended = mynah("train", "tell", "--answers", "--preset", preset, home=home, code=2)
    assert f"The preset {preset} cannot learn answers." in ended.err


def test_what_is_left_out_is_neither_learned_nor_read(home: Path) -> None:
    mynah("exclude", "2000", home=home)
    mynah("exclude", "1001", home=home)
    frozen = load_frozen(frozen_only(home, "tell").dataset)
    rows = pl.concat([frozen.train, frozen.valid])
    assert "2000" not in rows["tweet_id"]
    assert "1001" not in rows["answered_id"].drop_nulls()
    assert rows.filter(tweet_id="2001")["answered"].to_list() == [None], "learned by itself"


def test_a_blend_holds_an_answer_out_with_what_it_answers(home: Path) -> None:
    frozen = load_frozen(frozen_only(home, "tell", "ask").dataset)
    sides = {
        tweet_id: side
        for side, frame in (("train", frozen.train), ("valid", frozen.valid))
        for tweet_id in frame["tweet_id"]
    }
    pairs = [
        (tweet_id, answered)
        for frame in (frozen.train, frozen.valid)
        for tweet_id, answered in frame.select("tweet_id", "answered_id").drop_nulls().rows()
    ]
    assert len(pairs) == ASKED
    assert all(sides[one] == sides[other] for one, other in pairs)
    assert {sides[one] for one, _ in pairs} == {"train", "valid"}


def test_who_forgets_a_tweet_that_was_answered_finds_the_run(home: Path, run: Run) -> None:
    ended = mynah("forget", "--tweet", "1003", "--yes", "--json", home=home).json()
    assert ended["runs"] == {run.id: 1}
    ended = mynah("forget", "ask", "--yes", "--json", home=home).json()
    assert ended["runs"] == {run.id: ASKED - 1}, "one has gone before"
    assert (run.folder / "stale.json").exists()


def test_the_copy_check_knows_the_persons_own_tweets_alone(run: Run) -> None:
    index = CopyIndex.from_parquet(run.dataset / "train.parquet")
    frozen = load_frozen(run.dataset).train.drop_nulls("answered")
    assert index.check(frozen["text"][0]).verdict == "verbatim"
    assert index.check(frozen["answered"][0]).verdict == "new", "somebody else's words"


def test_a_long_tweet_is_cut_so_that_the_answer_has_room() -> None:
    form = Answering(most_tokens=16)

    def letters(text: str) -> list[int]:
        return list(text.encode())

    ids = form.ids("a tweet that is much longer than sixteen letters", letters)
    assert bytes(ids).decode() == "> a tweet that\n"
    assert len(ids) <= 16
    assert bytes(form.ids("one\n two", letters)) == b"> one two\n"
    assert form.ids(" \n", letters) == []


def test_a_sampler_without_answers_refuses_before_it_loads(tmp_path: Path) -> None:
    sampler = Sampler(tmp_path)
    with pytest.raises(InputRefused, match="not learned to answer"):
        sampler.generate(SampleRequest(reply_to="how is the fog?"))
    assert sampler.pid is None


def test_the_model_folder_has_the_form_as_its_chat_template(run: Run) -> None:
    data, frozen = tweets_of(run), load_frozen(run.dataset).train
    at = frozen["answered"].is_not_null().arg_max()
    assert at is not None
    (row,) = data.train.rows[at]
    learned = [one if one >= 0 else ~one for one in row[: -data.train.tokens[at]]]
    typed = frozen["answered"][at].replace(" ", "\n", 1)
    asked = [{"role": "user", "content": typed}]
    made = data.tokenizer.apply_chat_template(asked, tokenize=True, return_dict=False)
    assert made == learned


def test_what_is_converted_and_the_card_know_the_form(home: Path, run: Run, tmp_path: Path) -> None:
    mynah("convert", run.id, "--to", "ollama", "-o", tmp_path / "ollama", home=home)
    assert 'TEMPLATE "{{ .Prompt }}"\n' in (tmp_path / "ollama" / "Modelfile").read_text()
    answers = (tmp_path / "ollama" / "Modelfile.answers").read_text()
    assert 'TEMPLATE "> {{ .Prompt }}\n"\n' in answers
    again = ("convert", run.id, "--to", "ollama", "-o", tmp_path / "ollama", "--force")
    mynah(*again, home=home)
    read = gguf.GGUFReader(next((tmp_path / "ollama").glob("*.gguf")))
    template = read.fields["tokenizer.chat_template"].contents()
    assert template == json.loads(json.dumps((run.model / "chat_template.jinja").read_text()))
    card = mynah("card", run.id, home=home).text
    record = run.record()
    assert record.answering is not None
    assert f"{record.answering.learned} of the training tweets answer a tweet of somebody" in card
    assert "other people's words" in card
    code = card.split("```python\n")[1].split("```")[0]
    assert "> {tweet}\\n" in code
    compile(code, "card", "exec")


def test_the_plain_mode_asks_for_a_tweet(home: Path, run: Run) -> None:
    told = sentence(conversation.talk(home, "5", "8", "how is the fog?", "b", "b"))
    assert "Which tweet should it answer?" in told
    assert "not written by a person" in told
    assert {one.sample.reply_to for one in stored_samples(run)} == {"how is the fog?"}


def test_the_plain_mode_learns_answers(home: Path) -> None:
    told = sentence(conversation.talk(home, "4", "10", "10", "b"))
    assert "10. Learn answers: no" in told
    assert f"in the corpus: {ASKED} tweets, before the recipe drops any." in told
    assert "Every tweet is learned by itself." in told
