"""Who learns sooner: the seed's recipe, TRL's SFTTrainer with LoRA, and mynah, on the same tweets.

    python -m benchmarks.race [--tweets FILE] [--handle NAME] [--base smollm2] [--minutes 5]

Each learns for so many minutes, in a process of its own, from the frozen tweets of one run, and is
measured on the same held-out tweets, in the same way. What is printed: held-out loss over time,
how long each took to the loss that the seed's recipe ends with, the loss on all held-out tweets,
what it gives back word for word, tokens a second, and its largest memory.

trainer     huggingtweets 0.6 in transformers' Trainer: every weight, one stream cut in blocks of
            1,024 tokens, one a step, AdamW at 1.372e-4 with a cosine to 0, float32, the dropout
            that the model declares
trl         SFTTrainer with LoRA of mynah's rank on every linear layer, eight tweets a step, at
            --trl-rate; skipped where trl and datasets are not installed
mynah       `mynah train --minutes N` as it is

Seconds are those of the steps alone: measuring so often takes as long as learning. For that mynah
is given more minutes than the others; the column "learned" says what each made of them.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from core.home import Home
from core.runs.folder import ENDED, Run
from core.workflow.data import DEMO_HANDLE, import_paths, sample_archives
from core.workflow.training import train

EVERY = 20.0  # seconds between two measurements
# What mynah's measurements and samples take beside one second of its steps, on two slow cores.
MEASURING = 0.8


@dataclass
class Outcome:
    """``curve``: (seconds of training, held-out nats a token); given back: shares from 0 to 1."""

    curve: list[tuple[float, float]] = field(default_factory=list)
    loss: float = math.nan
    train_given_back: float = math.nan
    held_out_given_back: float = math.nan
    tokens: int = 0
    steps: int = 0
    seconds: float = 0.0
    megabytes: float = 0.0


class Watched:
    """The clock and the measurements of a Trainer: `tick` after each of its steps."""

    def __init__(self, run: Run, seconds: float) -> None:
        import torch

        from core.models.catalogue import resolve
        from core.models.prepare import prepare
        from core.training.evaluate import HeldOut
        from core.training.memorise import Memorisation
        from core.training.tweets import RunTweets

        record = run.record()
        settings, decided = record.train_settings, record.decisions
        assert settings is not None
        assert decided is not None
        self.folder = prepare(resolve(settings.base), lambda _: None)
        self.settings, self.limit, self.outcome = settings, seconds, Outcome()
        self.tweets = RunTweets(run, settings, self.folder)
        cpu = torch.device("cpu")

        def held_out(at_most: int) -> HeldOut:
            return HeldOut(
                self.tweets.valid,
                at_most=at_most,
                batch_tokens=1024,
                seed=settings.seed,
                device=cpu,
            )

        self.some, self.all = held_out(decided.eval_tokens), held_out(1 << 40)
        self.memorisation = Memorisation(
            self.tweets.train_texts, self.tweets.valid_texts, self.tweets.tokenizer,
            separator=self.tweets.separator, seed=settings.seed, context=self.tweets.context,
            device=cpu,
        )  # fmt: skip
        self.taken, self.began, self.due = 0.0, time.monotonic(), EVERY

    def loss_of(self, model: Any, rows: Any) -> float:
        from core.training.loss import Scorer

        training = model.training
        model.eval()
        # peft wraps the model whose body and head are wanted
        bare = model.get_base_model() if hasattr(model, "get_base_model") else model
        found = rows.measure(Scorer(bare))
        model.train(training)
        return float(found.loss)

    def start(self, model: Any) -> None:
        self.outcome.curve.append((0.0, self.loss_of(model, self.some)))
        self.began = time.monotonic()

    def tick(self, model: Any, tokens: int) -> bool:
        """Whether the time is up."""
        self.taken += time.monotonic() - self.began
        self.outcome.tokens += tokens
        self.outcome.steps += 1
        over = self.taken >= self.limit
        if over or self.taken >= self.due:
            self.outcome.curve.append((self.taken, self.loss_of(model, self.some)))
            self.due = self.taken + EVERY
        self.began = time.monotonic()
        return over

    def end(self, model: Any) -> Outcome:
        self.outcome.seconds = self.taken
        # a peak in bytes on macOS, in kilobytes elsewhere
        unit = 1e6 if sys.platform == "darwin" else 1e3
        self.outcome.megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
        self.outcome.loss = self.loss_of(model, self.all)
        model.eval()
        found = self.memorisation.measure(model)
        self.outcome.train_given_back = found.train
        self.outcome.held_out_given_back = found.held_out
        return self.outcome


def clock(watched: Watched, tokens_a_step: Callable[[Any], int]) -> Any:
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **kw: Any) -> None:
            watched.start(kw["model"])

        def on_step_end(self, args: Any, state: Any, control: Any, **kw: Any) -> None:
            control.should_training_stop = watched.tick(kw["model"], tokens_a_step(state))

    return Clock()


def trainer(run: Run, seconds: float, steps: int) -> Outcome:
    """The seed's recipe; ``steps``: how many it will come to, which its cosine has to know."""
    import torch
    from transformers import AutoModelForCausalLM, Trainer, TrainingArguments, default_data_collator

    from core.training.data import cut

    watched = Watched(run, seconds)
    stream = [token for rows in watched.tweets.train.rows for row in rows for token in row[:-1]]
    blocks = [row[:-1] for row in cut(stream, 1024) if len(row) == 1025]
    epochs = max(1, -(-steps // max(len(blocks), 1)))
    data = [{"input_ids": block, "labels": block} for block in blocks]
    model = AutoModelForCausalLM.from_pretrained(watched.folder, dtype=torch.float32)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=1, num_train_epochs=epochs,
            max_steps=steps, learning_rate=1.372e-4, lr_scheduler_type="cosine",
            save_strategy="no", logging_strategy="no", report_to="none", use_cpu=True,
            disable_tqdm=True, seed=watched.settings.seed,
        )  # fmt: skip
        Trainer(
            model=model, args=arguments, train_dataset=data, data_collator=default_data_collator,
            callbacks=[clock(watched, lambda _: 1024)],
        ).train()  # fmt: skip
    return watched.end(model)


def trl(run: Run, seconds: float, steps: int, rate: float) -> Outcome:
    import torch
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig, SFTTrainer

    from datasets import Dataset

    watched = Watched(run, seconds)
    rows = [row for tweet in watched.tweets.train.rows for row in tweet]
    mean = sum(len(row) - 1 for row in rows) / len(rows)
    model = AutoModelForCausalLM.from_pretrained(watched.folder, dtype=torch.float32)
    settings = watched.settings
    with tempfile.TemporaryDirectory() as folder:
        learner = SFTTrainer(
            model=model, processing_class=watched.tweets.tokenizer,
            train_dataset=Dataset.from_list([{"input_ids": row} for row in rows]),
            peft_config=LoraConfig(
                r=settings.lora_rank, lora_alpha=settings.lora_alpha,
                target_modules="all-linear", task_type="CAUSAL_LM",
            ),
            args=SFTConfig(
                output_dir=folder, per_device_train_batch_size=8, max_steps=steps,
                learning_rate=rate, lr_scheduler_type="cosine", warmup_steps=max(1, steps // 20),
                max_length=settings.row_tokens, gradient_checkpointing=False, bf16=False,
                use_cpu=True, save_strategy="no", logging_strategy="no", report_to="none",
                disable_tqdm=True, seed=settings.seed,
            ),
            callbacks=[clock(watched, lambda _: round(8 * mean))],
        )  # fmt: skip
        learner.train()
    return watched.end(learner.model.merge_and_unload())


def mynah(run: Run) -> Outcome:
    """What the run says of itself."""
    result = run.record().result
    assert result is not None
    curve, seconds = [], 0.0
    for text in run.metrics.read_text("utf-8").splitlines():
        line = json.loads(text)
        if line["kind"] == "train":
            seconds = line["tokens"] / line["tokens_per_second"]
        # the last one is of all held-out tweets
        elif line["kind"] == "eval" and line["phase"] != "all":
            curve.append((seconds, line["valid_loss"]))
    return Outcome(
        curve,
        tokens=result.tokens or 0,
        steps=result.steps or 0,
        seconds=seconds,
        megabytes=(result.peak_memory or 0) / 1e6,
    )


def time_to(curve: list[tuple[float, float]], loss: float) -> float:
    """Seconds, on a straight line between two measurements; infinite where it never got there."""
    for (before, high), (after, low) in itertools.pairwise(curve):
        if low <= loss < high:
            return before + (after - before) * (high - loss) / (high - low)
    return math.inf


def in_a_process(name: str, run: Run, given: argparse.Namespace) -> Outcome:
    """First for a short while, to know how many steps its schedule will have; then the race."""
    seconds, steps = given.minutes * 60, 10_000
    for limit in (0.0,) if name == "mynah" else (min(30.0, seconds / 4), seconds):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.race", "--alone", name, "--run", str(run.folder),
             "--seconds", str(limit), "--steps", str(steps), "--trl-rate", str(given.trl_rate)],
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        outcome = Outcome(**json.loads(done.stdout.splitlines()[-1]))
        steps = max(1, round(outcome.steps * seconds / max(outcome.seconds, 1e-9)))
    return outcome


def alone(given: argparse.Namespace) -> Outcome:
    run = Run(Path(given.run))
    if given.alone == "mynah":
        from transformers import AutoModelForCausalLM

        return Watched(run, 0.0).end(AutoModelForCausalLM.from_pretrained(run.model))
    if given.alone == "trainer":
        return trainer(run, given.seconds, given.steps)
    return trl(run, given.seconds, given.steps, given.trl_rate)


def race(home: Home, given: argparse.Namespace) -> dict[str, Outcome]:
    paths = [given.tweets] if given.tweets else sample_archives()
    import_paths(home, paths, handle=given.handle if given.tweets else None)
    print(f"mynah: {given.minutes:g} minutes", flush=True)
    minutes = given.minutes * (1 + MEASURING)
    run = train(
        home, [given.handle], base=given.base, minutes=minutes, eval_seconds=EVERY, device="cpu"
    )
    while (state := run.record().state) not in ENDED:
        time.sleep(0.5)
    assert state == "finished", run.record().reason
    ours, measured = mynah(run), in_a_process("mynah", run, given)
    found = {
        "mynah": replace(
            ours,
            loss=measured.loss,
            train_given_back=measured.train_given_back,
            held_out_given_back=measured.held_out_given_back,
        )
    }
    for name in given.against:
        if name == "trl" and not all(map(importlib.util.find_spec, ("trl", "datasets"))):
            print("trl: skipped, trl and datasets are not installed")
            continue
        print(f"{name}: {given.minutes:g} minutes", flush=True)
        found[name] = in_a_process(name, run, given)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tweets", type=Path, help="a file to import; else a bundled author")
    parser.add_argument("--handle", default=DEMO_HANDLE)
    parser.add_argument("--base", default="smollm2")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--trl-rate", type=float, default=2e-3)
    parser.add_argument("--against", nargs="*", choices=("trl", "trainer"),
                        default=("trl", "trainer"))  # fmt: skip
    for hidden, kind in (("alone", str), ("run", str), ("seconds", float), ("steps", int)):
        parser.add_argument(f"--{hidden}", type=kind, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(asdict(alone(given))))
        return
    with tempfile.TemporaryDirectory() as folder:
        found = race(Home.at(folder), given)
    mark = found[given.against[-1] if given.against else "mynah"].curve[-1][1]
    print(f"held-out loss that the last one ends with: {mark:.3f}")
    print("           tokens/s    learned   to that loss    all held out   given back       peak")
    for name, one in found.items():
        seconds = time_to(one.curve, mark)
        print(
            f"{name:8} {one.tokens / one.seconds:10.1f} {one.seconds:8.0f} s {seconds:12.0f} s"
            f"{one.loss:16.3f}"
            f"   {one.train_given_back:5.1%} {one.held_out_given_back:5.1%}"
            f" {one.megabytes:8,.0f} MB"
        )
    for name, one in found.items():
        points = "  ".join(f"{seconds:.0f}s {loss:.3f}" for seconds, loss in one.curve)
        print(f"{name}: {points}")


if __name__ == "__main__":
    main()
