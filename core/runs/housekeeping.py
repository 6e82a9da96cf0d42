"""What a person does with runs besides training: names, notes, tags, and taking them away."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

from core.errors import InputRefused, WrongUsage
from core.home import Home
from core.locks import Locked, held_lock
from core.runs.folder import GOING, Run, all_runs, runs_named, stale_reason
from core.runs.summary import run_summary
from core.safe_text import printable

LONGEST_NAME: Final = 60
LONGEST_NOTE: Final = 1000
LONGEST_TAG: Final = 30
TRASH_DAYS: Final = 7

# States of a run that has yet to load the weights that it begins with.
_UNBEGUN: Final = ("queued", "starting")
# The process of a run that has just ended may still be there for so many seconds.
_END_SECONDS: Final = 5.0
# Expired runs that a command removes in passing: each may take a second of disk work.
AT_ONCE: Final = 3
# In the trash: when it was deleted, and the folder's own name.
_IN_TRASH: Final = re.compile(r"(\d{8}T\d{6}Z)-(.+)")
_STAMP: Final = "%Y%m%dT%H%M%SZ"


def rename_run(home: Home, run: Run, name: str) -> None:
    """Gives a run a name, which every command takes in place of its id; an empty one takes it away.

    Raises WrongUsage for what is no name, InputRefused when another run is called so, or has that
    as its id.
    """
    name = _one_line(name, LONGEST_NAME, "name")
    if name == "latest":
        raise WrongUsage("A run cannot be called latest.", "That word means the newest run.")
    there = [one for one in all_runs(home) if one.id != run.id]
    if any(one.id == name for one in there):
        raise InputRefused(f"{name} is the id of another run.", "", "Choose another name.")
    others = runs_named(there, name)
    if others:
        raise InputRefused(
            f"{others[0].id} is called {name!r} already.", "", "Choose another name, or rename it."
        )
    run.update_record(name=name)


def note_run(run: Run, note: str) -> None:
    """Replaces what a person has noted on a run; raises WrongUsage when it is too long."""
    run.update_record(note=_one_line(note, LONGEST_NOTE, "note"))


def tag_run(run: Run, add: Iterable[str], remove: Iterable[str] = ()) -> None:
    """Adds and removes tags, in any case with or without ``#``; raises WrongUsage for no tag."""
    gone = {_tag(tag).casefold() for tag in remove}
    added = [tag for tag in map(_tag, add) if tag.casefold() not in gone]
    set_tags(run, [tag for tag in run.record().tags if tag.casefold() not in gone] + added)


def set_tags(run: Run, tags: Iterable[str]) -> None:
    """These tags, each once, in place of those that a run has; raises WrongUsage for no tag."""
    found: list[str] = []
    for tag in map(_tag, tags):
        if tag.casefold() not in {known.casefold() for known in found}:
            found.append(tag)
    run.update_record(tags=found)


def _tag(tag: str) -> str:
    tag = _one_line(tag, LONGEST_TAG, "tag").removeprefix("#")
    if not tag or " " in tag or "," in tag:
        raise WrongUsage("A tag is one word.", f"{tag!r} is not." if tag else "", "Join it with -.")
    return tag


def _one_line(text: str, longest: int, what: str) -> str:
    """``text`` in one line of visible characters."""
    text = printable(" ".join(text.split()))
    if len(text) > longest:
        raise WrongUsage(f"A {what} has at most {longest:,} characters; this has {len(text):,}.")
    return text


def parts_of(run: Run) -> list[str]:
    """What there is of a run, in words; what a delete takes away."""
    found = [
        ("model", (run.model / "config.json").is_file()),
        ("checkpoints", run.checkpoints.is_dir()),
        ("curve", run.metrics.exists()),
        ("samples", run.samples.exists()),
        ("dataset", run.dataset.is_dir()),
    ]
    return [name for name, there in found if there]


def refuse_delete(home: Home, run: Run) -> None:
    """Raises InputRefused for a run that has a process, or is about to have one, and for one whose
    weights another is about to begin with.
    """
    if run_summary(run).state in GOING:
        raise _going(run)
    for other in all_runs(home):
        if _is_to_begin_with(other, run):
            raise InputRefused(
                f"{other.id} is about to begin with the weights of {run.id}.",
                "It reads them when its turn has come.",
                f"Wait until it learns, or stop it: `mynah stop {other.id}`.",
            )


def _is_to_begin_with(other: Run, run: Run) -> bool:
    """Whether ``other`` waits or starts, and goes on from ``run`` or has its folder as base."""
    with suppress(InputRefused):  # it went away, or is damaged
        record = other.record()
        base = Path(record.base)
        if (record.continues is not None and record.continues.run == run.id) or (
            base.is_absolute() and base.resolve().is_relative_to(run.folder.resolve())
        ):
            return run_summary(other).state in _UNBEGUN
    return False


def _going(run: Run) -> InputRefused:
    return InputRefused(
        f"{run.id} is still going.", "Only a run that has ended is deleted.",
        f"Stop it first: `mynah stop {run.id}`.",
    )  # fmt: skip


