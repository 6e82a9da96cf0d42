"""What a model writes while it learns: the decoding loop, and a few short samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from core.models.generation import TEMPERATURE, TOP_P
from core.tweet import unescaped

GLIMPSE_TOKENS: Final = 36
# These hold nearly every nucleus of a small model, and are found in a fifth of the time of a sort.
_LIKELIEST: Final = 1024


def continue_rows(
    model: Any,
    prompts: Sequence[Sequence[int]],
    lengths: Sequence[int],
    choose: Callable[[Any], Any],
    *,
    separator: int,
    device: Any,
) -> list[list[int]]:
    """What ``model`` writes after each prompt: at most so many ids as its length says, and none
    from the separator on.

    ``choose`` gets logits of shape (rows, vocabulary) and gives an id for each row, of shape
    (rows, 1). All rows go through the model together, padded at the left where they differ, until
    the last has ended.
    """
    import torch

    width = max(map(len, prompts), default=0)
    ids = torch.full((len(prompts), width), separator, dtype=torch.long)
    mask = torch.zeros((len(prompts), width), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(list(prompt))
        mask[row, width - len(prompt) :] = 1
    padded = not bool(mask.all())
    ids, mask = ids.to(device), mask.to(device)
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    written: list[list[int]] = [[] for _ in prompts]
    going = {row for row, length in enumerate(lengths) if length > 0}
    past = None
    with torch.no_grad():
        while going:
            # without padding no mask is needed, and the fast attention kernels apply
            places = {"attention_mask": mask, "position_ids": positions} if padded else {}
            out = model(
                input_ids=ids, past_key_values=past, use_cache=True, logits_to_keep=1, **places
            )
            past = out.past_key_values
            ids = choose(out.logits[:, -1])
            tokens = ids.flatten().tolist()
            for row in sorted(going):
                token = tokens[row]
                if token != separator:
                    written[row].append(token)
                if token == separator or len(written[row]) >= lengths[row]:
                    going.remove(row)
            ids = ids.to(device)
            mask = torch.cat([mask, torch.ones_like(ids)], dim=1)
            positions = positions[:, -1:] + 1
    return written


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
    unescape: bool = True,
) -> list[str]:
    """``count`` texts that ``model`` writes after the separator, each until the next one.

    The same seed draws the same numbers, so two glimpses differ by what was learned between them.
    ``unescape`` is that of `core.sampling.text_stream.TextStream`.
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
    texts = (tokenizer.decode(tokens, skip_special_tokens=True) for tokens in written)
    return [" ".join((unescaped(text) if unescape else text).split()) for text in texts]


def nucleus(logits: Any, top_p: float) -> Any:
    """Probabilities of the smallest set of tokens that holds ``top_p``, the others 0.

    ``logits``: float of shape (rows, vocabulary). Source: Holtzman et al. 2019, nucleus sampling.
    """
    import torch

    chances = torch.softmax(logits, dim=-1)
    ordered, places = chances.topk(min(_LIKELIEST, chances.shape[-1]), dim=-1)
    if bool((ordered.sum(dim=-1) < top_p).any()):
        ordered, places = chances.sort(dim=-1, descending=True)
    before = ordered.cumsum(dim=-1) - ordered
    ordered = ordered.masked_fill(before >= top_p, 0.0)
    return torch.zeros_like(chances).scatter(-1, places, ordered)
