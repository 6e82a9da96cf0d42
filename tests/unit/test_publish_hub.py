"""Publishing to a hub on this machine, loading back from there, and taking it back."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest
from huggingface_hub import constants
from PIL import Image

from core.errors import InputRefused, ServiceRefused, WrongUsage
from core.home import Home
from core.models.load import load_model, load_tokenizer
from core.publish import scan
from core.publish.facts import facts_of
from core.publish.hub import preview_publication, publish, published_at, unpublish
from core.publish.published import Publication, publications, remember_publication
from core.report.last import last_measures
from core.report.stored import ReportModel, remember
from core.runs.folder import STALE_NOTE, Run
from core.training.finish import save_model
from tests.fakes.hub import KEY, USER, Hub, running
from tests.unit.cli import environment, mynah
from tests.unit.sampling_models import parrot
from tests.unit.test_publish_card import code_of
from tests.unit.toy_runs import create_toy, toy_tweets

PROPER = {"value": 0.0, "n": 60, "interval": [0.0, 0.06], "unit": "share", "group": "copying"}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    with running() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", KEY)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
        yield server
        assert not server.unknown, server.unknown


def made_run(home: Path) -> Run:
    """A run whose small model was looked at, with nothing found."""
    made = create_toy(home)
    model, _ = load_model(parrot() / "model")
    tokenizer = load_tokenizer(parrot() / "model")
    separator = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    save_model(made.model, model, tokenizer, separator=separator, dtype=model.dtype)
    reported(made)
    return made


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return made_run(tmp_path)


def reported(run: Run, texts: list[str] | None = None, **measures: Any) -> None:
    """As ``mynah report`` leaves it."""
    inputs = {"model": ReportModel.at("tuned", run.model).hash}
    found = {"verbatim": PROPER | {"of": {"held_out": {"value": 0.0}}}} | measures
    remember(run, "report", inputs, found)
    remember(run, "texts-tuned", inputs, texts or ["the lamp is lit again"])


@pytest.mark.slow
def test_publish_load_back_and_unpublish(hub: Hub, run: Run, tmp_path: Path) -> None:
    """Through the command, private by default; who loads it runs the code of its card."""
    more = {"HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "HF_TOKEN": KEY}
    told = mynah("publish", "latest", "--yes", "--json", home=tmp_path, **more)
    result = told.json()
    name = f"{USER}/keeper"
    assert result["url"] == f"{hub.url}/{name}"
    assert {"README.md", "config.json", "model.safetensors", "tokenizer.json"} <= set(
        result["files"]
    )
    assert "private: only you see it" in told.err
    assert KEY not in told.err + told.text
    there = hub.repos[name]
    assert there.private
    assert there.files["model.safetensors"] == (run.model / "model.safetensors").read_bytes()
    assert set(there.files) == set(result["files"]), "no tweet and nothing else went along"
    (kept,) = publications(run)
    assert (kept.repo, kept.revision, kept.public) == (name, there.head, False)
    code = code_of(there.files["README.md"].decode())
    assert f'MODEL = "{name}"' in code
    env = environment() | more | {"HF_HOME": str(tmp_path / "other"), "HF_HUB_DISABLE_XET": "1"}
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, timeout=180, env=env, check=False,
    )  # fmt: skip
    assert loaded.returncode == 0, loaded.stderr
    assert len(loaded.stdout.splitlines()) == 5
    assert all(line.startswith("My dream is") for line in loaded.stdout.splitlines())
    there.files["notes/of_mine.txt"] = b"added in the browser"
    gone = mynah("publish", "latest", "--unpublish", "--yes", home=tmp_path, **more)
    assert hub.url in gone.text
    assert "whole repository" in gone.err
    assert "Not by mynah, and deleted with it: notes/of_mine.txt." in " ".join(gone.err.split())
    assert not hub.repos
    assert not publications(run)
    mynah("publish", "latest", "--unpublish", "--yes", home=tmp_path, code=3, **more)


def test_nobody_is_asked_in_a_pipe(hub: Hub, run: Run, tmp_path: Path) -> None:
    more = {"HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "HF_TOKEN": KEY}
    ended = mynah("publish", "latest", home=tmp_path, code=2, **more)
    assert "model.safetensors" in ended.err, "what would leave is said all the same"
    assert "--yes" in ended.err
    assert not hub.repos


def test_public_only_when_said(hub: Hub, run: Run) -> None:
    publish(preview_publication(run, repo="bird", public=True))
    assert not hub.repos[f"{USER}/bird"].private
    with pytest.raises(InputRefused, match="public already"):
        preview_publication(run, repo="bird")
    hub.repos[f"{USER}/bird"].private = True
    publish(preview_publication(run, repo="bird", public=True))
    assert not hub.repos[f"{USER}/bird"].private, "what was private becomes public"


def test_a_second_time_makes_another_revision(hub: Hub, run: Run) -> None:
    first = publish(preview_publication(run))
    run.update_record(note="x")
    second = publish(preview_publication(run))
    there = hub.repos[f"{USER}/keeper"]
    assert there.commits == [first.revision, second.revision]
    assert [one.revision for one in publications(run)] == [second.revision]
    assert f"mynah run {run.id}" in there.titles


def test_an_upload_that_broke_off_goes_on(hub: Hub, run: Run) -> None:
    hub.refuse_storage = True
    preview = preview_publication(run)
    with pytest.raises(ServiceRefused, match="broke off"):
        publish(preview)
    assert not hub.repos[f"{USER}/keeper"].commits, "nothing half done can be seen"
    assert not publications(run)
    hub.refuse_storage = False
    publish(preview)
    sent = [one for one in hub.sent if "PUT /storage" in one]
    publish(preview_publication(run))
    assert [one for one in hub.sent if "PUT /storage" in one] == sent, "what is there is not sent"


def test_the_picture_of_a_text_in_the_card_goes_along(hub: Hub, run: Run) -> None:
    assert "sample.png" not in preview_publication(run).files, "it has written nothing yet"
    run.samples.write_text(json.dumps({"step": 3, "text": "the lamp hums to itself"}) + "\n")
    preview = preview_publication(run)
    publish(preview)
    there = hub.repos[f"{USER}/keeper"].files
    assert preview.files["sample.png"] == len(there["sample.png"])
    drawn = Image.open(io.BytesIO(there["sample.png"]))
    assert "AI-generated" in str(drawn.info)
    card = there["README.md"].decode()
    assert "> the lamp hums to itself" in card
    assert "](sample.png)" in card
    run.samples.write_text(json.dumps({"step": 3, "text": "a lamp hums, " * 100}) + "\n")
    assert "sample.png" not in preview_publication(run).files, "too long for a picture"


def test_nothing_of_an_earlier_model_stays(hub: Hub, run: Run) -> None:
    """Its picture says what this one never wrote, its form of answers would be used for this one.

    What the person has added stays.
    """
    run.samples.write_text(json.dumps({"step": 3, "text": "the lamp hums to itself"}) + "\n")
    (run.model / "chat_template.jinja").write_text("{{ messages }}")
    publish(preview_publication(run))
    there = hub.repos[f"{USER}/keeper"].files
    own = {"notes.md", "gguf/model.safetensors"}
    there.update(dict.fromkeys(own, b"added in the browser"))
    assert {"sample.png", "chat_template.jinja"} <= set(there)
    run.samples.unlink()
    (run.model / "chat_template.jinja").unlink()
    preview = preview_publication(run)
    publish(preview)
    assert set(there) == preview.files.keys() | own


def test_the_work_of_others_is_not_written_over(hub: Hub, run: Run) -> None:
    from tests.fakes.hub import Repo

    hub.repos[f"{USER}/keeper"] = Repo(private=True, files={"model.safetensors": b"x"})
    with pytest.raises(InputRefused, match="holds something else"):
        preview_publication(run)
    with pytest.raises(WrongUsage):
        preview_publication(run, repo="a/b/c")


def test_without_a_key_nothing_is_asked(
    hub: Hub, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(ServiceRefused, match="does not take this key"):
        preview_publication(run)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(ServiceRefused, match="logged in"):
        preview_publication(run)


def test_without_a_report_it_is_refused_unless_said_otherwise(hub: Hub, run: Run) -> None:
    (run.report / "report.json").unlink()
    preview = preview_publication(run)
    assert len(preview.reasons) == 1
    with pytest.raises(InputRefused, match="mynah report"):
        publish(preview)
    assert not hub.repos
    done = publish(preview, anyway=True)
    card = hub.repos[done.repo].files["README.md"].decode()
    assert "Published although: Nobody has measured what this model copies" in card.replace(
        "&#58;", ":"
    )
    assert done.despite == preview.reasons == publications(run)[0].despite


def reasons(run: Run, card: str = "") -> str:
    return " ".join(scan.reasons_against(facts_of(run), card, list(run.model.iterdir())))


def test_what_speaks_against_a_model(run: Run) -> None:
    assert not reasons(run)
    many = PROPER | {"value": 0.3, "interval": [0.2, 0.4]}
    reported(run, verbatim=many | {"of": {"held_out": {"value": 0.01}}})
    assert "30.0 % of its texts are training tweets word for word" in reasons(run)
    assert "at most 2 %" in reasons(run)
    reported(run, verbatim=many | {"of": {"held_out": {"value": 0.25}}})
    assert not reasons(run), "no more than the author repeats"
    reported(run, verbatim=PROPER | {"value": None})
    assert "too few texts" in reasons(run)
    reported(run, extracted=PROPER | {"value": 0.05})
    assert "5.0 % of the training tweets" in reasons(run)
    reported(run, ["call 212-555-0123 now", "write to me@home.example please"])
    assert "2 of 2 texts" in reasons(run)
    assert "home.example" not in reasons(run), "what was found is not told again"
    reported(run)
    (run.folder / STALE_NOTE).write_text(json.dumps({"handles": ["keeper"], "tweets": 3}))
    assert "forgotten since" in reasons(run)


def test_a_path_of_this_machine_does_not_go_out(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "anna"))
    config = run.model / "config.json"
    content = json.loads(config.read_text()) | {"_name_or_path": f"{tmp_path}/anna/models/x"}
    config.write_text(json.dumps(content))
    reported(run)
    assert "config.json names a folder of this machine" in reasons(run)
    assert "README.md names" in reasons(run, f"see {tmp_path}/anna/x")


def test_a_path_of_windows_does_not_go_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: PureWindowsPath(r"C:\Users\anna"))
    config = run.model / "config.json"
    content = json.loads(config.read_text())
    config.write_text(json.dumps(content | {"_name_or_path": r"C:\Users\anna\models\x"}))
    reported(run)
    assert r"config.json names a folder of this machine (C:\Users\anna)" in reasons(run)
    assert "README.md names" in reasons(run, r"see C:\Users\anna\x")
    config.write_text(json.dumps(content | {"_name_or_path": r"C:\Users\annabel\x"}))
    assert "names a folder" not in reasons(run)


def test_a_report_on_another_model_counts_for_nothing(run: Run) -> None:
    assert last_measures(run)
    config = json.loads((run.model / "config.json").read_text())
    (run.model / "config.json").write_text(json.dumps(config | {"changed": 1}))
    assert "Nobody has measured" in reasons(run)


def test_tweets_of_the_x_api_need_another_yes(hub: Hub, tmp_path: Path, run: Run) -> None:
    manifest = json.loads((run.dataset / "manifest.json").read_text())
    manifest["handles"]["keeper"]["sources"] = ["x-api"]
    (run.dataset / "manifest.json").write_text(json.dumps(manifest))
    preview = preview_publication(run)
    assert preview.x_terms
    with pytest.raises(InputRefused, match="terms"):
        publish(preview)
    done = publish(preview, x_terms_agreed=True)
    assert done.x_terms
    card = hub.repos[done.repo].files["README.md"].decode()
    assert "was shown the terms of X's API, and agreed" in card
    assert "came through the API of X" in card


def test_forgetting_marks_what_was_published(hub: Hub, tmp_path: Path) -> None:
    from core.corpus.store import Corpus
    from core.forgetting import forget
    from core.workflow.data import import_paths

    home = Home.at(tmp_path / "home")
    lines = "\n".join(json.dumps({"id": 10 + n, "text": row, "screen_name": "keeper"})
                      for n, row in enumerate(toy_tweets()["text"]))  # fmt: skip
    path = tmp_path / "keeper.jsonl"
    path.write_text(lines)
    import_paths(home, [path], handle="keeper")
    run = made_run(home.root)
    done = publish(preview_publication(run))
    gone = forget(Corpus(home.corpus), home, handles=["keeper"])
    assert gone.published == {run.id: [done.url]}
    with pytest.raises(InputRefused, match="forgotten since"):
        publish(preview_publication(run))
    without_owner = done.repo.rpartition("/")[2]  # as `publish` takes it
    unpublish(run, published_at(run, without_owner))
    assert not hub.repos


def test_no_other_server_is_asked(hub: Hub, run: Run) -> None:
    assert os.environ["HF_ENDPOINT"] == hub.url
    done = publish(preview_publication(run))
    os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"
    unpublish(run, done)
    assert not hub.repos, "it is deleted where it was published"


def test_a_run_that_was_deleted_while_it_went_out_is_not_made_again(tmp_path: Path) -> None:
    gone = Run(tmp_path / "gone")
    remember_publication(gone, Publication(to="hub", url="https://hub.test/me/ann"))
    assert not gone.folder.exists()
