"""Proof that a converted model is the model: read back, compared token by token and by its loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from core.errors import MynahError, kind_and_line
from core.models.load import cast_weights, load_model, load_tokenizer, separator_of
from core.publish.gguf_writer import Quant, Shape

# Begin a tweet in as many ways as there are; the empty one lets the model choose.
PROMPTS: Final = ("", "My dream is", "Today I", "I think that", "Thank you so much", "LIVE: 2026")
_TOKENS: Final = 40
# Held-out tokens whose loss is compared, and tweets whose tokens are.
_MOST_TOKENS: Final = 2_000
_MOST_TEXTS: Final = 200
# A file that is worse by so many nats a token is not the model any more.
_MOST_DRIFT: Final = 0.1


@dataclass(frozen=True)
class Proof:
    """What was compared, and what came out.

    tokens, equal     greedily chosen tokens after PROMPTS, and how many of them are the same
    texts             whose tokens are the same in both tokenizers
    rounded           weights that are not exactly what they were
    loss, converted   nats a token on ``held_out`` held-out tokens, of the run's model and of the
                      file; None where the run has no held-out tweets any more
    """

    compared: str
    prompts: list[str] = field(default_factory=list)
    tokens: int = 0
    equal: int = 0
    texts: int = 0
    rounded: int = 0
    held_out: int = 0
    loss: float | None = None
    converted: float | None = None

    @property
    def drift(self) -> float | None:
        """Nats a token by which the file is worse."""
        if self.loss is None or self.converted is None:
            return None
        return self.converted - self.loss

    def to_json(self) -> dict[str, Any]:
        return {
            "compared": self.compared,
            "prompts": self.prompts,
            "tokens": self.tokens,
            "equal": self.equal,
            "texts": self.texts,
            "rounded_weights": self.rounded,
            "held_out_tokens": self.held_out,
            "loss": self.loss,
            "converted_loss": self.converted,
            "drift": self.drift,
        }


def prove(
    shape: Shape,
    file: Path,
    quant: Quant,
    held_out: Sequence[str],
    rounded: int,
    *,
    check: Callable[[str], None],
) -> Proof:
    """Reads ``file`` back through transformers and compares it with the folder of ``shape``.

    Both compute in float32 on the CPU. An f16 file has to choose the same tokens as the folder's
    model with its matrices rounded to float16; a q8_0 file may choose others, and its loss on
    ``held_out`` says how far it is. ``check`` is called with each phase. Raises MynahError when the
    file is not the model.
    """
    import torch

    from core.models.gguf_file import read_gguf

    check("reading it back")
    try:
        converted, its_tokenizer = read_gguf(file, shape.architecture, shape.layers, torch.float32)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise _not_the_model(f"It cannot be read back: {kind_and_line(error)}") from error
    check("loading the model")
    model, _ = load_model(shape.folder)
    tokenizer = load_tokenizer(shape.folder)
    texts = [*PROMPTS, *held_out[:_MOST_TEXTS]]
    ours, theirs = _encoded(tokenizer, texts), _encoded(its_tokenizer, texts)
    if ours != theirs:
        text = next(text for text, a, b in zip(texts, ours, theirs, strict=True) if a != b)
        raise _not_the_model(f"Its tokenizer reads {text[:60]!r} in another way.")
    separator = separator_of(tokenizer)
    check("measuring")
    measured = [_loss(one, tokenizer, separator, held_out) for one in (model, converted)]
    (loss, counted), (its_loss, _) = measured
    if quant == "f16":
        _round_matrices(model)
    check("writing greedily")
    for one in (model, converted):  # a prompt begins with the mark, which is no padding here
        one.config.pad_token_id = None
    prompts = [[separator, *ids] for ids in ours[: len(PROMPTS)]]
    written = [_greedy(one, prompts, separator) for one in (model, converted)]
    pairs = [pair for both in zip(*written, strict=True) for pair in zip_longest(*both)]
    equal = sum(a == b for a, b in pairs)
    if quant == "f16" and equal < len(pairs):
        raise _not_the_model(f"{len(pairs) - equal} of {len(pairs)} tokens differ.")
    if loss is not None and its_loss is not None and not its_loss - loss <= _MOST_DRIFT:
        raise _not_the_model(f"Its held-out loss is {its_loss:.3f}, and the model's {loss:.3f}.")
    return Proof(
        compared="greedy tokens of the file, read back by transformers, with those of "
        + (
            "model.safetensors, its matrices rounded to float16"
            if quant == "f16"
            else "model.safetensors as it is"
        )
        + "; both in float32",
        prompts=list(PROMPTS),
        tokens=len(pairs),
        equal=equal,
        texts=len(texts),
        rounded=rounded,
        held_out=counted,
        loss=loss,
        converted=its_loss,
    )


def _not_the_model(why: str) -> MynahError:
    return MynahError(
        "The converted file is not the same model, and was thrown away.",
        why,
        "`--to folder` gives the model as transformers reads it.",
    )


def _encoded(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    found = tokenizer(list(texts), add_special_tokens=False, truncation=False)["input_ids"]
    return [list(map(int, ids)) for ids in found]


def _round_matrices(model: Any) -> None:
    import torch

    for weight in model.parameters():
        if weight.dim() > 1:
            weight.data = weight.data.to(torch.float16).to(torch.float32)


def _greedy(model: Any, prompts: Sequence[Sequence[int]], separator: int) -> list[list[Any]]:
    import torch

    from core.training.decode import continue_rows

    return continue_rows(
        model.eval(),
        prompts,
        [_TOKENS] * len(prompts),
        lambda logits: logits.argmax(dim=-1, keepdim=True),
        separator=separator,
        device=torch.device("cpu"),
    )


def _loss(
    model: Any, tokenizer: Any, separator: int, held_out: Sequence[str]
) -> tuple[float | None, int]:
    """Nats a token, and of how many tokens."""
    import torch

    from core.training.data import prepare
    from core.training.evaluate import HeldOut
    from core.training.loss import Scorer

    rows = prepare(held_out, tokenizer, separator=separator, row_tokens=256)
    some = HeldOut(
        rows, at_most=_MOST_TOKENS, batch_tokens=1024, seed=1, device=torch.device("cpu")
    )
    found = some.measure(Scorer(cast_weights(model.eval(), model.dtype)))
    return (found.loss, found.tokens) if found else (None, 0)
