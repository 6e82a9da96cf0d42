"""Summaries of runs: one line each, the result of one, and following all of them."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from core.errors import InputRefused
from core.home import Home
from core.json_lines import read_json_lines
from core.runs.curve import whole_curve
from core.runs.folder import ENDED, GOING, Run, all_runs, stale_reason
from core.runs.follow import (
    FileState,
    RunReader,
    file_state,
    is_alive,
    last_of_state,
    run_state,
)
from core.runs.history import RunHistory
from core.runs.record import Result, RunRecord
from core.runs.settings import TrainSettings
from core.runs.shares import AuthorShare, author_shares
from core.runs.story import story, why_early
from core.runs.tracked import Tracked, all_tracked
from core.safe_text import printable

# Of a long journal the summary reads so many bytes at its start and at its end.
_HEAD_BYTES: Final = 1 << 14
_TAIL_BYTES: Final = 1 << 18
_LOG_BYTES: Final = 1 << 17
# How long one look at all runs may take up the reader; the rest comes with the next look.
_LOOK_SECONDS: Final = 0.15
# So many runs that have ended are looked at with those that go on, of how many there are: somebody
# may have renamed or resumed one in another terminal.
_AT_REST_A_LOOK: Final = 16


@dataclass(frozen=True)
class RunSummary:
    """A run at a glance. Losses are nats a token; ``started`` and ``ended`` are ISO, UTC.

    ``shares`` are of the tokens that it learns from, by handle. ``stale`` says what of its data
    was forgotten since; ``tracked`` where else the run can be looked at. ``sweep`` is the name
    of the sweep that it is a trial of, and ``trial`` which, counted from 1. ``waits_for``: the
    run that a queued one waits for. ``continues``: the run with whose weights it began; its
    ``base`` is what the first of them began with. ``answers``: whether it learns to answer.
    ``name``, ``note`` and ``tags`` are a person's own. ``settings`` are None where they are
    missing or damaged.
    """

    run: str
    handles: list[str]
    names: dict[str, str]
    base: str
    method: str
    preset: str
    state: str
    reason: str
    doing: str
    step: int
    steps: int | None
    train_loss: float | None
    valid_loss: float | None
    started: str | None
    ended: str | None
    device: str
    folder: Path
    shares: dict[str, AuthorShare] = field(default_factory=dict)
    stale: str | None = None
    tracked: list[Tracked] = field(default_factory=list)
    sweep: str | None = None
    trial: int | None = None
    waits_for: str | None = None
    continues: str | None = None
    name: str = ""
    note: str = ""
    tags: list[str] = field(default_factory=list)
    settings: TrainSettings | None = None
    answers: bool = False

    @property
    def started_at(self) -> datetime | None:
        try:
            when = datetime.fromisoformat(self.started) if self.started else None
        except ValueError:
            return None
        return when.replace(tzinfo=timezone.utc) if when and not when.tzinfo else when

    @property
    def base_in_words(self) -> str:
        """``smollm2`` or ``smollm2 in 4 bits``, as it was while the run learned."""
        held = " in 4 bits" if self.settings is not None and self.settings.four_bit else ""
        return f"{self.base}{held}"

    @property
    def has_model(self) -> bool:
        """Whether there is a model to sample from."""
        return (self.folder / "model" / "config.json").is_file()

    def log_text(self) -> str:
        """What happened, and the end of train.log where its process printed anything; safe."""
        journal = read_json_lines(self.folder / "metrics.jsonl", head=_HEAD_BYTES, tail=_TAIL_BYTES)
        lines = list(story(journal))
        if self.reason and not any(self.reason in line for line in lines):
            lines.append(self.reason)  # a process that is gone has written no end
        text = "\n".join(lines)
        try:
            with (self.folder / "train.log").open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - _LOG_BYTES))
                printed = file.read().decode("utf-8", "replace").strip()
        except OSError:
            printed = ""
        if printed:
            text += f"\n\nIts process printed:\n{printed}"
        return printable(text.lstrip(), keep_newlines=True)

    def to_json(self) -> dict[str, Any]:
        """The fields of `mynah runs --json`."""
        names = (
            "run name note tags handles base state waits_for step steps train_loss valid_loss "
            "started ended stale sweep trial continues"
        ).split()
        shares = {handle: share.to_json() for handle, share in self.shares.items()}
        return {name: getattr(self, name) for name in names} | {"shares": shares}


def summarise(run: Run, record: RunRecord, history: RunHistory, state: str) -> RunSummary:
    """What ``record`` (run.json) and ``history`` say, in one line."""
    ended = state in ENDED
    result = history.result or record.result or Result() if ended else Result()
    reason = result.reason or record.reason if ended else ""
    if state == "dead":
        reason = (
            "Its process was never started."
            if record.pid is None
            else "Its process is gone and did not say goodbye."
        )
    settings = record.train_settings
    reason = reason or why_early(state, history.step, history.steps)
    losses = _last(history.train_losses), _last(history.valid_losses)
    return RunSummary(
        run=run.id,
        handles=record.handles,
        names=record.names,
        base=record.base_name if record.continues else record.base,
        method=settings.method if settings else "",
        preset=settings.preset if settings else "",
        state=state,
        reason=reason,
        doing=history.doing,
        step=history.step or result.steps or 0,
        steps=history.steps,
        train_loss=losses[0] if result.train_loss is None else result.train_loss,
        valid_loss=losses[1] if result.valid_loss_after is None else result.valid_loss_after,
        started=record.created or None,
        ended=record.ended if ended else None,
        device=result.device or history.device,
        folder=run.folder,
        shares=author_shares(
            record.handles,
            history.expected_shares or result.expected_shares or record.expected_shares,
            history.tokens_by_author or result.tokens_by_author,
        ),
        stale=stale_reason(run.folder),
        tracked=all_tracked(run),
        sweep=record.sweep.name if record.sweep else None,
        trial=record.sweep.trial if record.sweep else None,
        waits_for=history.waits_for or None if state == "queued" else None,
        continues=record.continues.run if record.continues else None,
        name=record.name,
        note=record.note,
        tags=record.tags,
        settings=settings,
        answers=record.answering is not None,
    )


def list_runs(home: Home) -> list[RunSummary]:
    """Every run on this machine, newest first; reads only the ends of what they wrote."""
    summaries = []
    for run in all_runs(home):
        try:
            summaries.append(run_summary(run))
        except InputRefused:
            continue  # it went away, or is damaged: not a run any more
    return summaries


def run_summary(run: Run) -> RunSummary:
    """One run, from run.json and the first and last lines of metrics.jsonl; raises InputRefused."""
    return _summary_and_history(run)[0]


def _summary_and_history(run: Run) -> tuple[RunSummary, RunHistory]:
    """The history is that of the journal's first and last lines."""
    record = run.record()
    alive = record.state not in ENDED and is_alive(run, record)
    lines = list(read_json_lines(run.metrics, head=_HEAD_BYTES, tail=_TAIL_BYTES))
    history = RunHistory()
    history.take(lines)
    state = run_state(run, record, last_of_state(lines), alive=alive)
    return summarise(run, record, history, state), history


