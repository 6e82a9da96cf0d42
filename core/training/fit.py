"""The training loop: from a run's frozen tweets to a model folder.

Read from top to bottom: load, plan, measure, step until the course is run, save, measure again.
The model is in eval mode throughout: the only thing that this turns off is dropout, which would
keep attention off its fast kernel and which a run of a few epochs at most does not need.
"""

from __future__ import annotations

import itertools
import math
import time
import warnings
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import psutil  # type: ignore[import-untyped,unused-ignore]
import torch
import transformers

from core.errors import MynahError
from core.models.catalogue import resolve
from core.models.load import load_model
from core.models.prepare import prepare as prepare_base
from core.runs.events import Journal
from core.runs.folder import Run, checkpoint_folders
from core.runs.record import Result
from core.runs.settings import TrainSettings
from core.training import device as devices
from core.training.adapter import add_adapters, merge_adapters, trainable
from core.training.best import CLEARLY, Best
from core.training.checkpoint import Position, load_checkpoint, save_checkpoint
from core.training.data import Batch, EpochPlan, RunTweets
from core.training.evaluate import HeldOut, Measure, affordable_tokens
from core.training.glimpse import glimpse
from core.training.loss import Scorer
from core.training.save import save_model
from core.training.schedule import Course, learning_rate
from core.training.step import BatchStep

if TYPE_CHECKING:
    from core.training.signals import StopRequest

RECENT_STEPS: Final = 32
LOG_SECONDS: Final = 0.1
# A run on a GPU takes so many steps at least, so that small accounts get enough of them.
STEPS_WANTED: Final = 150
LARGEST_BATCH: Final = 4096
CPU_BATCH: Final = 256


