"""Following a run from a command: its measurements as they come, and its result at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from core.errors import Interrupted, MynahError
from core.home import Home
from core.numbers import percent
from core.runs.folder import GOING
from tui.cli.output import ProgressNote, emit, emit_json, narrate, pairs
from tui.text import runs as sentences
from tui.text.numbers import clock, count, loss, rate, short_count
from tui.text.terminal import TerminalSignals, signals_to

if TYPE_CHECKING:
    from core.runs.folder import Run
    from core.runs.history import RunHistory
    from core.runs.summary import RunsFollower, RunSummary

# Where there is no line of progress, how far a run is is said after a tenth of it, but not so soon
# again; and after a minute, however little that was.
_SOONEST: Final = 10.0
_LATEST: Final = 60.0
# What a run is busy with before it learns is said when it takes so long.
_BUSY: Final = 3.0
# States in which a run says what its train loss was in the end.
_SAID_THE_END: Final = ("finished", "stopped")


def finish(home: Home, run: Run, as_json: bool) -> None:
    """Follow a run that this command has started, and show what came of it, however it ends."""
    try:
        summary = follow(home, run, stop_on_interrupt=True)
    except Interrupted:
        show_result(run, as_json)
        raise
    show_result(run, as_json)
    refuse_failure(summary)


def follow(home: Home, run: Run, *, stop_on_interrupt: bool, plain: bool = False) -> RunSummary:
    """Narrate a run until it ends and return its summary.

    ``plain``: in sentences that stay, without a line that rewrites itself; what has happened
    before is summed up in some of them. ctrl+c stops the run, or only the watching; either way it
    raises Interrupted.
    """
    from core.runs.summary import RunsFollower

    with signals_to(sys.stderr) as terminal:
        return _follow(RunsFollower(home, only=run.id), run, terminal, stop_on_interrupt, plain)


def _follow(
    follower: RunsFollower,
    run: Run,
    terminal: TerminalSignals,
    stop_on_interrupt: bool,
    plain: bool,
) -> RunSummary:
    note = ProgressNote()
    news = News(note, how_far=plain or not note.live)
    try:
        if plain:
            summary, history = follower.catch_up()
            for sentence in sentences.snapshot(summary, history):
                narrate(sentence)
            narrate("ctrl+c ends the watching, not the run.")
            news.skip(history)
        while True:
            summary, history = look(follower, run)
            news.show(summary, history)
            if summary.state not in GOING:
                note.done()
                narrate(sentences.how_it_ended(summary, history))
                terminal.say(sentences.last_word(summary))
                return summary
            terminal.progress(history.done if history.train_steps else None)
            if not plain:
                ends = "ctrl+c stops" if stop_on_interrupt else "ctrl+c leaves it running"
                note(f"{progress_line(summary, history)} · {ends}")
            time.sleep(0.5)
    except KeyboardInterrupt:
        note.done()
        if not stop_on_interrupt:
            raise Interrupted(
                f"No longer watching; {run.id} goes on.", "", f"`mynah stop {run.id}` would end it."
            ) from None
        stop_and_wait(run)
        raise Interrupted(f"{run.id} was stopped.", what_is_left(run)) from None
    finally:
        note.done()


def look(follower: RunsFollower, run: Run) -> tuple[RunSummary, RunHistory]:
    """The run after one more slice of its journal."""
    summaries, histories, _ = follower.poll()
    return summaries[0], histories[run.id]


class News:
    """Prints each warning, note, measurement and sample of a run once; and, for those who have no
    line of progress, ``how_far`` it is from time to time.
    """

    def __init__(
        self, note: ProgressNote, *, how_far: bool, say: Callable[[str], object] = narrate
    ) -> None:
        self._note, self._how_far, self._to = note, how_far, say
        self._measured = self._memorised = (-1, 0)
        self._waits_for = self._doing = ""
        self._samples = self._warnings = self._notes = 0
        self._done, self._said_at = 0.0, time.monotonic()
        self._busy_since = self._said_at

    def skip(self, history: RunHistory) -> None:
        """What has happened by now is told already."""
        self._waits_for = history.waits_for
        self._notes, self._warnings = len(history.notes), len(history.warnings)
        self._samples, self._done = len(history.samples), history.done
        self._measured, self._memorised = _newest(history)

    def show(self, summary: RunSummary, history: RunHistory) -> None:
        if history.waits_for and history.waits_for != self._waits_for:
            self._say(f"It waits for {history.waits_for} to end.")
        self._waits_for = history.waits_for
        for note in history.notes[self._notes :]:
            self._say(note)
        self._notes = len(history.notes)
        for warning in history.warnings[self._warnings :]:
            self._say(f"Warning: {warning}")
        self._warnings = len(history.warnings)
        measured, memorised = _newest(history)
        if measured != self._measured and (sentence := sentences.held_out(history)):
            self._say(sentence)
        if memorised != self._memorised and (sentence := sentences.given_back(history)):
            self._say(sentence)
        self._measured, self._memorised = measured, memorised
        for sample in history.samples[self._samples :]:
            self._say(f"  generated: {sample.text}")
        self._samples = len(history.samples)
        if self._how_far and summary.state in GOING:
            self._say_how_far(summary, history)

    def _say_how_far(self, summary: RunSummary, history: RunHistory) -> None:
        now = time.monotonic()
        if history.doing != self._doing:
            self._doing, self._busy_since = history.doing, now
        if self._doing and now - self._busy_since >= _BUSY:
            self._say(f"It is busy: {self._doing}.")
            self._busy_since = float("inf")
        since = now - self._said_at
        far = history.done - self._done >= 0.1 and since >= _SOONEST
        if history.train_steps and not history.doing and (far or since >= _LATEST):
            self._say(sentences.how_far(summary, history))
            self._done, self._said_at = history.done, now

    def _say(self, sentence: str) -> None:
        self._note.done()
        self._to(sentence)


def _newest(history: RunHistory) -> tuple[tuple[int, int], tuple[int, int]]:
    """Step and number of the newest held-out loss and of the newest measure of memorisation."""
    measured, memorised = history.valid_steps, history.memorised_steps
    return (
        (measured[-1] if measured else -1, len(measured)),
        (memorised[-1] if memorised else -1, len(memorised)),
    )


def progress_line(summary: RunSummary, history: RunHistory) -> str:
    """How a run goes: ``step 12 of 90 · loss 4.12 · 300 tok/s · 0:40 left``."""
    measured = history.train_losses[-1] if history.train_losses else None
    steps = f"step {summary.step:,}" + (f" of {summary.steps:,}" if summary.steps else "")
    parts = [history.doing or summary.state, steps]
    if measured is not None:
        parts.append(f"loss {loss(measured)}")
    if history.tokens_per_second:
        parts.append(f"{short_count(history.tokens_per_second)} tok/s")
    if history.seconds_left is not None:
        parts.append(f"{clock(history.seconds_left)} left")
    return " · ".join(parts)


def stop_and_wait(run: Run) -> None:
    from core.runs.launch import stop_run

    narrate("stopping: it saves what it has learned…")
    stop_run(run)


def what_is_left(run: Run) -> str:
    """What one can do with a run that has ended."""
    if (run.model / "config.json").is_file():
        return f"Its model and curve are kept: `mynah sample {run.id}` talks to it."
    return "It had no time to make a model; what it wrote so far is kept."


def show_result(run: Run, as_json: bool) -> None:
    """The contract's object, or the same for reading."""
    from core.runs.summary import run_result

    result = run_result(run)
    if as_json:
        emit_json(result)
        return
    speed, train_loss = result["tokens_per_second"], result["train_loss"]
    # before the end it is the newest alone
    averaged = ", averaged over its last steps" if result["state"] in _SAID_THE_END else ""
    before, after = loss(result["valid_loss_before"]), loss(result["valid_loss_after"])
    emit(
        pairs(
            [
                ("run", result["run"]),
                ("state", result["state"]),
                ("base", result["base"]),
                ("device", result["device"]),
                ("steps", count(result["steps"])),
                ("tokens", count(result["tokens"]) + (f" at {rate(speed)}" if speed else "")),
                *_learned(result["shares"]),
                ("train loss", None if train_loss is None else loss(train_loss) + averaged),
                ("held-out loss", _nothing(result) or f"{before} → {after}"),
                ("given back", _nothing(result) or _given_back(result)),
                ("model", result["model_dir"]),
                *(
                    (
                        "tracked",
                        " ".join(
                            filter(None, (one["to"], one["mode"], one["url"] or one["state"]))
                        ),
                    )
                    for one in result["tracked"]
                ),
            ]
        )
    )


