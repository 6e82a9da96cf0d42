"""Sentences about a run, for those who cannot see its curve."""

from __future__ import annotations

from dataclasses import fields
from math import sqrt
from typing import TYPE_CHECKING, Final

from core.numbers import percent, plural
from tui.text.numbers import about, loss

if TYPE_CHECKING:
    from core.runs.history import RunHistory
    from core.runs.summary import RunSummary

# Nats a token: two losses that differ by less are the same in these sentences.
_SAME = 0.005
# An end of the curve that is so near its best says nothing about a turn.
_CLEARLY = 0.03
# Of the training loss, which is noisy: points in a fifth of the curve, and standard errors, that it
# takes to speak of a trend.
_FEWEST_TO_TELL: Final = 3
_BEYOND: Final = 2.0
# Of a long curve so many steps are listed, evenly spaced.
_POINTS: Final = 40


def snapshot(summary: RunSummary, history: RunHistory) -> list[str]:
    """All that is worth knowing about a run at this moment, a sentence or two each."""
    from core.runs.folder import GOING

    who = " and ".join("@" + handle for handle in summary.handles) or "nobody"
    by = f" ({summary.name})" if summary.name else ""
    after = f", and goes on from the run {summary.continues}" if summary.continues else ""
    sentences = [
        f"Run {summary.run}{by} learns from {who}, on the base {summary.base_in_words}{after}."
    ]
    going = summary.state in GOING
    sentences.append(how_far(summary, history) if going else how_it_ended(summary, history))
    told = (train_curve(history), held_out(history), given_back(history), memory_curve(history))
    sentences += [sentence for sentence in told if sentence is not None]
    if not going and history.tokens_per_second:
        sentences.append(f"Its speed was {history.tokens_per_second:,.0f} tokens a second.")
    sentences += [f"Warning: {warning}" for warning in dict.fromkeys(history.warnings)]
    if going and history.samples:
        newest = history.samples[-1]
        sentences.append(f"Generated after step {newest.step:,}: {newest.text}")
    return sentences


def how_far(summary: RunSummary, history: RunHistory) -> str:
    """Step, share, time left, speed and training loss of a run that goes on."""
    if summary.waits_for:
        return f"It waits for {summary.waits_for} to end."
    if not history.train_steps:
        return f"It has not begun to learn: {history.doing or summary.state}."
    of = f" of {summary.steps:,}" if summary.steps else ""
    share = f", {percent(history.done)} of the run" if history.done else ""
    left = f", with {about(history.seconds_left)} left" if history.seconds_left is not None else ""
    doing = {"stopping": "It is stopping, at", "running": "It is at"}.get(summary.state, "It is at")
    speed = (
        f" It learns from {history.tokens_per_second:,.0f} tokens a second."
        if history.tokens_per_second
        else ""
    )
    return (
        f"{doing} step {history.step:,}{of}{share}{left}.{speed} "
        f"Its training loss is {loss(history.train_losses[-1], 2)}."
    )


def held_out(history: RunHistory) -> str | None:
    """The newest held-out loss, against the first and the best; None before there is one."""
    if history.valid_tweets == 0:
        return "No tweet is held out, so there is no held-out loss."
    if not history.valid_steps:
        return None
    step, newest = history.valid_steps[-1], history.valid_losses[-1]
    if newest is None:
        return f"After step {step:,} the held-out loss was not a number."
    measured = [
        (found, at)
        for at, found in zip(history.valid_steps, history.valid_losses, strict=True)
        if found is not None
    ]
    first = history.valid_before if history.valid_before is not None else measured[0][0]
    if len(measured) == 1:
        return f"Before its first step the held-out loss is {loss(newest, 2)}."
    change = newest - first
    if abs(change) < _SAME:
        against = "as it was at the start"
    else:
        less = "less" if change < 0 else "more"
        against = f"{loss(abs(change), 2)} {less} than the {loss(first, 2)} of the start"
    best, best_step = min(measured)
    subject, of_all = f"After step {step:,} the held-out loss is", "so far"
    if (result := history.result) is not None and result.valid_loss_after == newest:
        kept = result.best_step or step
        subject, of_all = f"The held-out loss of its model, that of step {kept:,}, is", "of the run"
    if newest <= best + _SAME:
        compared = f"the best {of_all}"
    elif newest <= best + _CLEARLY:
        compared = f"about as good as the best, {loss(best, 2)} after step {best_step:,}"
    else:
        compared = f"worse than the best, {loss(best, 2)} after step {best_step:,}"
    if best_step == step and abs(change) < _SAME:
        return f"{subject} {loss(newest, 2)}, {against}."
    return f"{subject} {loss(newest, 2)}: {against}, and {compared}."