def train(run: Run, journal: Journal, stop: StopRequest, *, resume: bool = False) -> Result:
    """Trains ``run`` and returns how it ended; raises MynahError when it cannot."""
    settings = run.record().train_settings
    if settings is None:
        raise MynahError("The settings of this run cannot be read.", "", "Start a new run.")
    transformers.utils.logging.disable_progress_bar()  # they would fill train.log
    warnings.filterwarnings("ignore", category=FutureWarning)
    began = time.monotonic() - (time.time() - psutil.Process().create_time())
    device = devices.choose_device(settings.device)
    devices.set_up(device)
    torch.manual_seed(settings.seed)

    # ── the base, the tweets, the model ──────────────────────────────────────────────────
    preparing = time.monotonic()
    folder = prepare_base(resolve(settings.base), journal.phase)
    began += time.monotonic() - preparing  # done once for all runs, so not this run's time
    journal.phase("loading the model")
    data = RunTweets(run, settings, folder)
    model, stored = load_model(folder) if folder else (data.new_model(), torch.float32)
    dtype = devices.arithmetic(device)
    _suit_attention(model, device, dtype, settings)
    # Frozen weights that are stored in the type that is multiplied in can stay in it; weights that
    # learn need float32, or small updates would be rounded away.
    resting = dtype if settings.method == "lora" and dtype == stored else torch.float32
    model.to(device, resting).eval()
    parameters = sum(weight.numel() for weight in model.parameters())
    adapted = None
    if settings.method == "lora":
        adapted = add_adapters(
            model,
            rank=settings.lora_rank,
            alpha=settings.lora_alpha,
            autocast=dtype != torch.float32,
        )
    weights = list(trainable(model).values())
    optimizer = _adamw(weights, settings)
    with devices.in_arithmetic(device, dtype):
        score = Scorer(model)

    # ── the course ───────────────────────────────────────────────────────────────────────
    batch_tokens = settings.batch_tokens or _batch_tokens(device.type, data.epoch_tokens, settings)
    plan = data.plan(batch_tokens)
    steps_a_round = len(plan.batches(0, data.order(0)))
    steps_an_epoch = steps_a_round / data.epochs_a_round
    steps = max(1, round(settings.epochs * steps_an_epoch))
    steps = min(steps, settings.max_steps or steps)
    some = settings.eval_tokens or affordable_tokens(parameters, device.type)
    held_out, every_row = (
        HeldOut(
            data.valid,
            at_most=at_most,
            batch_tokens=max(batch_tokens, 1024),
            seed=settings.seed,
            device=device,
        )
        for at_most in (some, data.valid.total_tokens)
    )
    at = Position()
    newest = checkpoint_folders(run.checkpoints)[-1:] if resume else []
    for path in newest:
        at = load_checkpoint(path, model, optimizer)
    began -= at.seconds
    budget = None if settings.minutes is None else settings.minutes * 60
    course = Course(steps, budget, began=began)
    journal.write(
        "start",
        steps=steps,
        steps_an_epoch=max(1, round(steps_an_epoch)),
        epoch_tokens=data.epoch_tokens,
        expected_shares={share.handle: share.share for share in data.shares},
        train_tweets=len(data.train.rows),
        valid_tweets=len(data.valid.rows),
        valid_tokens=held_out.tokens,
        batch_tokens=batch_tokens,
        parameters=parameters,
        trained_parameters=sum(weight.numel() for weight in weights),
        device=devices.device_name(device),
        arithmetic=str(dtype).removeprefix("torch."),
        seconds=course.seconds,
        resumed_from=at.step if newest else None,
    )

    def measure(phase: str, rows: HeldOut) -> Measure | None:
        with devices.in_arithmetic(device, dtype):
            found = rows.measure(score, give_up=lambda: phase == "all" and stop.asked)
        if found:
            journal.write(
                "eval",
                step=at.step,
                phase=phase,
                valid_loss=found.loss,
                tokens=found.tokens,
                bits_per_byte=found.bits_per_byte,
                tokens_by_author=at.tokens_by_author,
            )
        return found

    said_at = -1

    def show_samples() -> None:
        nonlocal said_at
        if said_at == at.step:
            return  # nothing has been learned since
        said_at = at.step
        with devices.in_arithmetic(device, dtype):
            texts = glimpse(
                model, data.tokenizer, separator=data.separator, seed=settings.seed + at.step
            )
        for text in texts:
            if text:
                journal.sample(at.step, text)

    measuring = time.monotonic()
    if not newest:
        first = measure("before", held_out)
        at.valid_before = first.loss if first else None
    measuring = time.monotonic() - measuring
    course.start(reserve=_seconds_to_finish(measuring, parameters), done=at.done)

    # ── the steps ────────────────────────────────────────────────────────────────────────
    take_step = BatchStep(score, optimizer, weights, clip=settings.clip, device=device, dtype=dtype)
    recent: deque[tuple[float, int]] = deque(maxlen=RECENT_STEPS)
    pending: list[tuple[torch.Tensor, int]] = []
    best = Best(weights) if settings.keep_best else None
    eval_due = _Every(settings.eval_seconds or _eval_seconds(settings.minutes))
    save_due = _Every(settings.checkpoint_seconds)
    log_due = _Every(LOG_SECONDS)
    norm = torch.zeros(())
    rate = 0.0

    def log() -> None:
        """One line for the steps since the last one; raises MynahError when they went wrong."""
        losses = [(float(loss), tokens) for loss, tokens in pending]
        pending.clear()
        if not losses:
            return
        if not all(math.isfinite(loss) for loss, _ in losses):
            raise MynahError(
                f"The loss is not a number after step {at.step}.",
                f"The learning rate {settings.lr:g} is probably too high for this base.",
                f"Try --lr {settings.lr / 4:.1g}.",
            )
        recent.extend(losses)
        speed = at.tokens / max(at.train_seconds, 1e-9)
        journal.write(
            "train",
            step=at.step,
            steps=steps,
            loss=_mean(losses),
            lr=rate,
            grad_norm=float(norm),
            tokens=at.tokens,
            tokens_per_second=speed,
            epoch=(at.epoch * steps_a_round + at.batch) / steps_an_epoch,
            done=course.done(at.step),
            seconds=course.seconds,
            seconds_left=course.seconds_left(at.step, at.train_seconds / max(at.step, 1)),
        )
        log_due.again()

    def checkpoint() -> None:
        log()  # a loss that is not a number ends the run before it reaches the disk
        at.seconds, at.done = course.seconds, course.done(at.step)
        writing = time.monotonic()
        path = save_checkpoint(run.checkpoints, model, optimizer, at)
        journal.write(
            "checkpoint", step=at.step, name=path.name, tokens_by_author=at.tokens_by_author
        )
        # never more than a twentieth of the time goes into checkpoints
        save_due.again(max(settings.checkpoint_seconds, 20 * (time.monotonic() - writing)))

    for batch in _endless(plan, data, at):
        done = course.done(at.step)
        if done >= 1 or at.step >= steps or stop.asked or (best and best.hopeless):
            break
        stepping = time.monotonic()
        rate = learning_rate(done, peak=settings.lr, warmup=settings.warmup)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss, norm = take_step(batch.rows)
        at.step += 1
        at.batch += 1
        tokens = sum(batch.tokens.values())
        at.tokens += tokens
        for author, count in batch.tokens.items():
            handle = data.handles[author]
            at.tokens_by_author[handle] = at.tokens_by_author.get(handle, 0) + count
        pending.append((loss, tokens))
        if log_due.now():
            # asking for the loss waits for the device, so that its time is counted too
            pending[-1] = (loss.cpu(), tokens)
        at.train_seconds += time.monotonic() - stepping
        if log_due.now():
            log()
        if save_due.now():
            checkpoint()
        # not shortly before the end, which measures anyway
        if eval_due.now() and course.done(at.step) < 0.9:
            log()
            found = measure("during", held_out)
            if best and found:
                best.look(found.loss, at.step)
            show_samples()
            eval_due.again()
    log()

    # ── the end ──────────────────────────────────────────────────────────────────────────
    stopped = stop.asked
    journal.phase("saving")
    if stopped:
        checkpoint()
    reason = "It was asked to stop; its model is what it had learned by then." if stopped else ""
    if best and best.worse and not stopped:
        if best.last_step < at.step and (found := measure("during", held_out)):
            best.look(found.loss, at.step)
        if best.last > best.loss + CLEARLY:
            best.restore()
            reason = f"It had begun to learn by heart; its model is that of step {best.step}."
    peak = devices.peak_memory(device)
    merged = merge_adapters(adapted) if adapted is not None else model
    save_model(run.model, merged, data.tokenizer, separator=data.separator, dtype=stored)
    # Measured on what was saved, rounding and all, in the arithmetic of the first measurement.
    with devices.in_arithmetic(device, dtype):
        score = Scorer(merged.to(resting))
    last = measure("after", held_out)
    in_no_hurry = settings.minutes is None and not stopped
    if in_no_hurry and data.valid.total_tokens > held_out.tokens:
        measure("all", every_row)
    if not stopped:
        show_samples()
    return Result(
        state="stopped" if stopped else "finished",
        reason=reason,
        steps=at.step,
        tokens=at.tokens,
        tokens_by_author=at.tokens_by_author,
        expected_shares={share.handle: share.share for share in data.shares},
        tokens_per_second=at.tokens / at.train_seconds if at.train_seconds else None,
        train_loss=_mean(list(recent)),
        valid_loss_before=at.valid_before,
        valid_loss_after=last.loss if last else None,
        valid_tokens=held_out.tokens,
        best_step=best.step if best and reason and not stopped else None,
        model_dir=str(run.model),
        device=devices.device_name(device),
        seconds=course.seconds,
        peak_memory=peak,
    )