def run_result(run: Run) -> dict[str, Any]:
    """The fields of `mynah train --json`; figures that are not known yet are None."""
    summary, history = _summary_and_history(run)
    end = history.result or Result()
    model = run.model if summary.has_model else None
    return {
        "run": run.id,
        "base": summary.base,
        "steps": _first(end.steps, summary.step),
        "tokens": _first(end.tokens, history.tokens),
        "tokens_per_second": _first(end.tokens_per_second, history.tokens_per_second),
        "train_loss": summary.train_loss,
        "valid_loss_before": _first(end.valid_loss_before, history.valid_before),
        "valid_loss_after": summary.valid_loss,
        "valid_tweets": history.valid_tweets,
        "memorised_train": _first(end.memorised_train, _last(history.memorised_train)),
        "memorised_held_out": _first(end.memorised_held_out, _last(history.memorised_held_out)),
        "state": summary.state,
        "model_dir": str(model) if model else None,
        "device": summary.device,
        "memory_needed": run.record().memory_needed,
        "peak_memory": end.peak_memory,
        "shares": {handle: share.to_json() for handle, share in summary.shares.items()},
        "tracked": [one.to_json() for one in summary.tracked],
    }


def run_snapshot(home: Home, run: Run) -> dict[str, Any]:
    """The fields of `mynah watch --once --json`: those of `run_result`, how far the run is, what it
    said, and its whole curve (see `whole_curve`).
    """
    summary, history = RunsFollower(home, only=run.id).catch_up()
    return run_result(run) | {
        "handles": summary.handles,
        "step": summary.step,
        "steps_planned": summary.steps,
        "done": 1.0 if summary.state == "finished" else history.done,
        "doing": summary.doing,
        "waits_for": summary.waits_for,
        "seconds": history.seconds,
        "seconds_left": history.seconds_left,
        "reason": summary.reason,
        "notes": history.notes,
        "warnings": history.warnings,
        "samples": [{"step": one.step, "text": one.text} for one in history.samples],
        "curve": whole_curve(run),
    }