def _nothing(result: dict[str, Any]) -> str:
    """Why there is no measure on held-out tweets."""
    return "not measured: no tweet was held out" if result["valid_tweets"] == 0 else ""


def _given_back(result: dict[str, Any]) -> str | None:
    """How much of training and of held-out tweets it repeats; None when that was not measured."""
    train, held_out = result["memorised_train"], result["memorised_held_out"]
    if train is None or held_out is None:
        return None
    return f"{percent(train)} of training phrases word for word, {percent(held_out)} of held-out"


def _learned(shares: dict[str, dict[str, float | None]]) -> list[tuple[str, str]]:
    """A line for each account of a blend: its part of the tokens, and what was expected."""
    if len(shares) < 2:
        return []
    return [
        (
            f"@{handle}",
            f"{percent(share['measured'])} of them, expected {percent(share['expected'])}",
        )
        for handle, share in shares.items()
    ]


def refuse_failure(summary: RunSummary) -> None:
    """Raises MynahError for a run that came to a bad end."""
    if summary.state in ("failed", "dead"):
        raise MynahError(
            f"{summary.run} {'failed' if summary.state == 'failed' else 'is presumed dead'}.",
            summary.reason or "It gave no reason.",
            f"Its log is {summary.folder / 'train.log'}",
        )


def say_stale(summary: RunSummary) -> None:
    """One line when some of what a run was made from was forgotten since."""
    if summary.stale:
        narrate(f"▲ {summary.run} is stale. {summary.stale}")
