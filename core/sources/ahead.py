"""Let one step of a stream work while the next step uses what it made."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from typing import Any, Final, TypeVar

T = TypeVar("T")
_END: Final = object()


def ahead(items: Iterable[T], depth: int = 2) -> Iterator[T]:
    """The same items in the same order, made in a thread that is at most ``depth`` ahead.

    An exception of ``items`` comes out where it happened. When the reader stops early, the thread
    ends after the item it is at.
    """
    passed: queue.Queue[Any] = queue.Queue(depth)
    over = threading.Event()

    def put(thing: Any) -> None:
        while not over.is_set():
            try:
                passed.put(thing, timeout=0.1)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put((item, None))
                if over.is_set():
                    break
            put((_END, None))
        except BaseException as error:
            put((_END, error))
        finally:
            if isinstance(items, Generator):
                items.close()

    worker = threading.Thread(target=work, name="read-ahead", daemon=True)
    worker.start()
    try:
        while True:
            item, error = passed.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        over.set()
        worker.join()
