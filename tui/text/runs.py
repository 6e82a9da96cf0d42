"""Sentences about a run, for those who cannot see its curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.runs.folder import GOING
from tui.text.numbers import about, loss, percent, plural

if TYPE_CHECKING:
    from core.runs.history import RunHistory
    from core.runs.summary import RunSummary

# Nats a token: two losses that differ by less are the same in these sentences.
_SAME = 0.005
# An end of the curve that is so near its best says nothing about a turn.
_CLEARLY = 0.03


def snapshot(summary: RunSummary, history: RunHistory) -> list[str]:
    """All that is worth knowing about a run at this moment, a sentence or two each."""
    who = " and ".join("@" + handle for handle in summary.handles) or "nobody"
    by = f" ({summary.name})" if summary.name else ""
    after = f", and goes on from the run {summary.continues}" if summary.continues else ""
    sentences = [f"Run {summary.run}{by} learns from {who}, on the base {summary.base}{after}."]
    going = summary.state in GOING
    sentences.append(how_far(summary, history) if going else how_it_ended(summary, history))
    sentences += [
        sentence for sentence in (held_out(history), given_back(history)) if sentence is not None
    ]
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