class RunsFollower:
    """All runs of a home, or only one, each read a slice at a time.

    A look costs little when there is nothing new: no file is read that is as it was.
    """

    def __init__(self, home: Home, only: str | None = None) -> None:
        self._home = home
        self._only = only
        self._known: dict[str, tuple[Run, str]] = {}  # and when it was created
        self._readers: dict[str, RunReader] = {}
        self._histories: dict[str, RunHistory] = {}
        self._summaries: dict[str, RunSummary] = {}
        self._files: dict[str, tuple[FileState, ...]] = {}
        self._read_at: dict[str, float] = {}

    def poll(self, *, every: bool = True) -> tuple[list[RunSummary], dict[str, RunHistory], bool]:
        """Summaries (newest first), histories by run id, and whether anything changed.

        The histories are the same objects each time and grow in place. Of the runs that do not go
        on, only some are looked at each time, in turns, unless it is ``every`` one.
        """
        runs = self._runs()
        before = self._summaries
        until = time.monotonic() + _LOOK_SECONDS
        changed = False
        in_order = sorted(runs, key=self._turn)
        self._summaries = {}
        in_time, at_rest = True, 0
        for run in in_order:
            known = before.get(run.id)
            if known is not None and known.state not in GOING:
                at_rest += 1
            if known is None or (in_time and (every or at_rest <= _AT_REST_A_LOOK)):
                changed |= self._look(run, known, read=in_time)
            else:
                self._summaries[run.id] = known
            in_time = time.monotonic() < until
        found = self._summaries
        self._summaries = {run.id: found[run.id] for run in runs if run.id in found}
        histories = {name: self._histories[name] for name in self._summaries}
        return list(self._summaries.values()), histories, changed or self._summaries != before

    def _runs(self) -> list[Run]:
        """Every run folder, newest first; of those that are known already nothing is read."""
        if self._only:
            return [Run(self._home.runs / self._only)]
        try:
            with os.scandir(self._home.runs) as found:
                names = {entry.name for entry in found}
        except OSError:
            return []
        for name in names - self._known.keys():
            run = Run(self._home.runs / name)
            with suppress(InputRefused):
                self._known[name] = run, run.record().created
        there = [known for name, known in self._known.items() if name in names]
        there.sort(key=lambda known: (known[1], known[0].id), reverse=True)
        return [run for run, _ in there]

    def _turn(self, run: Run) -> tuple[bool, float]:
        """Runs that go on come first, then those that were not read for the longest time."""
        known = self._summaries.get(run.id)
        going = known is not None and known.state in GOING
        return not going, self._read_at.get(run.id, 0.0)

    def catch_up(self) -> tuple[RunSummary, RunHistory]:
        """The newest run, or the only one, after all of its journal."""
        changed = True
        while changed:
            summaries, histories, changed = self.poll()
        return summaries[0], histories[summaries[0].run]

    def _look(self, run: Run, known: RunSummary | None, *, read: bool) -> bool:
        """Reads one slice of ``run`` when ``read``; returns whether it held anything new."""
        reader = self._readers.get(run.id)
        if reader is None:
            reader = self._readers[run.id] = RunReader(run)
        try:
            record = reader.record()
        except InputRefused:
            if self._only:
                raise
            return False
        history = self._histories.setdefault(run.id, RunHistory())
        if not read:
            self._summaries[run.id] = run_summary(run)
            return True
        self._read_at[run.id] = time.monotonic()
        files = reader.record_state, *map(file_state, reader.beside)
        update = reader.poll()
        news = bool(update.records or update.samples)
        if news or known is None or known.state != update.state or files != self._files.get(run.id):
            history.take(update.records)
            history.take_samples(update.samples)
            self._summaries[run.id] = summarise(run, record, history, update.state)
        else:
            self._summaries[run.id] = known
        self._files[run.id] = files
        return news


def _first(value: float | None, other: float | None) -> float | None:
    return other if value is None else value


def _last(values: list[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)
