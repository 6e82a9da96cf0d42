"""The end of a run: which weights it keeps, the model folder, the last measurement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from core.errors import MynahError
from core.files import folder_whole
from core.models.answering import Answering
from core.models.four_bit import NOT_FINITE, has_packed
from core.models.generation import (
    MAX_TOKENS,
    MIN_P,
    REPETITION_PENALTY,
    TEMPERATURE,
    TOP_K,
    TOP_P,
)
from core.models.load import cast_weights
from core.numbers import percent
from core.runs.record import Result
from core.training import device as devices
from core.training import memory
from core.training.adapter import merge_adapters, write_merged
from core.training.checkpoint import all_finite
from core.training.fit import mean_loss
from core.training.loss import Scorer
from core.training.memory import TooLittleMemory
from core.training.setup import Diverged, Training, newest_weights


@memory.explained("ending the run")
def finish(training: Training, trouble: Diverged | TooLittleMemory | None = None) -> Result:
    """Saves the model, measures it, and says how the run ended.

    A run that ran into ``trouble`` has failed, but keeps the last good weights where there are any.
    Raises MynahError when there are none, or the model cannot be written.
    """
    t, at = training, training.at
    stopped = t.stop.asked
    t.journal.phase("saving")
    try:
        if trouble is not None:
            raise trouble
        if not all_finite(t.weights):
            raise t.diverged("model")
        if stopped:
            t.checkpoint()
        kept, reason = _best(t, stopped=stopped)
    except (Diverged, TooLittleMemory) as error:
        trouble = error
        kept, reason = _last_good(t, error)
    peak = devices.peak_memory(t.device)
    last = memorised = None
    merged = _as_saved(t)
    with memory.dispensable(t.journal, "the last measurement"):
        with devices.in_arithmetic(t.device, t.dtype):
            t.score = Scorer(merged)
        last = t.measure("after")
    if trouble is None:
        memorised = t.measure_memorisation(merged, last=True)
    try:
        save_model(
            t.run.model,
            merged,
            t.data.tokenizer,
            separator=t.data.separator,
            dtype=t.stored,
            answering=t.data.answering,
        )
    except OSError as error:
        raise MynahError(
            "The model could not be written.",
            f"{error}.",
            f"Make room, then `mynah resume {t.run.id}`.",
        ) from error
    in_no_hurry = t.settings.minutes is None and not stopped and trouble is None
    if in_no_hurry and t.data.valid.total_tokens > t.held_out.tokens:
        t.measure("all", t.every_row)
    if not stopped and trouble is None:
        t.show_samples()
    return Result(
        state="failed" if trouble else "stopped" if stopped else "finished",
        reason=reason,
        steps=at.step,
        tokens=at.tokens,
        tokens_by_author=at.tokens_by_author,
        expected_shares={share.handle: share.share for share in t.data.shares},
        tokens_per_second=at.tokens / at.train_seconds if at.train_seconds else None,
        train_loss=mean_loss(list(t.recent)),
        valid_loss_before=at.valid_before,
        valid_loss_after=last.loss if last else None,
        valid_tokens=t.held_out.tokens,
        memorised_train=memorised.train if memorised else None,
        memorised_held_out=memorised.held_out if memorised else None,
        best_step=kept if kept != at.step else None,
        model_dir=str(t.run.model),
        device=t.ranks.named(t.device),
        seconds=t.course.seconds,
        peak_memory=peak,
    )


def _as_saved(t: Training) -> Any:
    """The model to measure: as it will be saved, rounding and all, to be computed in the arithmetic
    of the first measurement. A packed one is measured as it learned, for it is merged while it is
    written: only the rounding of the saved weights is not in its measures.
    """
    if has_packed(t.model):
        return t.model
    merged = merge_adapters(t.adapted) if t.adapted is not None else t.model
    round_weights(merged, t.stored)
    return cast_weights(merged, t.resting)


def _best(t: Training, *, stopped: bool) -> tuple[int, str]:
    """Goes back to the best weights if the newest are clearly worse.

    Returns the step that the weights are of, and why the run ended.
    """
    at, best = t.at, t.best
    asked = "It was asked to stop; " if stopped else ""
    newest = at.step, f"{asked}its model is what it had learned by then." if stopped else ""
    if t.by_heart is not None and not stopped:
        return _before_by_heart(t)
    if not t.settings.keep_best or best is None or not best.known:
        return newest
    if not (stopped or best.worse):
        return newest
    if best.last_step < at.step and (found := t.measure("during")):
        best.look(found, at.step)
    if not best.worse:
        return newest
    best.restore()
    if stopped:
        return best.step, f"{asked}its model is that of step {best.step}, which was better."
    return best.step, f"It had begun to learn by heart; its model is that of step {best.step}."


def _before_by_heart(t: Training) -> tuple[int, str]:
    """Goes back to the best weights from before too much was learned by heart, if there are any."""
    found, best, limit = t.by_heart, t.best, t.settings.max_memorised
    assert found is not None  # noqa: S101
    assert limit is not None  # noqa: S101
    reason = (
        f"It gave back {percent(found.excess)} more of the tweets that it learns from than of "
        f"others, and at most {percent(limit)} was asked for"
    )
    if best is None or not best.known:
        return t.at.step, f"{reason}; there are no earlier weights."
    best.restore()
    return best.step, f"{reason}; its model is that of step {best.step}."


def _last_good(t: Training, trouble: Diverged | TooLittleMemory) -> tuple[int, str]:
    """Goes back to the best weights, or to the newest checkpoint; raises ``trouble`` else.

    Where only memory was short, the weights are good, and so is a checkpoint of them.
    """
    short = isinstance(trouble, TooLittleMemory)
    if short:
        # the frames that it came through hold what did not fit
        trouble.__traceback__ = trouble.__cause__ = trouble.__context__ = None
        t.optimizer.zero_grad(set_to_none=True)
        memory.release(t.device)
        if t.at.step and all_finite(t.weights):
            t.checkpoint()
    if t.best is not None and t.best.known:
        t.best.restore()
        step: int | None = t.best.step
    else:
        step = newest_weights(t)
    if step is None or not all_finite(t.weights):
        raise trouble
    reason = f"{trouble} Its model is that of step {step}"
    return step, f"{reason}." if short else f"{reason}, before this."


def round_weights(model: Any, dtype: torch.dtype) -> None:
    """Rounds the weights to ``dtype``; they stay in the type that they have."""
    kept = model.dtype
    cast_weights(cast_weights(model, dtype), kept)


def save_model(
    folder: Path,
    model: Any,
    tokenizer: Any,
    *,
    separator: int,
    dtype: Any,
    answering: Answering | None = None,
) -> None:
    """Writes ``folder`` as transformers reads it, weights as safetensors of ``dtype``.

    A model that answers has the form for that as its chat template, and another has none.
    ``model`` is left with the weights as they were rounded, in the type it had; a packed one is
    merged as it is written, and left as it was. An older folder is replaced in one step. Raises
    OSError, and MynahError for weights that are not finite.
    """
    from transformers import GenerationConfig

    for config in (model.config, model.generation_config):
        config.bos_token_id = config.eos_token_id = config.pad_token_id = separator
    model.generation_config = GenerationConfig(
        do_sample=True,
        temperature=TEMPERATURE,
        top_k=TOP_K,
        top_p=TOP_P,
        min_p=MIN_P or None,
        repetition_penalty=REPETITION_PENALTY,
        max_new_tokens=MAX_TOKENS,
        bos_token_id=separator,
        eos_token_id=separator,
        pad_token_id=separator,
    )
    mark = tokenizer.convert_ids_to_tokens(separator)
    tokenizer.bos_token = tokenizer.eos_token = tokenizer.pad_token = mark
    tokenizer.chat_template = None if answering is None else answering.chat_template
    if has_packed(model):
        with folder_whole(folder, "model") as part:
            save_files(part, model, tokenizer, dtype)
        return
    kept = model.dtype
    try:
        cast_weights(model, dtype)
        if not all_finite(list(model.parameters())):
            raise MynahError(NOT_FINITE)
        with folder_whole(folder, "model") as part:
            save_files(part, model, tokenizer, dtype)
    finally:
        cast_weights(model, kept)


def save_files(folder: Path, model: Any, tokenizer: Any, dtype: torch.dtype) -> None:
    """transformers' own writers, and of a packed model the merged one in ``dtype``; raises OSError
    whatever they raise when the disk is full.
    """
    from safetensors import SafetensorError

    try:
        if has_packed(model):
            write_merged(folder, model, dtype)
        else:
            model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    except SafetensorError as error:
        raise OSError(str(error)) from error
