"""Every sample that was asked for, in ``generated.jsonl`` of its run: open this to store, list,
repeat or forget samples.

Lines are only ever added, but for what is forgotten and for the oldest of very many. What a model
wrote while it learned is not here but in ``samples.jsonl``.
"""

from __future__ import annotations

import errno
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from core.errors import InputRefused
from core.files import write_text_whole
from core.home import Home
from core.json_lines import append_json_lines, read_json_lines
from core.locks import Locked, held_lock
from core.runs.folder import Run, all_runs
from core.runs.housekeeping import runs_in_trash
from core.sampling.client import Sampler
from core.sampling.request import Done, Sample, SampleEvent, SampleRequest
from core.sampling.voices import Point, Voice

# A file that grows beyond this loses its older half: some 40,000 samples stay.
MOST_BYTES: Final = 32 << 20
_LOCK_SECONDS: Final = 10.0
# Fields of a request that stand elsewhere, or do not change the text.
_NOT_SETTINGS: Final = ("prompt", "reply_to", "n", "seed", "probabilities")


@dataclass(frozen=True)
class StoredSample:
    """A sample and all that it takes to make it again.

    ``settings`` are the fields of the request but prompt, tweet to answer, seed and how many;
    ``device`` is where and in which arithmetic it was made; ``created_at`` is UTC.
    """

    id: str
    run: str
    model: Point
    model_hash: str
    device: str
    settings: dict[str, Any]
    created_at: datetime
    sample: Sample

    @property
    def text(self) -> str:
        return self.sample.text

    @property
    def prompt(self) -> str:
        return self.sample.prompt

    def request(self, **changes: Any) -> SampleRequest:
        """What gives it again, as the last of so many. Raises InputRefused for settings that this
        version does not know, or whose values are of another kind.
        """
        import msgspec

        known = {field.name for field in fields(SampleRequest)}
        if unknown := set(self.settings) - known:
            raise InputRefused(
                "This sample cannot be made again.",
                f"It was made with a setting that this version does not know: {min(unknown)}.",
                "Use the version of mynah that made it.",
            )
        its_own = {
            "prompt": self.sample.prompt,
            "reply_to": self.sample.reply_to,
            "n": self.sample.index + 1,
            "seed": self.sample.seed,
        }
        try:
            return msgspec.convert({**self.settings, **changes, **its_own}, SampleRequest)
        except msgspec.ValidationError as error:
            raise InputRefused(
                "This sample cannot be made again.",
                f"The file of samples has a damaged line: {error}.",
            ) from error

    def to_json(self) -> dict[str, Any]:
        """The fields of its line."""
        made = self.sample.to_json()
        made.pop("probabilities", None)  # they can be had again
        return {
            "id": self.id,
            "created_at": self.created_at.isoformat(timespec="milliseconds"),
            "model": self.model,
            "model_hash": self.model_hash,
            "device": self.device,
            **made,
            "settings": self.settings,
            "generated": True,
        }

    @classmethod
    def from_json(cls, run: str, line: Mapping[str, Any]) -> StoredSample:
        """What `to_json` gave; raises LookupError, TypeError or ValueError for anything else."""
        return cls(
            id=str(line["id"]),
            run=run,
            model="base" if line["model"] == "base" else "tuned",
            model_hash=str(line["model_hash"]),
            device=str(line.get("device", "")),
            settings=dict(line["settings"]),
            created_at=in_utc(datetime.fromisoformat(line["created_at"])),
            sample=Sample.from_json(line),
        )


def in_utc(when: datetime) -> datetime:
    """``when``, which is UTC where it does not say: it could not be compared with others."""
    return when if when.tzinfo else when.replace(tzinfo=timezone.utc)


def settings_of(request: SampleRequest) -> dict[str, Any]:
    """The knobs of a request."""
    return {name: value for name, value in request.to_json().items() if name not in _NOT_SETTINGS}


def as_stored(
    voice: Voice, model: str, request: SampleRequest, sample: Sample, device: str = ""
) -> StoredSample:
    """A sample with a new id, which is not written yet. ``model`` is the hash of the voice's."""
    return StoredSample(
        id=uuid.uuid4().hex,
        run=voice.run.id,
        model=voice.point,
        model_hash=model,
        device=device,
        settings=settings_of(request),
        created_at=datetime.now(timezone.utc),
        sample=sample,
    )