def delete_run(home: Home, run: Run) -> None:
    """Moves a run that has ended into the trash, where it lies for a week.

    What has lain there for longer is removed. Raises InputRefused when the run is going, when
    another is about to begin with it, when a report on it is being made, or when its folder cannot
    be moved.
    """
    empty_trash(home, most=AT_ONCE)
    run.record()  # of a run that is gone no folder is made for the lock
    moved = home.trash / f"{datetime.now(timezone.utc):{_STAMP}}-{run.id}"
    try:
        with held_lock(run.lock, seconds=_END_SECONDS), _no_report(run):
            refuse_delete(home, run)
            home.trash.mkdir(parents=True, exist_ok=True)
            if sys.platform != "win32":
                run.folder.rename(moved)
        if sys.platform == "win32":  # which moves no folder with an open file, such as the lock
            run.folder.rename(moved)
    except Locked as error:
        raise _going(run) from error
    except OSError as error:
        raise InputRefused(
            f"{run.id} cannot be moved to {home.trash}.", f"{error.strerror or error}.",
            "Nothing was deleted.",
        ) from error  # fmt: skip


@contextmanager
def _no_report(run: Run) -> Iterator[None]:
    """Raises InputRefused while a report on the run is being made."""
    if not run.report_lock.exists():  # nobody ever made one
        yield
        return
    try:
        with held_lock(run.report_lock, seconds=0):
            yield
    except Locked as error:
        raise InputRefused(
            f"A report on {run.id} is being made.", "It needs the run's model and tweets.",
            "Stop it or wait for its end, then delete the run.",
        ) from error  # fmt: skip


def runs_in_trash(home: Home) -> list[Run]:
    """Deleted runs, which still hold all that they had; the name of a folder begins with when."""
    return [deleted.run for deleted in reversed(deleted_runs(home))]


@dataclass(frozen=True)
class DeletedRun:
    """A run in the trash: the id that it had, its folder there, when it was deleted (UTC)."""

    id: str
    run: Run
    deleted: datetime

    @property
    def expires(self) -> datetime:
        """When it is removed for good."""
        return self.deleted + timedelta(days=TRASH_DAYS)

    @property
    def stale(self) -> bool:
        """Whether tweets that it learned from were forgotten since."""
        return stale_reason(self.run.folder) is not None


def deleted_id(name: str) -> str | None:
    """The id of a run by the name of its folder in the trash; None for a run that is not there."""
    found = _IN_TRASH.fullmatch(name)
    return found[2] if found else None


def deleted_runs(home: Home) -> list[DeletedRun]:
    """What lies in the trash and was put there by mynah, the last deleted first."""
    found = []
    for path in sorted(home.trash.glob("*"), reverse=True):
        named = _IN_TRASH.fullmatch(path.name)
        if named is None or path.is_symlink() or not path.is_dir():
            continue
        with suppress(ValueError):  # digits that are no date
            deleted = datetime.strptime(named[1], _STAMP).replace(tzinfo=timezone.utc)
            found.append(DeletedRun(named[2], Run(path), deleted))
    return found


def find_deleted(home: Home, name: str) -> DeletedRun:
    """The deleted run of this id, or the beginning of one; the last deleted of those of one id.

    Raises InputRefused when there is none, or more than one.
    """
    there = deleted_runs(home)
    matching = [one for one in there if one.id == name or one.run.id == name]
    matching = matching[:1] or [one for one in there if name and one.id.startswith(name)]
    if len({one.id for one in matching}) == 1:
        return matching[0]
    if matching:
        raise InputRefused(
            f"{name!r} could be {len(matching)} deleted runs.",
            f"They are {', '.join(one.id for one in matching[:5])}.",
            "Type more of the one that is meant.",
        )
    raise InputRefused(
        f"There is no deleted run {name!r}.",
        f"In the trash: {', '.join(one.id for one in there[:5])}."
        if there
        else "The trash is empty.",
        "`mynah trash list` shows what is there." if there else "",
    )


def restore_run(home: Home, deleted: DeletedRun) -> Run:
    """Moves a run out of the trash, whole; raises InputRefused when one of its id is there."""
    back = Run(home.runs / deleted.id)
    if back.folder.exists() and not back.exists:
        raise InputRefused(
            f"{back.folder} is there already, and is no run.", "", "Move it away to have this back."
        )
    if back.folder.exists():
        raise InputRefused(
            f"There is a run {deleted.id} already.", "", "Delete that one first to have this back."
        )
    try:
        home.runs.mkdir(parents=True, exist_ok=True)
        deleted.run.folder.rename(back.folder)
    except OSError as error:
        raise InputRefused(
            f"{deleted.id} cannot be moved back to {home.runs}.", f"{error.strerror or error}.",
            "It still lies in the trash.",
        ) from error  # fmt: skip
    return back


def empty_trash(
    home: Home, now: datetime | None = None, *, most: int | None = None
) -> list[DeletedRun]:
    """Removes runs that were deleted more than a week ago, ``most`` of them; returns which."""
    now = now or datetime.now(timezone.utc)
    expired = [one for one in deleted_runs(home) if one.expires < now][:most]
    remove_deleted(expired)
    return expired


def remove_deleted(runs: Iterable[DeletedRun]) -> None:
    """Removes runs from the trash for good."""
    for one in runs:
        shutil.rmtree(one.run.folder, ignore_errors=True)
