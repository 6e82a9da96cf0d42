"""A run as TensorBoard event files: `tensorboard --logdir` on the runs' folder shows them.

An event file is a sequence of records: length (8 bytes, little endian), masked crc32c of those,
an Event (a protocol buffer), masked crc32c of that. Sources: tensorflow/core/lib/io/record_writer.h
and tensorboard/compat/proto (event.proto, summary.proto). The libraries that write it bring gRPC or
load PyTorch; an Event of scalars and texts is a few fields.
"""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Mapping, Sequence
from typing import BinaryIO, Final

from core.runs.history import TrainingSample
from core.runs.tracked import Tracked, tracking_folder
from core.tracking.follower import Tracker
from core.tracking.outgoing import Outgoing
from core.tracking.rows import Row

_MASK: Final = 0xA282EAD8
_DT_STRING: Final = 7


class TensorBoardTracker(Tracker):
    """Each process that follows begins a file; one that was killed left a file that is cut back
    to the rows that are known to be in it.
    """

    def __init__(self, outgoing: Outgoing, done: Tracked) -> None:
        super().__init__(outgoing, done)
        self._folder = tracking_folder(outgoing.run) / "tensorboard"
        self._sizes = dict(done.files)
        self._file: BinaryIO | None = None
        self._name = ""
        self._time = time.time()
        self.url = str(self._folder)

    def open(self) -> tuple[int, int]:
        self._folder.mkdir(exist_ok=True)
        at_hand = {path.name: path for path in self._folder.glob("events.out.tfevents.*")}
        whole = all(
            name in at_hand and at_hand[name].stat().st_size >= size
            for name, size in self._sizes.items()
        )
        if not whole:  # somebody has tidied up: from the beginning
            self._sizes = {}
        for name, path in at_hand.items():
            if size := self._sizes.get(name):
                with path.open("r+b") as file:
                    file.truncate(size)
            else:
                path.unlink()
        return (self.done.rows, self.done.samples) if self._sizes else (0, 0)

    def write(self, rows: Sequence[Row], samples: Sequence[TrainingSample]) -> None:
        if not rows and not samples:
            return
        events = [
            event(row.time, row.step, [scalar(name, value) for name, value in row.values.items()])
            for row in rows
        ]
        self._time = rows[-1].time if rows else self._time
        for number, sample in enumerate(samples):
            said = f"generated: {sample.text}"
            events.append(event(self._time, sample.step, [text(f"samples/{number % 2 + 1}", said)]))
        file = self._open_file()
        file.write(b"".join(map(record, events)))
        file.flush()
        self._sizes[self._name] = file.tell()

    def written(self) -> Mapping[str, int]:
        return self._sizes

    def close(self, state: str) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open_file(self) -> BinaryIO:
        if self._file is None:
            # TensorBoard reads the files of a folder in the order of their names
            number = len(self._sizes)
            began = int(self._time)
            self._name = f"events.out.tfevents.{began:010d}.mynah.{number:04d}"
            self._file = (self._folder / self._name).open("wb")
            self._file.write(record(event(self._time, 0, version="brain.Event:2")))
            if number == 0:
                config = json.dumps(self.outgoing.train_config(), indent=1)
                fenced = "\n".join(f"    {line}" for line in config.splitlines())
                self._file.write(record(event(self._time, 0, [text("config", fenced)])))
        return self._file


def record(content: bytes) -> bytes:
    """``content`` framed as one record of an event file."""
    length = struct.pack("<Q", len(content))
    return b"".join((length, _masked(length), content, _masked(content)))


def event(when: float, step: int, values: Sequence[bytes] = (), version: str = "") -> bytes:
    """An Event: wall time in seconds since 1970, and a summary of ``values`` or a version."""
    made = b"\x09" + struct.pack("<d", when) + b"\x10" + _varint(step)
    if version:
        return made + _bytes(3, version.encode())
    return made + _bytes(5, b"".join(_bytes(1, value) for value in values))


def scalar(tag: str, value: float) -> bytes:
    """A Summary.Value of one number, kept in 32 bits as TensorBoard does."""
    return _bytes(1, tag.encode()) + b"\x15" + struct.pack("<f", value)


def text(tag: str, value: str) -> bytes:
    """A Summary.Value for the Text page: a tensor of one string, and the plugin's name."""
    tensor = b"\x08" + _varint(_DT_STRING) + _bytes(2, b"") + _bytes(8, value.encode())
    plugin = _bytes(1, _bytes(1, b"text"))
    return _bytes(1, tag.encode()) + _bytes(8, tensor) + _bytes(9, plugin)


def _bytes(field: int, content: bytes) -> bytes:
    return bytes([field << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    made.append(number)
    return bytes(made)


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_CRC: Final = _table()


def _masked(content: bytes) -> bytes:
    """The Castagnoli checksum, rotated and shifted so that sums of sums differ."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 255]
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF)
