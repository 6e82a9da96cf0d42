"""Sampling: our decoding loop beside ``generate``, a static cache, and CUDA graphs of a token."""

from __future__ import annotations

import time
from typing import Any

import torch
from transformers import StaticCache

from benchmarks.gpu.report import Figures, Report
from benchmarks.gpu.shapes import Shape, only_cuda, shapes
from core.models.load import cast_weights
from core.sampling.decoding.loading import prepared
from core.sampling.engine import Engine
from core.sampling.request import SampleRequest

PROMPT = [1, 2, 3]
TOP_P = 0.95


class Numbers:
    """A language whose words are numbers, and whose texts never end by themselves."""

    stops: frozenset[int] = frozenset()

    def prompt_ids(self, prompt: str) -> list[int]:
        return PROMPT

    def decode(self, ids: list[int]) -> str:
        return "".join(f" {number}" for number in ids)

    def banned(self, vocabulary: int) -> list[int]:
        return []


class Sampling:
    """One model and what is asked of it: so many rows of so many tokens."""

    def __init__(self, report: Report, shape: Shape) -> None:
        torch.manual_seed(1)
        self.report = report
        self.rows, self.tokens = (2, 12) if report.small else (10, 96)
        self.model = cast_weights(shape.model(report.device), report.dtype).requires_grad_(False)
        loaded = prepared(self.model, str(report.dtype).removeprefix("torch."))
        self.engine = Engine(loaded, Numbers(), lines=False, unescape=False, answering=None)  # type: ignore[arg-type]
        self.prompt = torch.tensor([PROMPT], device=report.device)

    def _rate(self, turn: Any, **more: Any) -> Figures:
        """Tokens a second of ``turn``, which gives the number that it drew."""
        began = time.perf_counter()
        turn()  # warms up
        self.report.wait()
        first = time.perf_counter() - began
        drawn, began = 0, time.perf_counter()
        while not drawn or time.perf_counter() - began < self.report.seconds:
            drawn += turn()
            self.report.wait()
        rate = drawn / (time.perf_counter() - began)
        return {"tokens_per_second": round(rate, 1), "first_turn": round(first, 3), **more}

    def ours(self) -> Figures:
        request = SampleRequest("", n=self.rows, max_tokens=self.tokens, top_p=TOP_P, seed=1)

        def turn() -> int:
            before = self.engine.tokens_drawn
            for _ in self.engine.generate(request):
                pass
            return self.engine.tokens_drawn - before

        return self._rate(turn)

    def theirs(self, *, static: bool = False) -> Figures:
        """With a static cache ``generate`` compiles by itself, on CUDA."""
        more: dict[str, Any] = {"cache_implementation": "static"} if static else {}
        if static and not self.report.on_cuda:
            more["disable_compile"] = True

        def turn() -> int:
            made = self.model.generate(
                self.prompt,
                attention_mask=torch.ones_like(self.prompt),
                do_sample=True,
                temperature=1.0,
                top_p=TOP_P,
                top_k=0,
                num_return_sequences=self.rows,
                min_new_tokens=self.tokens,
                max_new_tokens=self.tokens,
                pad_token_id=0,
                **more,
            )
            return int(made[:, len(PROMPT) :].numel())

        return self._rate(turn)

    @torch.inference_mode()
    def likeliest(self) -> Figures:
        """Whether our loop and ``generate`` write the same, always with the likeliest token.

        The engine gives texts, and the words of these are numbers. Two likeliest tokens that are
        all but equal may part them, in bfloat16 often: what counts is how much is the same.
        """
        request = SampleRequest("", n=1, max_tokens=self.tokens, temperature=0.0, seed=1)
        (text,) = [
            event.sample.text for event in self.engine.generate(request) if hasattr(event, "sample")
        ]
        ours = [int(word) for word in text.split()]
        made = self.model.generate(
            self.prompt, attention_mask=torch.ones_like(self.prompt), do_sample=False,
            min_new_tokens=self.tokens, max_new_tokens=self.tokens, pad_token_id=0,
        )  # fmt: skip
        theirs = made[0, len(PROMPT) :].tolist()
        same = next(
            (at for at, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b),
            min(len(ours), len(theirs)),
        )
        return {"tokens": len(theirs), "same_tokens": same}

    @torch.inference_mode()
    def graph(self, *, captured: bool) -> Figures:
        """A static cache, and each token's forward pass as one CUDA graph, or as it is."""
        if captured:
            only_cuda(self.report, "a CUDA graph")
        device = self.report.device
        width = len(PROMPT) + self.tokens
        cache = StaticCache(config=self.model.config, max_cache_len=width)
        ids = torch.ones(self.rows, 1, dtype=torch.long, device=device)
        position = torch.zeros(self.rows, 1, dtype=torch.long, device=device)
        seen = torch.zeros(self.rows, 1, 1, width, dtype=torch.bool, device=device)

        def forward() -> torch.Tensor:
            out = self.model(
                input_ids=ids, position_ids=position, attention_mask=seen,
                past_key_values=cache, use_cache=True,
            )  # fmt: skip
            logits: torch.Tensor = out.logits[:, -1]
            return logits

        def begin() -> None:
            cache.reset()
            seen.zero_()
            prompt = self.prompt.expand(self.rows, -1).contiguous()
            places = torch.arange(len(PROMPT), device=device)
            mask = places[:, None] >= torch.arange(width, device=device)
            self.model(
                input_ids=prompt, position_ids=places.expand(self.rows, -1),
                attention_mask=mask.expand(self.rows, 1, -1, -1),
                past_key_values=cache, use_cache=True, logits_to_keep=1,
            )  # fmt: skip
            seen[..., : len(PROMPT)] = True

        def at(token: int) -> None:
            position.fill_(len(PROMPT) + token)
            seen[..., len(PROMPT) + token] = True

        begin()
        replay, logits, gap = None, None, None
        if captured:
            side = torch.cuda.Stream(device)
            side.wait_stream(torch.cuda.current_stream(device))
            with torch.cuda.stream(side):
                for token in range(3):
                    at(token)
                    forward()
            torch.cuda.current_stream(device).wait_stream(side)
            at(3)
            replay = torch.cuda.CUDAGraph()
            with torch.cuda.graph(replay):
                logits = forward()
            begin()
            at(0)
            expected = forward().clone()
            begin()
            at(0)
            replay.replay()
            gap = float((logits - expected).abs().max())

        def turn() -> int:
            begin()
            for token in range(self.tokens):
                at(token)
                if replay is None:
                    scores = forward()
                else:
                    replay.replay()
                    scores = logits
                assert scores is not None
                ids.copy_(torch.multinomial(scores.float().softmax(-1), 1))
            return self.rows * self.tokens

        return self._rate(turn, **({} if gap is None else {"gap": gap}))


def sampling(report: Report) -> None:
    """Ten rows at once, as a person asks for them."""
    for shape in shapes(report):
        held: list[Sampling] = []

        def first(shape: Shape = shape, held: list[Sampling] = held) -> Figures:
            held.append(Sampling(report, shape))
            return held[0].ours()

        report.rung(f"sample/{shape.name}/ours", first)
        if not held:
            continue
        one = held[0]
        report.rung(f"sample/{shape.name}/generate", one.theirs)
        report.rung(f"sample/{shape.name}/the same tokens", one.likeliest)
        report.rung(
            f"sample/{shape.name}/static cache",
            lambda one=one: one.graph(captured=False),  # type: ignore[misc]
        )
        report.rung(
            f"sample/{shape.name}/CUDA graph",
            lambda one=one: one.graph(captured=True),  # type: ignore[misc]
        )
        report.rung(
            f"sample/{shape.name}/generate, static cache",
            lambda one=one: one.theirs(static=True),  # type: ignore[misc]
            needs=60.0 if report.on_cuda else 0.0,
        )
