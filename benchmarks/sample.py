"""Tokens per second of mynah's decoding loop, as a multiple of transformers' ``generate``.

    python benchmarks/sample.py [MODEL_DIR] [--samples 10] [--tokens 160] [--threads 1] [--device D]
                                [--held-out PARQUET]

Without a folder the model has GPT-2's shape and random weights (it never ends a text by itself, so
the gain of rows that leave early does not show). Both sides run in this process, in turns, on the
same prompt and settings; each side's best turn counts. "drawn" counts every token, "useful" those
that are in a text: up to its end mark or its first line break.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

# The checkout for ``core``, behind everything else: its folder ``datasets`` is no package.
sys.path = [*(place for place in sys.path if place), str(Path(__file__).resolve().parents[1])]
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch  # noqa: E402
import transformers  # noqa: E402
from transformers import AutoModelForCausalLM  # noqa: E402

from core.models.scratch import gpt2_shape  # noqa: E402
from core.sampling.engine import Engine  # noqa: E402
from core.sampling.request import Done, SampleRequest  # noqa: E402


def saved_gpt2_shape(folder: Path) -> Path:
    """GPT-2's shape with random weights, and a small byte-level tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    words.train_from_iterator(["a"], trainer)
    words.add_tokens([f"word{number} " for number in range(50257 - words.get_vocab_size())])
    gpt2_shape(50257, 0).save_pretrained(folder)
    words.save(str(folder / "tokenizer.json"))
    return folder


class Ours:
    def __init__(self, folder: Path, device: str, dtype: str) -> None:
        self.engine = Engine.of(folder, device, dtype)
        self.name = f"mynah {self.engine.loaded.arithmetic}"

    def score(self, ids: list[int]) -> torch.Tensor:
        return self.engine.loaded.decoder.score(ids)

    def turn(self, request: SampleRequest) -> tuple[int, int]:
        before = self.engine.tokens_drawn
        done = [e.sample.tokens for e in self.engine.generate(request) if isinstance(e, Done)]
        return self.engine.tokens_drawn - before, sum(done)


class Theirs:
    def __init__(self, folder: Path, ours: Engine) -> None:
        self.name = "transformers generate float32"
        self.language = ours.language
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        self.model.to(ours.loaded.device)

    @torch.inference_mode()
    def score(self, ids: list[int]) -> torch.Tensor:
        logits: torch.Tensor = self.model(torch.tensor([ids], device=self.model.device)).logits[0]
        return logits

    def turn(self, request: SampleRequest) -> tuple[int, int]:
        torch.manual_seed(request.seed or 0)
        prompt = torch.tensor([self.language.prompt_ids(request.prompt)], device=self.model.device)
        stops = sorted(self.language.stops)
        made = self.model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            do_sample=True,
            temperature=request.temperature,
            top_p=request.top_p,
            top_k=request.top_k,
            num_return_sequences=request.n,
            max_new_tokens=request.max_tokens,
            eos_token_id=stops,
            pad_token_id=stops[0],
        )[:, prompt.shape[1] :]
        return made.numel(), sum(self._useful(row) for row in made.tolist())

    def _useful(self, ids: list[int]) -> int:
        for place, token in enumerate(ids):
            if token in self.language.stops:
                return place
            if "\n" in self.language.decode([token]):
                return place + 1
        return len(ids)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model_dir", type=Path, nargs="?")
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--tokens", type=int, default=160)
    parser.add_argument("--prompt", default="My dream is")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--held-out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    with TemporaryDirectory() as made:
        folder = options.model_dir or saved_gpt2_shape(Path(made))
        exact = Ours(folder, options.device, "float32")
        sides: list[Ours | Theirs] = [Theirs(folder, exact.engine), exact]
        chosen = Ours(folder, options.device, "auto")
        if chosen.name != exact.name:
            sides.append(chosen)
    best = {side.name: (0.0, 0.0) for side in sides}
    warm_up = SampleRequest(options.prompt, n=options.samples, max_tokens=4, seed=0)
    for side in sides:
        side.turn(warm_up)
    for number in range(options.turns):
        request = SampleRequest(
            options.prompt, n=options.samples, max_tokens=options.tokens, seed=number + 1
        )
        for side in sides:
            began = time.perf_counter()
            drawn, useful = side.turn(request)
            seconds = time.perf_counter() - began
            rates = (drawn / seconds, useful / seconds)
            best[side.name] = tuple(map(max, best[side.name], rates))  # type: ignore[assignment]
    print(
        f"{options.samples} samples x {options.tokens} tokens, {options.threads} threads, "
        f"{exact.engine.loaded.parameters / 1e6:.1f} M parameters on {exact.engine.loaded.device}"
    )
    first = {side.name: min(first_token(side, options) for _ in range(3)) for side in sides}
    base = best[sides[0].name]
    for name, (drawn_rate, useful_rate) in best.items():
        print(
            f"{name:32} drawn {drawn_rate:7.1f}/s = {drawn_rate / base[0]:5.2f} x   "
            f"useful {useful_rate:7.1f}/s = {useful_rate / base[1]:5.2f} x   "
            f"first {first[name] * 1000:6.0f} ms"
        )
    ids = exact.engine.language.prompt_ids(options.prompt)
    off = (sides[0].score(ids) - exact.score(ids)).abs().max()
    print(f"largest difference of a logit in float32: {off:.1e}")
    if options.held_out:
        losses = {side.name: held_out(side, exact.engine, options.held_out) for side in sides}
        for name, loss in losses.items():
            print(f"{name:32} held out {loss:.4f} = {loss / losses[sides[0].name] - 1:+.2%}")


def first_token(side: Ours | Theirs, options: argparse.Namespace) -> float:
    """Seconds until each row has its first token."""
    began = time.perf_counter()
    side.turn(SampleRequest(options.prompt, n=options.samples, max_tokens=1, seed=0))
    return time.perf_counter() - began


def held_out(side: Ours | Theirs, engine: Engine, file: Path, texts: int = 100) -> float:
    """Mean loss in nats of a token of the first texts, the end mark included."""
    import polars

    total, tokens = 0.0, 0
    for text in polars.read_parquet(file, columns=["text"], n_rows=texts)["text"]:
        ids = [*engine.language.prompt_ids(text), engine.language.separator]
        targets = torch.tensor(ids[1:], device=engine.loaded.device)
        logits = side.score(ids[:-1]).float()
        total += float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
        tokens += len(targets)
    return total / tokens


if __name__ == "__main__":
    main()
