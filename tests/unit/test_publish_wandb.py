"""A run's model and card as an artifact of a W&B server on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import InputRefused
from core.home import Home
from core.publish.published import publications
from core.publish.wandb import preview_wandb, publish_to_wandb
from core.runs.folder import Run
from tests.fakes.wandb_api import KEY, WandbServer, wandb_server
from tests.unit.cli import mynah
from tests.unit.test_publish_hub import made_run, reported
from tests.unit.toy_runs import edit_record


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[WandbServer]:
    with wandb_server() as made:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("WANDB_BASE_URL", made.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        yield made
        assert not made.unknown


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = made_run(tmp_path)
    edit_record(made, state="finished", pid=None)
    made.metrics.write_text(json.dumps({"kind": "end", "time": 1.0, "state": "finished"}) + "\n")
    return made


@pytest.mark.slow
def test_the_artifact_has_the_model_and_its_card(server: WandbServer, run: Run) -> None:
    home = Home.at(run.folder.parents[1])
    preview, asked = preview_wandb(home, run)
    done = publish_to_wandb(preview, asked)
    artifact = server.artifact("keeper")
    assert artifact.type == "finetuned-model"
    assert artifact.files["model.safetensors"] == (run.model / "model.safetensors").read_bytes()
    card = artifact.files["README.md"].decode()
    assert card.startswith("---\n")
    assert "# 🤖 AI bot of The Keeper" in card
    (kept,) = publications(run)
    assert (kept.to, kept.url) == ("wandb", done.url)


def test_it_is_refused_for_the_same_reasons(server: WandbServer, run: Run, tmp_path: Path) -> None:
    reported(run, ["write to me@home.example please"])
    preview, asked = preview_wandb(Home.at(tmp_path), run)
    with pytest.raises(InputRefused, match="1 of 1 texts"):
        publish_to_wandb(preview, asked)
    assert not server.artifacts
    told = mynah("publish", "latest", "--to", "wandb", "--public", home=tmp_path, code=2)
    assert "for the hub" in told.err