class _Every:
    """Whether so many seconds have gone by since the last time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due = time.monotonic() + seconds

    def now(self) -> bool:
        return time.monotonic() >= self._due

    def again(self, seconds: float | None = None) -> None:
        self._seconds = self._seconds if seconds is None else seconds
        self._due = time.monotonic() + self._seconds


def _endless(plan: EpochPlan, data: RunTweets, at: Position) -> Iterator[Batch]:
    """The batch that ``at`` points at, again and again; moves ``at`` on from round to round."""
    for epoch in itertools.count(at.epoch):
        batches = plan.batches(epoch, data.order(epoch))
        while at.batch < len(batches):
            yield batches[at.batch]
        at.epoch, at.batch = epoch + 1, 0


def _suit_attention(
    model: Any, device: torch.device, dtype: torch.dtype, settings: TrainSettings
) -> None:
    """Short rows in bfloat16 on a CPU: plain products beat PyTorch's fused attention by 10-20 %."""
    if device.type == "cpu" and dtype == torch.bfloat16 and settings.row_tokens <= 256:
        model.set_attn_implementation("eager")


def _adamw(weights: list[torch.Tensor], settings: TrainSettings) -> torch.optim.AdamW:
    options: dict[str, Any] = {
        "lr": settings.lr,
        "betas": (0.9, settings.beta2),
        "weight_decay": settings.weight_decay,
    }
    try:
        return torch.optim.AdamW(weights, fused=True, **options)
    except (RuntimeError, TypeError):  # not on every device
        return torch.optim.AdamW(weights, **options)


def _batch_tokens(device_type: str, epoch_tokens: int, settings: TrainSettings) -> int:
    """On a CPU small steps teach most for the time; a GPU wants large ones, but enough of them."""
    if device_type == "cpu":
        return CPU_BATCH
    wanted = int(settings.epochs * epoch_tokens / STEPS_WANTED)
    return min(max(wanted, CPU_BATCH), LARGEST_BATCH)


def _eval_seconds(minutes: float | None) -> float:
    return 60.0 if minutes is None else min(max(minutes * 60 / 4, 20.0), 120.0)


def _seconds_to_finish(measuring: float, parameters: int) -> float:
    """What the last measurement and writing the model take: about 4e8 bytes a second."""
    return measuring + 0.5 + 2 * parameters * 4 / 4e8


def _mean(losses: list[tuple[float, int]]) -> float | None:
    """Nats a token over steps given as (sum of losses, tokens)."""
    tokens = sum(count for _, count in losses)
    return sum(loss for loss, _ in losses) / tokens if tokens else None
