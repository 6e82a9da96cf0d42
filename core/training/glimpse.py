"""A few short samples while a model learns, cheap enough to take often."""

from __future__ import annotations

from typing import Any, Final

from core.models.generation import TEMPERATURE, TOP_P
from core.training.decode import continue_rows

GLIMPSE_TOKENS: Final = 36


def glimpse(
    model: Any,
    tokenizer: Any,
    *,
    separator: int,
    seed: int,
    count: int = 2,
    max_tokens: int = GLIMPSE_TOKENS,
    temperature: float = TEMPERATURE,
    top_p: float = TOP_P,
) -> list[str]:
    """``count`` texts that ``model`` writes after the separator, each until the next one.

    The same seed draws the same numbers, so two glimpses differ by what was learned between them.
    """
    import torch

    # drawn on the CPU, where the same seed means the same numbers on every machine
    rng = torch.Generator().manual_seed(seed)

    def draw(logits: Any) -> Any:
        chances = nucleus(logits.float().cpu() / temperature, top_p)
        return torch.multinomial(chances, 1, generator=rng)

    written = continue_rows(
        model,
        [[separator]] * count,
        [max_tokens] * count,
        draw,
        separator=separator,
        device=next(model.parameters()).device,
    )
    return [
        " ".join(tokenizer.decode(tokens, skip_special_tokens=True).split()) for tokens in written
    ]


def nucleus(logits: Any, top_p: float) -> Any:
    """Probabilities of the smallest set of tokens that holds ``top_p``, the others 0.

    ``logits``: float of shape (rows, vocabulary). Source: Holtzman et al. 2019, nucleus sampling.
    """
    import torch

    ordered, places = torch.softmax(logits, dim=-1).sort(dim=-1, descending=True)
    before = ordered.cumsum(dim=-1) - ordered
    ordered = ordered.masked_fill(before >= top_p, 0.0)
    return torch.zeros_like(ordered).scatter(-1, places, ordered)