def store_samples(run: Run, samples: Iterable[StoredSample]) -> None:
    """Adds samples to those of their run. Raises OSError, FileNotFoundError for a run that was
    deleted meanwhile, and Locked when others do not come to an end with the file.
    """
    lines = [one.to_json() for one in samples]
    if not lines:
        return
    path = run.generated
    if not run.exists:
        raise FileNotFoundError(errno.ENOENT, "The run was deleted", str(run.folder))
    with held_lock(path.with_suffix(".lock"), seconds=_LOCK_SECONDS):
        if path.exists() and path.stat().st_size > MOST_BYTES:
            kept = list(read_json_lines(path))
            _rewrite(path, kept[len(kept) // 2 :])
        append_json_lines(path, lines)


def sample_and_store(
    voice: Voice,
    sampler: Sampler,
    request: SampleRequest,
    not_stored: Callable[[str], object] = lambda why: None,
) -> Iterator[tuple[SampleEvent, StoredSample | None]]:
    """The events of ``sampler``, which is the voice's; with each sample that is done, as it was
    stored. A disk that takes nothing does not stop it: ``not_stored`` gets why, once.

    Raises what `Sampler.generate` does.
    """
    request = request.seeded()
    sampler.start()
    hashed = voice.hash()  # while the model loads
    writes = True
    for event in sampler.generate(request):
        stored = None
        if isinstance(event, Done):
            stored = as_stored(voice, hashed, request, event.sample, device_of(sampler))
            if writes:
                try:
                    store_samples(voice.run, [stored])
                except (OSError, Locked) as error:
                    writes = False
                    not_stored(str(error))
        yield event, stored


def stored_samples(run: Run) -> list[StoredSample]:
    """The samples of a run, the oldest first. A damaged line is passed over."""
    return list(_samples(run))


def find_sample(home: Home, sample_id: str) -> StoredSample:
    """The sample with this id, or the one whose id begins so. Raises InputRefused."""
    found = [one for run in all_runs(home) for one in _samples(run) if one.id.startswith(sample_id)]
    if len(found) == 1 and sample_id:
        return found[0]
    raise InputRefused(
        f"{sample_id!r} could be {len(found)} samples." if found and sample_id
        else f"There is no sample {sample_id!r}.",
        "",
        "mynah sql \"SELECT id, text FROM samples\" lists them.",
    )  # fmt: skip


def _samples(run: Run) -> Iterator[StoredSample]:
    for line in read_json_lines(run.generated):
        try:
            yield StoredSample.from_json(run.id, line)
        except (LookupError, TypeError, ValueError):
            continue


# ── making one again ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Repeated:
    """A stored sample, and what its settings gave this time."""

    stored: StoredSample
    sample: Sample
    model_hash: str
    device: str

    @property
    def same(self) -> bool:
        return self.sample.text == self.stored.text

    @property
    def model_changed(self) -> bool:
        """Whether the model's files are other ones than then."""
        return self.model_hash != self.stored.model_hash

    @property
    def in_words(self) -> str:
        """One sentence, or two."""
        if self.same and not self.model_changed:
            return "The same text again, from the same model."
        if self.model_changed:
            outcome = "The text is the same." if self.same else "So this is another text."
            return f"The model has changed since that sample was made. {outcome}"
        if self.stored.sample.stopped == "stopped":
            return "That sample was stopped before its end, and this one was not."
        if self.device != self.stored.device:
            return (
                f"Another text: it was made on {self.stored.device or 'another device'}, and now "
                f"on {self.device}, which rounds differently."
            )
        return "Another text, though the model is the same: another version of mynah made it."


def repeat(
    stored: StoredSample, sampler: Sampler, model_hash: str, **changes: Any
) -> Repeated | None:
    """Makes a sample again with ``sampler``, whose model has ``model_hash``.

    ``changes`` are fields of the request that do not change the text. None when it was stopped.
    """
    for event in sampler.generate(stored.request(**changes)):
        if isinstance(event, Done) and event.index == stored.sample.index:
            if event.stopped == "stopped":
                return None
            return Repeated(stored, event.sample, model_hash, device_of(sampler))
    return None


def device_of(sampler: Sampler) -> str:
    """``cpu float32``: where and in which arithmetic it makes samples; "" before it is ready."""
    ready = sampler.ready
    return f"{ready.device} {ready.dtype}" if ready is not None else ""


# ── forgetting ───────────────────────────────────────────────────────────────────────────────


def forget_copies(home: Home, tweet_ids: Set[str], *, dry_run: bool = False) -> int:
    """Deletes the samples that copy one of these tweets, or nearly, of all runs, those in the trash
    too; returns how many (would) go.
    """
    gone = 0
    for run in [*all_runs(home), *runs_in_trash(home)]:
        path = run.generated
        if not path.exists():
            continue
        with held_lock(path.with_suffix(".lock"), seconds=_LOCK_SECONDS):
            lines = list(read_json_lines(path))
            kept = [line for line in lines if not copies_any(line.get("copy"), tweet_ids)]
            if len(kept) < len(lines) and not dry_run:
                _rewrite(path, kept)
        gone += len(lines) - len(kept)
    return gone


def copies_any(copy: object, tweet_ids: Set[str]) -> bool:
    """Whether the ``copy`` of a line says that the text is, or nearly, one of these tweets."""
    if not isinstance(copy, dict) or copy.get("verdict") not in ("verbatim", "near"):
        return False
    others = copy.get("tweet_ids")
    of = [copy.get("tweet_id"), *(others if isinstance(others, list) else [])]
    return any(isinstance(one, str) and one in tweet_ids for one in of)


def _rewrite(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    write_text_whole(path, "".join(json.dumps(line) + "\n" for line in lines))
