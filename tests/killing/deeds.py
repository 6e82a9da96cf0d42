"""The commands that are killed, and what must be true after each."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Final

from core.corpus.store import Corpus
from core.dataset.manifest import HF_NAME, BadManifest
from core.dataset.verify import verify
from core.errors import InputRefused, MynahError
from core.files import sha256_of
from core.home import Home, bundled
from core.processes import process_times
from core.runs.folder import ENDED, Run
from core.runs.launch import resume_run
from core.runs.summary import list_runs
from tests.killing.driver import Deed, Wrong

KEEPER: Final = "keeper_of_the_light"
GRAN: Final = "orbit_grandmother"
_ROWS: Final = 3000


def archive(handle: str) -> Path:
    return bundled("samples", f"{handle}.zip")


def samples_home(folder: Path) -> Path:
    """Two accounts, imported and curated; made once in ``folder`` and copied from there."""
    from core.workflow.data import import_paths

    home = folder / "samples"
    if not (home / "tweets.duckdb").exists():
        import_paths(Home.at(home), [archive(KEEPER), archive(GRAN)])
    return home


def tweets(home: Home) -> list[Any]:
    """Every column that does not tell when it was imported."""
    if not home.corpus.exists():
        return []
    with Corpus(home.corpus).reading() as connection:
        return connection.execute(
            "SELECT * EXCLUDE (first_imported_at, last_imported_at, created_at), "
            "epoch_us(created_at) FROM tweets ORDER BY handle, tweet_id"
        ).fetchall()


def counts(home: Home) -> dict[str, int]:
    """Tweets of each account; raises Wrong for one that is there twice."""
    if not home.corpus.exists():
        return {}
    with Corpus(home.corpus).reading() as connection:
        twice = connection.execute(
            "SELECT tweet_id FROM tweets GROUP BY handle, tweet_id HAVING count(*) > 1"
        ).fetchall()
        found = connection.execute("SELECT handle, count(*) FROM tweets GROUP BY handle").fetchall()
    if twice:
        raise Wrong(f"{len(twice)} tweets are there twice")
    return dict(found)


def leftovers(folder: Path) -> list[str]:
    """What a command should have cleared away when it was let through."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.name.endswith((".part", ".wal")) or path.name.startswith(".mynah-")
    )


class InAHome(Deed):
    """With a copy of a home that is made once."""

    template: ClassVar[Path]

    def begin(self) -> None:
        shutil.copytree(samples_home(self.template), self.home.root)


class Import(Deed):
    """A table and an archive: each account whole or not there at all."""

    name = "import"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.table = folder / "gull.csv"
        with self.table.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "text", "created_at", "author"])
            for row in range(_ROWS):
                text = f"low tide number {row} & chips for every gull in the harbour"
                writer.writerow([10**17 + row, text, f"20{10 + row % 9}-01-02T03:04:05Z", "gull"])

    def arguments(self) -> list[str]:
        return ["import", str(self.table), str(archive(KEEPER)), str(archive(GRAN)), "--json"]

    def sound(self) -> str:
        found = counts(self.home)
        for handle, rows in found.items():
            known = {"gull": _ROWS, KEEPER: 300, GRAN: 300}[handle]
            if handle == "gull" and rows != known:
                raise Wrong(f"{rows} tweets of @{handle} instead of {known}")
        return f"{len(found)} accounts in"

    def truth(self) -> Any:
        home = self.home
        with Corpus(home.corpus).reading() as connection:
            curated = connection.execute(
                "SELECT handle, recipe, count(*), count(*) FILTER (kept), min(reason) FROM curated "
                "GROUP BY ALL ORDER BY ALL"
            ).fetchall()
        return {"tweets": tweets(home), "curated": curated, "left": leftovers(home.root)}


class Forget(InAHome):
    """An account: all of it gone from every table, or nothing."""

    name = "forget"
    ends = (0, 3)

    def arguments(self) -> list[str]:
        return ["forget", GRAN, "--yes", "--json"]

    def sound(self) -> str:
        found = counts(self.home)
        if found.get(GRAN) not in (None, self.whole()[GRAN]):
            raise Wrong(f"{found[GRAN]} tweets of @{GRAN} are left")
        if found.get(KEEPER) != self.whole()[KEEPER]:
            raise Wrong(f"{found.get(KEEPER)} tweets of @{KEEPER}, which was not named")
        return "gone" if GRAN not in found else "still there"

    def whole(self) -> dict[str, int]:
        return counts(Home.at(samples_home(self.template)))

    def truth(self) -> Any:
        held = [
            path.name
            for path in self.home.root.rglob("*")
            if path.is_file() and GRAN.encode() in path.read_bytes()
        ]
        return {
            "tweets": tweets(self.home), "held": held, "left": leftovers(self.home.root),
            "files": sorted(path.name for path in self.home.root.iterdir()),
        }  # fmt: skip


