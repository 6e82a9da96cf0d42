"""Ray as an engine: each trial at work has a worker of Ray's, which starts its process and stays.

The driver of the sweep is the same as without Ray, and so is what it follows: the journal of each
run. The workers need the home and the base models under the same paths; on several machines that is
a shared file system.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.errors import Interrupted, MynahError, first_line
from core.ray_session import ray_session
from core.runs.folder import GOING, Run
from core.runs.launch import resume_run, stop_run
from core.runs.settings import RunRequest
from core.runs.summary import run_summary

if TYPE_CHECKING:
    from core.children.warm import Warm

Prepare = Callable[[RunRequest], Run]
# Seconds between two looks whether the person wants to stop, while a worker is asked something.
_LOOK_SECONDS: Final = 0.5


@contextmanager
def ray_workers(
    address: str | None,
    workers: int | None,
    prepare: Prepare,
    warm_up: Callable[[], Warm | None],
    cancelled: Callable[[], bool],
) -> Iterator[RayWorkers]:
    """Workers for trials, each with a GPU where there are any.

    Ray is that at ``address`` (see `ray_session`). Without ``workers`` there are as many as GPUs,
    else as machines. ``prepare`` makes a run that has no process yet; ``warm_up`` is called by each
    worker. Raises WrongUsage without Ray, InputRefused and Interrupted.
    """
    with ray_session(address, environment={}):
        ray_workers = RayWorkers(workers, prepare, warm_up, cancelled)
        try:
            yield ray_workers
        finally:
            ray_workers.end()


class RayWorkers:
    """``start``, ``resume`` and ``stop`` are those of `run_sweep`, ``count`` its ``at_once``."""

    def __init__(
        self,
        count: int | None,
        prepare: Prepare,
        warm_up: Callable[[], Warm | None],
        cancelled: Callable[[], bool],
    ) -> None:
        import ray

        self._prepare, self._cancelled = prepare, cancelled
        there = ray.cluster_resources()
        gpus = int(there.get("GPU", 0))
        machines = sum(bool(node["Alive"]) for node in ray.nodes())
        self.count = count or gpus or max(1, machines)
        # more workers than cores share them: what they train in are processes of their own
        needs = min(1.0, there.get("CPU", 1.0) / self.count)
        kind = ray.remote(
            num_cpus=needs,
            num_gpus=1 if self.count <= gpus else 0,
            scheduling_strategy="SPREAD",
            max_restarts=-1,
        )(_Worker)
        self._workers = [kind.remote(warm_up) for _ in range(self.count)]
        self._given: dict[int, Run] = {}
        self._share_cores()

    def _share_cores(self) -> None:
        """Divides the cores of each machine between the workers there."""
        machines = [self._answer(worker.machine.remote()) for worker in self._workers]
        for index, (worker, machine) in enumerate(zip(self._workers, machines, strict=True)):
            here = [number for number, other in enumerate(machines) if other == machine]
            self._answer(worker.take_cores.remote(here.index(index), len(here)))

    def start(self, request: RunRequest) -> Run:
        """A run that waits for no other on its device: Ray has counted the devices."""
        return self.resume(self._prepare(replace(request, now=True)))

    def resume(self, run: Run) -> Run:
        worker = self._free_worker()
        self._given[worker] = run
        refused = self._answer(self._workers[worker].take_up.remote(str(run.folder.absolute())))
        if refused:
            del self._given[worker]
            raise MynahError(*refused)
        return run

    def _free_worker(self) -> int:
        for worker in range(self.count):
            run = self._given.get(worker)
            if run is None or run_summary(run).state not in GOING:
                return worker
        raise AssertionError("there are no more trials at once than workers")

    def stop(self, run: Run) -> None:
        """By the worker that started it, which is on its machine; else from here."""
        for worker, given in self._given.items():
            if given.folder == run.folder:
                refused = self._answer(
                    self._workers[worker].stop.remote(str(run.folder.absolute())), True
                )
                if refused:
                    raise MynahError(*refused)
                return
        stop_run(run)

    def end(self) -> None:
        """Runs that still go on are taken up by the next driver."""
        import ray

        for worker in self._workers:
            with suppress(Exception):
                ray.get(worker.end.remote(), timeout=5)
            with suppress(Exception):
                ray.kill(worker)

    def _answer(self, reference: Any, stopping: bool = False) -> Any:
        import ray

        while True:
            done, _ = ray.wait([reference], timeout=_LOOK_SECONDS)
            if done:
                break
            if self._cancelled() and not stopping:
                raise Interrupted("The sweep was stopped while it waited for a worker of Ray's.")
        try:
            return ray.get(reference)
        except ray.exceptions.RayError as error:
            raise MynahError(
                "A worker of Ray's was lost.", first_line(error)[:300], "The same command goes on."
            ) from None


class _Worker:
    """In a process of Ray's. Refusals come back as values: Ray wraps errors in its own."""

    def __init__(self, warm_up: Callable[[], Warm | None]) -> None:
        self._warm_up = warm_up
        self._warm: Warm | None = None

    def machine(self) -> str:
        import ray

        return str(ray.get_runtime_context().get_node_id())

    def take_cores(self, index: int, of: int) -> None:
        """Its share of the cores, which the processes that it starts have, too."""
        if hasattr(os, "sched_setaffinity"):
            cores = sorted(os.sched_getaffinity(0))
            if of <= len(cores):
                size = len(cores) // of
                mine = cores[index * size :] if index == of - 1 else cores[index * size :][:size]
                os.sched_setaffinity(0, mine)
        self._warm = self._warm_up()

    def take_up(self, folder: str) -> list[str]:
        return self._refused(lambda: resume_run(Run(Path(folder)), now=True))

    def stop(self, folder: str) -> list[str]:
        return self._refused(lambda: stop_run(Run(Path(folder))))

    def end(self) -> None:
        if self._warm is not None:
            self._warm.end()

    @staticmethod
    def _refused(work: Callable[[], object]) -> list[str]:
        try:
            work()
        except MynahError as error:
            return [error.what, error.why, error.next_step]
        except OSError as error:
            return [f"A worker cannot use {error.filename}.", f"{error.strerror}.", ""]
        return []
