"""A few short samples while a model learns, cheap enough to take often."""

from __future__ import annotations

from typing import Any, Final

from core.models.generation import TEMPERATURE, TOP_P

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

    device = next(model.parameters()).device
    # drawn on the CPU, where the same seed means the same numbers on every machine
    rng = torch.Generator().manual_seed(seed)
    ids = torch.full((count, 1), separator, device=device)
    written: list[list[int]] = [[] for _ in range(count)]
    going = set(range(count))
    past = None
    with torch.no_grad():
        for _ in range(max_tokens):
            out = model(input_ids=ids, past_key_values=past, use_cache=True)
            past = out.past_key_values
            chances = nucleus(out.logits[:, -1].float().cpu() / temperature, top_p)
            chosen = torch.multinomial(chances, 1, generator=rng)
            for row in sorted(going):
                token = int(chosen[row])
                if token == separator:
                    going.remove(row)
                else:
                    written[row].append(token)
            if not going:
                break
            ids = chosen.to(device)
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
