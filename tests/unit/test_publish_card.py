"""The model card: its figures, its three layouts, names that would break it, its code."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import metadata_load
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.curation.recipe import load_recipe
from core.dataset.frozen import load_frozen
from core.dataset.manifest import sealed, text_of
from core.errors import InputRefused, WrongUsage
from core.home import Home
from core.models.load import load_model, load_tokenizer
from core.publish.card import NOWHERE_YET, Example, card_of
from core.publish.card_sections import table_rows
from core.publish.escaping import markdown_text
from core.publish.facts import Account, RunFacts, facts_of
from core.report.blind import BlindTest, Question
from core.runs.folder import Run
from core.runs.launch import create_run
from core.runs.settings import RunRequest, settings_for
from core.safe_text import printable
from core.sampling.voices import tuned_voice
from core.tracking.outgoing import Outgoing
from core.training.finish import save_model
from core.workflow.data import import_paths
from core.workflow.training import train
from tests.fixtures.x_archive import ACCOUNT, archive_files, as_zip, tweet
from tests.oracles.one_frame import curate
from tests.unit.cli import mynah
from tests.unit.sampling_models import parrot
from tests.unit.toy_runs import create_toy, edit_record, toy_tweets

# Of the cards that huggingtweets published: name, handle, downloaded, retweets, short, kept.
SEEDS = {
    "dril-kanyewest-ph4370n": (
        ("lexi", "ph4370n", 2679, 1274, 199, 1206),
        ("wint", "dril", 3226, 468, 319, 2439),
        ("ye", "kanyewest", 1856, 186, 573, 1097),
    ),
    "leaacta": (("lea ☀️", "leaacta", 3228, 464, 595, 2169),),
    "3thanguy7": (("ethan 🔥", "3thanguy7", 3147, 1790, 296, 1061),),
    "berniesanders-coffee__burger-sensanders": (
        ("coffee burger", "coffee__burger", 2471, 525, 337, 1609),
        ("Bernie Sanders", "berniesanders", 3249, 296, 5, 2948),
        ("Bernie Sanders", "sensanders", 3250, 429, 10, 2811),
    ),
    "tylerthecreator": (("Tyler, The Creator", "tylerthecreator", 3213, 452, 633, 2128),),
}
# As the JSON of a report has it.
MEASURES: dict[str, Any] = {
    "style": {
        "value": 0.71234, "n": 200, "interval": [0.65, 0.775], "group": "author", "unit": "share",
        "title": "· with the subject masked", "meaning": "It sounds like @keeper in 7 of 10.",
        "of": {
            "base": {"value": 0.04, "n": 200, "interval": None},
            "held_out": {"value": 0.9, "n": 60, "interval": [0.851, 0.94]},
            "impostors": {"value": None, "n": 0, "interval": None},
        },
    },
    "length": {"value": 9.0, "n": 200, "group": "look", "unit": "number", "of": {}},
}  # fmt: skip
LABELS = ("Tweets downloaded", "Retweets", "Short tweets", "Tweets kept")


def archive_of(path: Path, name: str, handle: str, retweets: int, short: int, kept: int) -> Path:
    """An archive with so many tweets of each kind; the words are nobody's."""
    texts = [f"RT @gull: the tide came in for the {n} time" for n in range(retweets)]
    texts += [f"@gull yes {n}" for n in range(short)]
    texts += [f"the lamp on the rock went out {n} times before breakfast" for n in range(kept)]
    start = sum(map(ord, handle)) * 1_000_000
    account = ACCOUNT | {"username": handle, "accountDisplayName": name, "accountId": str(start)}
    tweets = [tweet(start + n, text) for n, text in enumerate(texts)]
    return as_zip(path, {**archive_files(tweets, account=account)})


def with_model(run: Run) -> Run:
    """As much of a model as a card needs."""
    run.model.mkdir(exist_ok=True)
    (run.model / "config.json").write_text("{}")
    return run


def tables(card: str) -> list[list[list[str]]]:
    """The tables of a card as Hugging Face shows them: rows of cells of text."""
    found: list[list[list[str]]] = []
    tokens = MarkdownIt("commonmark").enable("table").parse(body(card))
    for token, following in pairwise(tokens):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in ("th_open", "td_open"):
            found[-1][-1].append("".join(child.content for child in following.children or []))
    return found


def body(card: str) -> str:
    return card.split("\n---\n", 1)[1]


