"""The decoding loop for texts that a model writes while it learns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


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