def given_back(history: RunHistory) -> str | None:
    """What it gives back word for word; None before that was measured."""
    if not history.memorised_steps:
        return None
    train, elsewhere = history.memorised_train[-1], history.memorised_held_out[-1]
    return (
        f"It gives back {percent(train)} of the phrases of its training tweets word for word, and "
        f"{percent(elsewhere)} of those of held-out tweets."
    )


def train_curve(history: RunHistory) -> str | None:
    """Where the training loss began and is, its lowest point, and whether it still falls.

    None with fewer than two points.
    """
    points = [
        (step, found)
        for step, found in zip(history.train_steps, history.train_losses, strict=True)
        if found is not None
    ]
    if len(points) < 2:
        return None
    (_, first), (step, last) = points[0], points[-1]
    lowest_at, lowest = min(points, key=lambda point: point[1])
    if abs(last - first) < _SAME:
        moved = f"The training loss is {loss(last, 2)} after {plural(step, 'step')}, as it began"
    else:
        how = "fell" if last < first else "rose"
        moved = (
            f"The training loss {how} from {loss(first, 2)} to {loss(last, 2)} in "
            f"{plural(step, 'step')}"
        )
    low = f", lowest {loss(lowest, 2)} at step {lowest_at:,}" if lowest_at != step else ""
    trend = _trend([found for _, found in points])
    return f"{moved}{low}{f', {trend}' if trend else ''}."


def _trend(losses: list[float]) -> str:
    """``still falling``: the last fifth beside the one before it, beyond the noise of both."""
    from statistics import mean, variance

    size = len(losses) // 5
    if size < _FEWEST_TO_TELL:
        return ""
    before, newest = losses[-2 * size : -size], losses[-size:]
    change = mean(newest) - mean(before)
    noise = sqrt((variance(newest) + variance(before)) / size)
    if abs(change) <= max(_SAME, _BEYOND * noise):
        return "hardly changing at the end"
    return "still falling" if change < 0 else "rising at the end"


def memory_curve(history: RunHistory) -> str | None:
    """How the share of training phrases that it gives back has changed; None with one point."""
    points = [
        (step, found)
        for step, found in zip(history.memorised_steps, history.memorised_train, strict=True)
        if found is not None
    ]
    if len(points) < 2:
        return None
    (first_at, first), (last_at, last) = points[0], points[-1]
    began, ends, what = percent(first), percent(last), "What it gives back of its training phrases"
    if began == ends:  # to a reader they are the same
        return f"{what} word for word is {ends} at step {last_at:,}, as at step {first_at:,}."
    how = "rose" if last > first else "fell"
    return (
        f"{what} word for word {how} from {began} at step {first_at:,} to {ends} at step "
        f"{last_at:,}."
    )


