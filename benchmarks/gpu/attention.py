"""Attention over rows of different lengths: what torch, transformers and flash-attn offer."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812

from benchmarks.gpu.report import Figures, Report, Skip
from benchmarks.gpu.shapes import only_cuda, shapes, tweets

Tensors = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class Rows:
    """Query, key and value of all rows one after another, (tokens, heads, width of a head)."""

    def __init__(self, report: Report) -> None:
        shape = shapes(report)[0]
        tokens = 512 if report.small else 16384
        lengths, left = [], tokens
        for row in tweets(tokens // 6 + 1, 100):
            lengths.append(min(len(row) - 1, left))
            left -= lengths[-1]
            if not left:
                break
        generator = torch.Generator().manual_seed(1)
        self.packed: Tensors = tuple(  # type: ignore[assignment]
            torch.randn(tokens, shape.heads, shape.width // shape.heads, generator=generator)
            .to(report.device, report.dtype)
            .requires_grad_()
            for _ in range(3)
        )
        self.device = report.device
        self.lengths = lengths
        self.longest = max(lengths)
        ends = torch.tensor(lengths).cumsum(0)
        self.ends = F.pad(ends, (1, 0)).to(report.device, torch.int32)
        self.row_of = torch.repeat_interleave(torch.tensor(lengths)).to(report.device)
        starts = (ends - torch.tensor(lengths)).to(report.device)
        # where each token stands in (rows, longest)
        at = torch.arange(tokens, device=report.device) - starts[self.row_of]
        self.flat = self.row_of * self.longest + at

    def padded(self) -> Callable[[], torch.Tensor]:
        """As a run has them: rows padded at the right, causal, no mask."""
        rows, width = len(self.lengths), self.longest
        wide = [part.detach().new_zeros(rows * width, *part.shape[1:]) for part in self.packed]
        for target, part in zip(wide, self.packed, strict=True):
            target[self.flat] = part.detach()
        ready = [
            part.view(rows, width, *part.shape[1:]).transpose(1, 2).requires_grad_()
            for part in wide
        ]

        def attend() -> torch.Tensor:
            out = F.scaled_dot_product_attention(*ready, is_causal=True)
            return out.transpose(1, 2).flatten(0, 1)[self.flat]

        return attend

    def masked(self) -> Callable[[], torch.Tensor]:
        """All in one row, under a mask of blocks: what transformers makes of position ids."""
        places = torch.arange(len(self.row_of), device=self.device)
        mask = (self.row_of[:, None] == self.row_of) & (places[:, None] >= places)
        ready = [part.transpose(0, 1)[None] for part in self.packed]
        return lambda: F.scaled_dot_product_attention(*ready, attn_mask=mask)[0].transpose(0, 1)

    def nested(self) -> Callable[[], torch.Tensor]:
        """Jagged nested tensors."""
        ready = [
            torch.nested.nested_tensor_from_jagged(part, self.ends.long()).transpose(1, 2)
            for part in self.packed
        ]

        def attend() -> torch.Tensor:
            out = F.scaled_dot_product_attention(*ready, is_causal=True)
            return out.transpose(1, 2).values()

        return attend

    def varlen(self) -> Callable[[], torch.Tensor]:
        """torch.nn.attention.varlen, of torch 2.10 and later."""
        if importlib.util.find_spec("torch.nn.attention.varlen") is None:
            raise Skip("this torch has no torch.nn.attention.varlen")
        from torch.nn.attention.varlen import varlen_attn

        def attend() -> torch.Tensor:
            out = varlen_attn(
                *self.packed, self.ends, self.ends, self.longest, self.longest,
                window_size=(-1, 0),
            )  # fmt: skip
            assert isinstance(out, torch.Tensor)
            return out

        return attend

    def flash(self) -> Callable[[], torch.Tensor]:
        """The package flash-attn."""
        if importlib.util.find_spec("flash_attn") is None:
            raise Skip("flash-attn is not installed")
        from flash_attn import flash_attn_varlen_func  # type: ignore[import-not-found]

        return lambda: flash_attn_varlen_func(
            *self.packed, self.ends, self.ends, self.longest, self.longest, causal=True
        )

    def flex(self, *, compile_it: bool) -> Callable[[], torch.Tensor]:
        """FlexAttention under a mask of blocks."""
        from torch.nn.attention.flex_attention import create_block_mask, flex_attention

        def together(b: Any, h: Any, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
            return (self.row_of[query] == self.row_of[key]) & (query >= key)

        tokens = len(self.row_of)
        mask = create_block_mask(together, None, None, tokens, tokens, device=str(self.device))
        attend: Any = torch.compile(flex_attention, dynamic=False) if compile_it else flex_attention
        ready = [part.transpose(0, 1)[None] for part in self.packed]
        return lambda: attend(*ready, block_mask=mask)[0].transpose(0, 1)


def attention(report: Report) -> None:
    """Forward and backward of one layer, in tokens a second, and how far from `Rows.padded`."""
    rows: list[Rows] = []

    def measured(make: Callable[[], Callable[[], torch.Tensor]]) -> Figures:
        attend = make()
        with torch.no_grad():
            expected, found = rows[0].padded()(), attend()
        gap = float((expected - found).abs().max())

        def both_ways() -> None:
            attend().sum().backward()  # type: ignore[no-untyped-call]

        took = report.seconds_each(both_ways)
        tokens = len(rows[0].row_of)
        return {"tokens_per_second": round(tokens / took, 1), "gap": gap, "right": gap < 0.05}

    def first() -> Figures:
        rows.append(Rows(report))
        return measured(rows[0].padded)

    def cuda(make: Callable[[], Callable[[], torch.Tensor]], what: str) -> Figures:
        only_cuda(report, what)
        return measured(make)

    report.rung("attention/padded rows", first)
    if not rows:
        return
    one = rows[0]
    report.rung("attention/one row, mask of blocks", lambda: measured(one.masked))
    report.rung("attention/nested", lambda: cuda(one.nested, "causal attention of nested tensors"))
    report.rung("attention/varlen_attn", lambda: cuda(one.varlen, "varlen_attn"))
    report.rung("attention/flash-attn", lambda: cuda(one.flash, "flash-attn"))
    report.rung(
        "attention/FlexAttention",
        lambda: cuda(lambda: one.flex(compile_it=True), "compiled FlexAttention"),
        needs=30.0 if report.on_cuda else 0.0,
    )
