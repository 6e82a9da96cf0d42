"""The preset faithful is the training of huggingtweets: held against a Trainer of transformers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from toy_runs import StopAfter, create_toy, lines_of, toy_tweets, train_here
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback, TrainingArguments

from core.models.scratch import train_tokenizer
from core.runs.folder import Run
from core.runs.settings import NOTHING_HELD_OUT
from core.runs.summary import run_result
from core.training.fit import step_seed
from core.training.tweets import RunTweets
from tests.unit.cli import HANDLES, home_with_samples, mynah

BLOCK = 64
SEED = 3


@pytest.fixture(scope="module")
def tiny_gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """GPT-2 with little of everything but dropout."""
    folder = tmp_path_factory.mktemp("base")
    tokenizer = train_tokenizer(toy_tweets()["text"].to_list())
    torch.manual_seed(0)
    shape = GPT2Config(vocab_size=len(tokenizer), n_positions=BLOCK, n_embd=32, n_layer=2, n_head=2)
    GPT2LMHeadModel(shape).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def faithful(home: Path, base: Path, **overrides: Any) -> Run:
    given = {"epochs": 3, "seed": SEED, "base": str(base), "preset": "faithful", **overrides}
    return create_toy(home, tweets=toy_tweets(80), **given)


class _SeedOfStep(TrainerCallback):  # type: ignore[misc]
    """Lets dropout draw what it draws in a run."""

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        torch.manual_seed(step_seed(SEED, state.global_step))


class _InOrder(Trainer):  # type: ignore[misc]
    def _get_train_sampler(self, *_: Any) -> Any:
        return torch.utils.data.SequentialSampler(self.train_dataset)


def trainer_losses(
    run: Run, base: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[float]:
    """The losses of huggingtweets' own call of Trainer on the blocks of ``run``, in its order."""
    settings = run.record().train_settings
    assert settings is not None
    data = RunTweets(run, settings, base)
    batches = data.plan(0).batches(0, data.order(0))
    assert all(len(batch.rows) == 1 and len(batch.rows[0]) == BLOCK for batch in batches)
    blocks = [batch.rows[0] for batch in batches]
    # the folder datasets/ of this checkout is not Hugging Face's package of that name
    monkeypatch.setattr("transformers.trainer.is_datasets_available", lambda: False)
    arguments = TrainingArguments(
        output_dir=str(folder), per_device_train_batch_size=1, num_train_epochs=1,
        learning_rate=1.372e-4, lr_scheduler_type="cosine", logging_steps=1, save_strategy="no",
        report_to=[], use_cpu=True, disable_tqdm=True,
    )  # fmt: skip
    # A Trainer of today divides by all labels, the first included, which nothing predicts; that of
    # 2020 took the mean over those that are predicted.
    trainer = _InOrder(
        model=GPT2LMHeadModel.from_pretrained(base),
        args=arguments,
        train_dataset=[{"input_ids": block, "labels": [-100, *block[1:]]} for block in blocks],
        callbacks=[_SeedOfStep()],
    )
    trainer.train()
    return [line["loss"] for line in trainer.state.log_history if "loss" in line]


@pytest.mark.slow
@pytest.mark.parametrize("dropout", [True, False])
def test_its_losses_are_those_of_the_trainer(
    tmp_path: Path, tiny_gpt2: Path, monkeypatch: pytest.MonkeyPatch, dropout: bool
) -> None:
    base = shutil.copytree(tiny_gpt2, tmp_path / "base")
    if not dropout:
        config = GPT2Config.from_pretrained(base)
        config.embd_pdrop = config.attn_pdrop = config.resid_pdrop = 0.0
        config.save_pretrained(base)
    monkeypatch.setattr("core.training.fit.LOG_SECONDS", 0.0)  # a line a step
    run = faithful(tmp_path / "home", base)
    lines = train_here(run)
    ours = [line["loss"] for line in lines if line["kind"] == "train"]
    theirs = trainer_losses(run, base, tmp_path / "trainer", monkeypatch)
    assert len(ours) == len(theirs) > 20
    assert ours == pytest.approx(theirs, abs=1e-5)
    assert lines[-1]["state"] == "finished"


def test_dropout_is_at_work_and_the_same_after_a_resume(tmp_path: Path, tiny_gpt2: Path) -> None:
    def final(home: str, **overrides: Any) -> list[dict[str, Any]]:
        run = faithful(tmp_path / home, tiny_gpt2, **overrides)
        return train_here(run)

    def loss(lines: list[dict[str, Any]]) -> float:
        return float(lines[-1]["train_loss"])

    whole = final("a", max_steps=12)
    assert loss(whole) != loss(final("b", max_steps=12, base_dropout=False))
    run = faithful(tmp_path / "c", tiny_gpt2, max_steps=12)
    train_here(run, StopAfter(run, 5))
    train_here(run, resume=True)

    def weights(folder: Path) -> bytes:
        return (folder / "model" / "model.safetensors").read_bytes()

    (whole_run,) = (tmp_path / "a" / "runs").iterdir()
    assert weights(run.folder) == weights(whole_run)


def test_without_held_out_tweets_nothing_is_measured_on_them(
    tmp_path: Path, tiny_gpt2: Path
) -> None:
    run = faithful(tmp_path / "home", tiny_gpt2, max_steps=3)
    lines = train_here(run)
    assert not [line for line in lines if line["kind"] in ("eval", "memorisation")]
    assert [line["text"] for line in lines if line["kind"] == "note"] == [NOTHING_HELD_OUT]
    (start,) = (line for line in lines if line["kind"] == "start")
    assert (start["valid_tweets"], start["arithmetic"]) == (0, "float32")
    result = run_result(run)
    assert (result["state"], result["valid_tweets"]) == ("finished", 0)
    measured = ("valid_loss_before", "valid_loss_after", "memorised_train", "memorised_held_out")
    assert [result[name] for name in measured] == [None] * 4
    assert result["train_loss"] > 0
    shown = mynah("watch", "latest", home=tmp_path / "home").text
    assert "no tweet was held out" in shown
    assert len(lines_of(run)) == len(lines)


def test_it_is_a_flag_of_the_command_line(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, tiny_gpt2: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(home_with_samples(tmp_path_factory), home)
    given = "train", HANDLES[0], "--base", str(tiny_gpt2), "--max-steps", "2"
    made = mynah(*given, "--faithful", "--json", home=home)
    assert "huggingtweets tuned gpt2" in made.err
    assert NOTHING_HELD_OUT in made.err
    run = Run(home / "runs" / made.json()["run"])
    settings = run.record().train_settings
    assert settings is not None
    assert (settings.preset, settings.base_dropout, settings.valid_fraction) == (
        "faithful",
        True,
        0.0,
    )
    assert run.record().recipe.name == "classic"
    assert "preset of its own" in mynah(*given, "--faithful", "--preset", "fast",
                                        home=home, code=2).err  # fmt: skip
    learned = mynah(*given, "--faithful", "--max-memorised", "0.1", home=home, code=2)
    assert "held out" in learned.err