def curve_points(history: RunHistory) -> list[str]:
    """``step 20: training loss 6.20, held-out loss 6.02``, a line a step: each at which the
    held-out loss was measured, and of the others so many, evenly spaced.
    """
    found: dict[int, list[str]] = {}
    train = list(zip(history.train_steps, history.train_losses, strict=True))
    spaced = {train[at * (len(train) - 1) // _POINTS][0] for at in range(_POINTS + 1) if train}
    measured = set(history.valid_steps)
    for step, value in train:
        if step in spaced or step in measured:
            found.setdefault(step, []).append(f"training loss {loss(value)}")
    for step, value in zip(history.valid_steps, history.valid_losses, strict=True):
        found.setdefault(step, []).append(f"held-out loss {loss(value)}")
    for step, share in zip(history.memorised_steps, history.memorised_train, strict=True):
        if step in found:
            found[step].append(f"gives back {percent(share)} of training phrases")
    return [f"step {step:,}: {', '.join(found[step])}" for step in sorted(found)]


def compared(one: RunSummary, other: RunSummary) -> list[str]:
    """Two runs beside each other: their losses, and the settings in which they differ."""
    a, b = one.name or one.run, other.name or other.run
    sentences = []
    if one.valid_loss is None or other.valid_loss is None:
        lacking = a if one.valid_loss is None else b
        sentences.append(f"The run {lacking} has no held-out loss, so the two cannot be compared.")
    else:
        less = other.valid_loss - one.valid_loss
        losses = (
            f"The held-out loss of {a} is {loss(one.valid_loss, 2)}, that of {b} is "
            f"{loss(other.valid_loss, 2)}"
        )
        better = a if less > 0 else b
        verdict = (
            "they are as good as each other"
            if abs(less) < _SAME
            else f"{better} is better by {loss(abs(less), 2)}"
        )
        sentences.append(f"{losses}: {verdict}.")
        if set(one.handles) != set(other.handles):
            sentences.append(
                "They learn from different accounts, so the losses are of different tweets and "
                "say little about which is better."
            )
        elif one.base != other.base:
            sentences.append(
                "Their bases cut words into different tokens, so a loss of one is not quite the "
                "measure of the other."
            )
    differ = settings_that_differ(one, other)
    sentences.append(
        "They have the same settings." if not differ else f"They differ in {'; '.join(differ)}."
    )
    return sentences


def settings_that_differ(one: RunSummary, other: RunSummary) -> list[str]:
    """``minutes: 2 and 5``, for each setting that is not the same, the base and steps included."""
    pairs: list[tuple[str, object, object]] = [
        ("accounts", "+".join(one.handles), "+".join(other.handles)),
        ("base", one.base, other.base),
    ]
    if one.settings is not None and other.settings is not None:
        pairs += [
            (field.name, getattr(one.settings, field.name), getattr(other.settings, field.name))
            for field in fields(one.settings)
            if field.name != "base"
        ]
    pairs.append(("steps", one.step, other.step))
    return [
        f"{name.replace('_', ' ')}: {_limit_or(first)} and {_limit_or(second)}"
        for name, first, second in pairs
        if first != second
    ]


def _limit_or(value: object) -> str:
    """None is a setting without a limit, such as minutes."""
    return "no limit" if value is None else setting(value)


def how_it_ended(summary: RunSummary, history: RunHistory) -> str:
    """State, steps and time of a run that has ended, and why where there is a reason."""
    how = {
        "finished": "It has finished",
        "stopped": "It was stopped",
        "failed": "It has failed",
        "dead": "It is presumed dead",
    }.get(summary.state, f"It is {summary.state}")
    after = f" after {plural(summary.step, 'step')}" if summary.step else ""
    took = f" and {about(history.seconds)}" if after and history.seconds is not None else ""
    reason = f" {summary.reason}" if summary.reason else ""
    return f"{how}{after}{took}.{reason}"


def last_word(summary: RunSummary) -> str:
    """The end of a run in so few words that a notification holds them."""
    how = {"finished": "has finished", "stopped": "was stopped", "failed": "has failed"}
    name = summary.name or summary.run
    measured = (
        "" if summary.valid_loss is None else f", held-out loss {loss(summary.valid_loss, 2)}"
    )
    return f"{name} {how.get(summary.state, 'is presumed dead')}{measured}"


def setting(value: object) -> str:
    """A training setting as a sweep file has it, a number with four digits at most."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