class _Written(InAHome):
    """Files with a manifest, where an earlier one lies: that or the new one, never a mixture."""

    out: Path

    def begin(self) -> None:
        super().begin()
        shutil.copytree(self.earlier(), self.out.parent, dirs_exist_ok=True)

    def earlier(self) -> Path:
        """The same with another recipe, made once."""
        before = self.template / f"before-{self.name}"
        if not before.exists():
            before.mkdir()
            deed = type(self)(before)
            shutil.copytree(samples_home(self.template), deed.home.root)
            arguments = [*deed.arguments(), "--recipe", "classic"]
            deed.arguments = lambda: arguments  # type: ignore[method-assign]
            deed.through()
            kept = self.template / f"kept-{self.name}"
            shutil.copytree(deed.out.parent, kept)
            shutil.rmtree(before)
            kept.rename(before)
        return before

    def manifest(self) -> Path:
        raise NotImplementedError

    def sound(self) -> str:
        if not self.manifest().exists():
            return "no manifest"
        try:
            found = verify(self.manifest())
        except (MynahError, BadManifest) as error:
            raise Wrong(f"the manifest is no use: {error}") from error
        if not found.ok:
            raise Wrong(f"the manifest does not verify: {found.to_json()}")
        recipe = json.loads(self.manifest().read_text())["recipe"]["name"]
        return f"verifies ({recipe})"

    def truth(self) -> Any:
        self.sound()
        folder = self.out.parent
        files = {
            str(path.relative_to(folder)): sha256_of(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        return {"files": files, "left": leftovers(self.folder)}


class Export(_Written):
    """Training and held-out rows as JSON lines."""

    name = "export"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.out = folder / "out-files" / "tweets.jsonl"

    def arguments(self) -> list[str]:
        where = ["-o", str(self.out), "--split", "0.2", "--force"]
        return ["export", KEEPER, GRAN, "--format", "jsonl", *where]

    def manifest(self) -> Path:
        return self.out.with_name("tweets.jsonl.manifest.json")


class ExportFolder(Export):
    """The same as a folder for Hugging Face."""

    name = "export-hf"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.out = folder / "out-files" / "hf"

    def arguments(self) -> list[str]:
        where = ["-o", str(self.out), "--split", "0.2", "--force"]
        return ["export", KEEPER, GRAN, "--format", "hf", *where]

    def manifest(self) -> Path:
        return self.out / HF_NAME


class Curate(_Written):
    """Verdicts over Parquet."""

    name = "curate"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.out = folder / "out-files" / "curated"

    def arguments(self) -> list[str]:
        return ["curate", f"@{KEEPER}", f"@{GRAN}", "-o", str(self.out), "--force"]

    def manifest(self) -> Path:
        return self.out / HF_NAME


class Fetch(Deed):
    """Posts of the fake X API: every row in the end, and no page paid for twice but in flight."""

    name = "fetch"
    plan: ClassVar[Any] = None

    def begin(self) -> None:
        from tests.fakes.x_api import FakeX, Plan

        plan = self.plan or [Plan(self.walker(), "Walker", 900, first=2016, silence=120)]
        self.fake = FakeX(plan).__enter__()
        self.kills = 0
        self._in_flight: set[int] = set()

    def close(self) -> None:
        self.fake.__exit__(None, None, None)

    @staticmethod
    def walker() -> str:
        from tests.fakes.x_api import WALKER

        return WALKER

    def arguments(self) -> list[str]:
        return ["fetch", self.walker(), "--yes", "--json", "--api-url", self.fake.url]

    def environment(self) -> dict[str, str]:
        return {
            "MYNAH_X_TOKEN": self.fake.token,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }

    def sound(self) -> str:
        self.kills += 1
        time.sleep(0.05)  # a request that was sent is answered, and billed
        self._in_flight.add(len(self.fake.requests))
        counts(self.home)
        return f"{len(self.pages())} pages asked for"

    def pages(self) -> list[Any]:
        return [one for one in self.fake.requests if one.path.endswith("/tweets")]

    def repeated(self) -> tuple[int, list[str]]:
        """How many pages were asked for again, and those of them that were not in flight."""
        again, wrongly = 0, []
        seen: dict[str, int] = {}
        for one in self.pages():
            what = json.dumps(one.query, sort_keys=True)
            before = seen.get(what)
            if before is not None and one.posts:
                again += 1
                if before not in self._in_flight:
                    wrongly.append(what)
            seen[what] = one.number
        return again, wrongly

    def truth(self) -> Any:
        again, wrongly = self.repeated()
        ledger = self.fake.ledger()
        if again > self.kills or ledger["deduplicated"] > 101 * self.kills:
            raise Wrong(f"{again} pages asked for again after {self.kills} kills")
        return {
            "tweets": tweets(self.home), "paid twice": wrongly, "cost": ledger["cost_usd"],
            "left": leftovers(self.home.root),
        }  # fmt: skip


def await_end(run: Run, seconds: float) -> bool:
    """Whether its process is gone within so many seconds."""
    until = time.monotonic() + seconds
    while True:
        pid = run.record().pid
        if pid is None or process_times(pid) is None:
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(0.01)


def finish(run: Run) -> None:
    """Lets a run come to its end, and takes it up again where its process is gone."""
    for _ in range(3):
        await_end(run, 240)
        if run.record().state in ENDED:
            break
        try:
            resume_run(run)
        except InputRefused as error:
            raise Wrong(f"{run.id} cannot be resumed: {error}") from error
    if run.record().state != "finished":
        raise Wrong(f"{run.id} is {run.record().state}: {run.record().reason}")


def outcome(run: Run) -> tuple[dict[str, Any], str]:
    """The held-out losses by step, what it ended with, and the sum of the model's file."""
    last: dict[str, Any] = {}
    for line in run.metrics.read_text("utf-8").splitlines():
        found = json.loads(line)
        if found["kind"] == "eval":
            last[f"{found['phase']} {found['step']}"] = found["valid_loss"]
    result = run.record().result
    assert result is not None
    last["end"] = result.steps, result.tokens, result.valid_loss_after
    return last, sha256_of(run.model / "model.safetensors")


class Train(InAHome):
    """`mynah train` itself: the run that it had begun goes on, or can be taken up."""

    name = "train"

    def arguments(self) -> list[str]:
        return ["train", KEEPER, "--base", "scratch", "--max-steps", "4", "--json"]

    def sound(self) -> str:
        runs = self._runs()
        for run in runs:
            finish(run)
        return f"{len(runs)} runs begun"

    def _runs(self) -> list[Run]:
        """Every folder; raises Wrong for one that is no run."""
        folders = sorted(self.home.runs.iterdir()) if self.home.runs.exists() else []
        listed = {summary.run for summary in list_runs(self.home)}
        lost = [f.name for f in folders if f.name not in listed and not f.name.startswith(".")]
        if lost:
            raise Wrong(f"no command knows of {lost}")
        return [Run(folder) for folder in folders if folder.name in listed]

    def truth(self) -> Any:
        runs = self._runs()
        for run in runs:
            finish(run)
            if not verify(run.dataset / "manifest.json").ok:
                raise Wrong(f"the dataset of {run.id} does not verify")
        return {"models": {outcome(run)[1] for run in runs}, "left": leftovers(self.home.root)}


class Resume(InAHome):
    """The process that trains: its run goes on from its last checkpoint, equal to the bit."""

    name = "resume"
    steps: ClassVar[int] = 12

    def begin(self) -> None:
        from core.workflow.training import train

        super().begin()
        self.run = train(
            self.home, [KEEPER], base="scratch", max_steps=self.steps, checkpoint_seconds=0.5
        )

    def start(self) -> Any:
        if self.run.record().state not in ENDED and await_end(self.run, 0):
            resume_run(self.run)
        return _Trainer(self.run)

    def sound(self) -> str:
        written = self.run.metrics.read_text("utf-8") if self.run.metrics.exists() else ""
        lines = [line for line in written.splitlines() if line.endswith("}")]
        last = json.loads(lines[-1]) if lines else {"kind": "starting"}
        return str(last.get("doing", f"after {last['kind']}"))

    def through(self) -> None:
        self.start()
        finish(self.run)

    def truth(self) -> Any:
        losses, model = outcome(self.run)
        return {"end": losses["end"], "model": model, "left": leftovers(self.home.root)}


class _Trainer:
    """The process of a run, as the driver handles processes."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def wait(self, seconds: float = 30.0) -> int:
        import subprocess

        if not await_end(self._run, seconds):
            raise subprocess.TimeoutExpired("trainer", seconds)
        return 0

    def send_signal(self, number: int) -> None:
        pid = self._run.record().pid
        if pid is not None and process_times(pid) is not None:
            os.kill(pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Sweep(InAHome):
    """Every trial once, with the settings and the loss of an undisturbed sweep."""

    name = "sweep"

    def begin(self) -> None:
        super().begin()
        self.file = self.folder / "rates.toml"
        self.file.write_text(
            f'accounts = ["{KEEPER}"]\nbase = "scratch"\ntrials = 2\nsampler = "random"\n'
            "pruning = false\nmax_steps = 3\n"
            "[space]\nlr = { low = 1e-3, high = 2e-2, log = true }\n"
        )

    def arguments(self) -> list[str]:
        return ["sweep", str(self.file), "--json"]

    def sound(self) -> str:
        from core.sweeps.study import read_trials

        log = self.home.sweeps / "rates" / "study.log"
        rows = read_trials(log, "rates") if log.exists() else []
        if len(rows) > 2 or [row.trial for row in rows] != list(range(1, len(rows) + 1)):
            raise Wrong(f"trials {[row.trial for row in rows]}")
        return f"{len(rows)} trials begun"

    def truth(self) -> Any:
        from core.sweeps.study import read_trials

        self.sound()
        rows = read_trials(self.home.sweeps / "rates" / "study.log", "rates")
        runs = {summary.run: summary.state for summary in list_runs(self.home)}
        return {
            "trials": [(row.trial, row.params, row.valid_loss, row.state) for row in rows],
            "runs": sorted(runs.values()),
            "left": leftovers(self.home.root),
        }


class Publish(Deed):
    """To a hub on this machine: nothing, an empty repository, or all files in one revision."""

    name = "publish"
    template: ClassVar[Path]

    def begin(self) -> None:
        from tests.fakes.hub import running

        home = self.template / "published"
        if not home.exists():
            from tests.unit.test_publish_hub import made_run

            made_run(home)
        shutil.copytree(home, self.home.root)
        self._context = running()
        self.hub = self._context.__enter__()

    def close(self) -> None:
        self._context.__exit__(None, None, None)

    def arguments(self) -> list[str]:
        return ["publish", "latest", "--yes", "--json"]

    def environment(self) -> dict[str, str]:
        from tests.fakes.hub import KEY

        return {
            "HF_ENDPOINT": self.hub.url, "HF_HUB_OFFLINE": "0", "HF_TOKEN": KEY,
            "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(self.folder / "hf"),
        }  # fmt: skip

    def sound(self) -> str:
        with self.hub.lock:
            repos = dict(self.hub.repos)
        if not repos:
            return "nothing there"
        (there,) = repos.values()
        if not there.private:
            raise Wrong("it is there for everybody to see")
        if there.files and not {"README.md", "config.json", "model.safetensors"} <= set(
            there.files
        ):
            raise Wrong(f"half of it is there: {sorted(there.files)}")
        return "all there" if there.files else "an empty repository"

    def truth(self) -> Any:
        from core.publish.published import publications

        (repo,) = self.hub.repos.items()
        (run,) = (Run(path) for path in self.home.runs.iterdir())
        (kept,) = publications(run)
        weights = repo[1].files["model.safetensors"]
        return {
            "repo": repo[0], "private": repo[1].private, "files": sorted(repo[1].files),
            "weights": weights == (run.model / "model.safetensors").read_bytes(),
            "kept": (kept.repo, kept.revision == repo[1].head), "unknown": self.hub.unknown,
            "left": leftovers(self.home.root),
        }  # fmt: skip


DEEDS: Final[tuple[type[Deed], ...]] = (
    Import, Fetch, Forget, Export, ExportFolder, Curate, Train, Resume, Sweep, Publish,
)  # fmt: skip


def with_template(folder: Path) -> dict[str, Callable[[Path], Deed]]:
    """The deeds by name; ``folder`` is where they keep what is made once."""
    for kind in (InAHome, Publish):
        kind.template = folder
    return {kind.name: kind for kind in DEEDS}