def code_of(card: str) -> str:
    (found,) = re.findall(r"^```python\n(.*?)^```$", card, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def toy(tmp_path: Path) -> Run:
    return with_model(create_toy(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("slug", list(SEEDS))
def test_the_tables_of_the_cards_of_huggingtweets(slug: str, tmp_path: Path) -> None:
    home, seed = Home.at(tmp_path / "home"), SEEDS[slug]
    for name, handle, _, retweets, short, kept in seed:
        path = archive_of(tmp_path / f"{handle}.zip", name, handle, retweets, short, kept)
        import_paths(home, [path])
    handles = [handle for _, handle, *_ in seed]
    run = with_model(
        train(home, handles, recipe_name="classic", base="scratch", device="cpu", torchrun=True)
    )
    home.corpus.unlink()
    card = card_of(facts_of(run))
    assert f"`@{slug}`" in card
    table = tables(card)[0]
    wanted = [[label, *(str(row[2 + i]) for row in seed)] for i, label in enumerate(LABELS)]
    assert table[1:] == wanted
    if slug.startswith("bernie"):
        heads = ["coffee burger", "Bernie Sanders (@berniesanders)", "Bernie Sanders (@sensanders)"]
    else:
        heads = [name for name, *_ in seed] if len(seed) > 1 else ["Quantity"]
    assert table[0] == ["Data", *heads], "in the order given, and told apart"
    if len(seed) == 1:
        assert f"trained on [@{handles[0]}'s tweets](https://x.com/{handles[0]})." in card.replace(
            "\\_", "_"
        )
    else:
        assert f"trained on tweets from {' & '.join(row[0] for row in seed)}." in card
    in_html = card_of(facts_of(run), layout="html")
    cells = re.findall(r"<td[^>]*>(.*?)</td>", in_html)
    assert cells == [cell for row in wanted for cell in row]
    assert "## Intended uses & limitations\n\n### How to use\n" in in_html


def test_what_huggingtweets_lacked_is_in_it(toy: Run, tmp_path: Path) -> None:
    edit_record(
        toy,
        base_source="org/base",
        base_licence="mit",
        result={
            "state": "finished", "steps": 40, "tokens": 4096, "valid_loss_before": 4.5,
            "valid_loss_after": 3.25, "valid_tokens": 900, "seconds": 61.4,
            "memorised_train": 0.125, "memorised_held_out": 0.01, "device": "cpu (2 threads)",
        },
    )  # fmt: skip
    toy.metrics.write_text(
        json.dumps({"kind": "eval", "phase": "before", "bits_per_byte": 1.5})
        + "\n" + json.dumps({"kind": "eval", "phase": "after", "bits_per_byte": 1.25}) + "\n"
    )  # fmt: skip
    card = card_of(facts_of(toy), measures=MEASURES)
    path = tmp_path / "README.md"
    path.write_text(card, encoding="utf-8")
    front = metadata_load(path)
    assert front is not None
    assert front["library_name"] == "transformers"
    assert front["pipeline_tag"] == "text-generation"
    assert (front["base_model"], front["base_model_relation"]) == ("org/base", "finetune")
    assert {"language", "license", "tags", "widget"} <= set(front)
    (index,) = front["model-index"]
    values = [metric["value"] for one in index["results"] for metric in one["metrics"]]
    assert values == [3.25, 4.5, 1.25]
    _, procedure, measured = tables(card)
    told = dict(procedure[1:])
    assert (told["Steps"], told["Tokens learned from"], told["Seconds"]) == ("40", "4,096", "61")
    assert told["Hardware"] == "cpu (2 threads)"
    assert measured[1:] == [
        ["Held-out loss (nats per token)", "3.250", "the base: 4.500", "900 tokens"],
        ["Held-out bits per byte", "1.250", "the base: 1.500", "900 tokens"],
        [
            "with the subject masked (%)",
            "71.2 (65 to 77.5)",
            "base 4; the author's unseen tweets 90 (85.1 to 94)",
            "200",
        ],
    ]
    assert "\n- It sounds like @keeper in 7 of 10.\n" in card
    assert "No report was made" not in card
    assert "gave 12.5 % of" in card
    assert "The energy that it took was not measured." in card
    assert "2020-01-01" in card, "the span of the data"


def test_a_recipe_whose_rules_were_edited_is_called_changed(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    saved = load_recipe("standard", home)
    edited = saved.replace(min_words=1)
    asked = RunRequest(["keeper"], edited, settings_for("fast", "scratch", device="cpu"))
    run = with_model(create_run(home, asked, [curate(toy_tweets(), edited)]))
    assert f"The recipe `standard`, changed (`{edited.hash}`) decided" in card_of(facts_of(run))
    again = load_frozen(run.dataset).manifest.recipe
    assert (again.edited, again.hash) == (True, edited.hash), "and so of a run that goes on"
    assert Outgoing(run).preprocess_config()["recipe"] == "standard, changed"
    plain = with_model(create_toy(tmp_path))
    assert f"The recipe `standard` (`{saved.hash}`) decided" in card_of(facts_of(plain))
    assert not load_frozen(plain.dataset).manifest.recipe.edited
    assert "changed" not in facts_of(plain).manifest["recipe"]


def test_without_a_report_it_says_so(toy: Run) -> None:
    assert "No report was made of how well this model imitates" in card_of(facts_of(toy))


def test_what_people_could_tell_apart_is_in_it(toy: Run) -> None:
    assert "blind test" not in card_of(facts_of(toy))
    questions = [Question(str(at), "s", "real", "made", True) for at in range(4)]
    hashed = tuned_voice(toy).hash()
    for number in range(3):
        BlindTest(toy, "@nobody", 1, hashed, questions).answer(number, 1)
    assert "In one blind test, people were shown" in card_of(facts_of(toy))
    assert (
        "They picked the real one in 3 of 3 questions (guessing: half; "
        "95 % interval 44 % to 100 %): no better than chance." in card_of(facts_of(toy))
    )


def test_energy_only_where_it_was_measured(toy: Run) -> None:
    edit_record(toy, result={"state": "finished", "seconds": 3600.0})
    lines = [{"kind": "start", "device": "cuda (a GPU)"}]
    lines += [{"kind": "system", "gpu0_power": power, "cpu": 3.0} for power in (200.0, 300.0)]
    toy.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert facts_of(toy).energy_kwh == pytest.approx(0.25)
    assert "Energy: about 0.25 kWh, the mean power that the driver" in card_of(facts_of(toy))


def test_a_run_without_its_manifest_has_no_counts(toy: Run) -> None:
    (toy.dataset / "manifest.json").unlink()
    card = card_of(facts_of(toy))
    assert "is not kept with this run any more" in card
    assert "Tweets kept" not in card


def test_layouts_that_do_not_fit_and_runs_without_a_model(toy: Run) -> None:
    edit_record(toy, handles=["a", "b"], names={})
    with pytest.raises(WrongUsage, match="several or html"):
        card_of(facts_of(toy), layout="one")
    shutil.rmtree(toy.model)
    with pytest.raises(InputRefused, match="no model yet"):
        card_of(facts_of(toy))


def test_what_must_not_be_in_it(toy: Run) -> None:
    edit_record(
        toy,
        base="/home/somebody/models/mine",
        base_source="",
        note="call me at +44 20 7946 0958",
        machine="secret-host",
        reason="/home/somebody was full",
        result={"state": "finished", "model_dir": str(toy.model)},
    )
    tracking = toy.folder / "tracking"
    tracking.mkdir()
    links = {
        "wandb": "https://key:hunter2@wandb.ai/me/p/runs/1",
        "tensorboard": str(tracking),
    }
    for to, url in links.items():
        (tracking / f"{to}.json").write_text(json.dumps({"to": to, "url": url}))
    toy.samples.write_text(
        json.dumps({"kind": "sample", "step": 3, "text": "write to me@home.example today please"})
        + "\n" + json.dumps({"kind": "sample", "step": 3, "text": "a harmless new thought"}) + "\n"
    )  # fmt: skip
    card = card_of(facts_of(toy))
    for secret in ("somebody", "7946", "secret-host", "hunter2", "home.example", str(toy.folder)):
        assert secret not in card
    assert "The base model mine" in card
    assert "a harmless new thought" in card
    (tracking / "wandb.json").write_text(
        json.dumps({"to": "wandb", "url": "https://wandb.ai/me/p/runs/1"})
    )
    assert "<https://wandb.ai/me/p/runs/1>" in card_of(facts_of(toy))


BAD_NAMES = [
    "A | B", "<script>alert(1)</script>", "{{ slug }}{% raw %}", "line\nbreak\r\nand --- more",
    "---", "`code` *bold* _it_ [link](http://x.example) ![i](http://x.example)", "🤖🏳️‍🌈 é",
    "\u202egnirts\u2066", "a: b # c", "'\"\\", "&lt; &amp;", "# head", "| --- |", "$x$ ~~s~~",
    "www.x.example https://x.example :smile: @someone", "%YAML !!python/object", "\\|", "\x1b[31m",
]  # fmt: skip


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> RunFacts:
    return facts_of(with_model(create_toy(tmp_path_factory.mktemp("names"))))


def check_names(facts: RunFacts, names: list[str], path: Path) -> None:
    """The card of accounts with these names has its tables, its front matter and its text."""
    accounts = [
        Account(f"h{n}", name, 10, 2, 3, 5, first="2020-01-01", last="2021-01-01")
        for n, name in enumerate(names)
    ]
    some = replace(facts, accounts=accounts)
    shown = [" ".join(one.split()) for one in names]
    for layout in ("several" if len(names) > 1 else "one", "html"):
        card = card_of(
            some,
            layout=layout,
            examples=[Example(names[0], names[-1])],
            remarks=names,  # type: ignore[arg-type]
        )
        path.write_text(card, encoding="utf-8")
        front = metadata_load(path)
        assert front is not None
        assert front["library_name"] == "transformers"
        assert front["license"] == "other"
        found = tables(card)
        if layout != "html":
            assert len({len(row) for row in found[0]}) == 1
            assert [row[0] for row in found[0][1:]] == list(LABELS)
            if len(names) > 1 and len(set(names)) == len(names):
                assert found[0][0][1:] == [printable(one) for one in shown]
        heads = [line for line in body(card).splitlines() if line.startswith("## ")]
        assert len(heads) == (8 if layout == "html" else 9), heads
        assert "<script" not in body(card)
        assert "{{" not in body(card)
        assert code_of(card).startswith("from transformers")
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b]", card)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_would_break_a_card(facts: RunFacts, name: str, tmp_path: Path) -> None:
    check_names(facts, [name], tmp_path / "README.md")
    check_names(facts, [name, "plain", name + "2"], tmp_path / "README.md")


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=3))
def test_any_names(
    facts: RunFacts, tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    names = [name if name.strip() else "blank" for name in names]
    check_names(facts, names, tmp_path_factory.getbasetemp() / "any.md")


@pytest.mark.parametrize(
    "text", ["- crumbs", "+ more", "---", "-", "1. one", "2) two", "-5 degrees", "10.5 is a number"]
)
def test_a_text_that_begins_as_a_list_does_is_shown_as_it_is(text: str) -> None:
    shown = MarkdownIt("commonmark").render(f"> {markdown_text(text)}")
    assert shown == f"<blockquote>\n<p>{text}</p>\n</blockquote>\n"


def test_a_retweet_is_counted_once() -> None:
    accounts = [Account("a", "A", 9, 2, 1, 4, others={"duplicate": 2})]
    rows = table_rows(accounts)
    assert rows[0][1] == sum(int(row[1]) for row in rows[1:])


def test_the_code_of_a_card_gives_tweets(tmp_path: Path) -> None:
    """As it stands; only the path is filled in. A process of its own runs one from the hub."""
    run = with_model(create_toy(tmp_path))
    model, _ = load_model(parrot() / "model")
    tokenizer = load_tokenizer(parrot() / "model")
    separator = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    save_model(run.model, model, tokenizer, separator=separator, dtype=model.dtype)
    code = code_of(card_of(facts_of(run)))
    assert code.count(NOWHERE_YET) == 1
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(code.replace(NOWHERE_YET, str(run.model)), {"__name__": "__main__"})  # noqa: S102
    lines = out.getvalue().splitlines()
    assert len(lines) == 5
    assert all(line.startswith("My dream is") and len(line) <= 280 for line in lines), lines
    wanted = "My dream is a quiet Tuesday with a working kettle and nobody at the door."
    assert wanted in lines, lines


def test_the_command(toy: Run, tmp_path: Path) -> None:
    shown = mynah("card", "latest", home=tmp_path).text
    assert shown.startswith("---\n")
    path = tmp_path / "new" / "README.md"
    written = mynah("card", "latest", "-o", path, home=tmp_path)
    assert not written.out
    assert path.read_text(encoding="utf-8") == shown
    assert metadata_load(path)
    assert "<table" in mynah("card", toy.id, "--layout", "html", home=tmp_path).text
    assert "no run" in mynah("card", "nope", home=tmp_path, code=3).err


def test_a_run_of_version_0_1_0_has_a_card(toy: Run) -> None:
    old: dict[str, Any] = json.loads((toy.dataset / "manifest.json").read_text())
    old.pop("manifest_sha256")
    for name in ("purpose", "source_files", "split"):
        old.pop(name, None)
    (toy.dataset / "manifest.json").write_text(text_of(sealed(old)))
    record = json.loads(toy.record_file.read_text())
    for name in ("names", "weights", "expected_shares", "decisions", "versions"):
        record.pop(name, None)
    toy.record_file.write_text(json.dumps(record))
    assert "| Tweets kept | 60 |" in card_of(facts_of(toy))
