"""Where files lie: a person's home (one folder with corpus, recipes and runs), what ships with
mynah, the cache, and paths as people type them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputRefused

_PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Home:
    """The folder named by ``--home``, ``MYNAH_HOME`` or the platform's user data folder."""

    root: Path

    @classmethod
    def at(cls, given: str | os.PathLike[str] | None = None) -> Home:
        """The home at ``given``, else at ``MYNAH_HOME``, else the platform's own place.

        The folder is not created here: looking at an empty home must leave no trace. Raises
        InputRefused for a path with a question mark: DuckDB would put its log beside the part
        before it.
        """
        chosen = given or os.environ.get("MYNAH_HOME")
        if chosen:
            root = expanded(chosen).absolute()
            if "?" in str(root):
                raise InputRefused(
                    f"{root} cannot be a home.",
                    "DuckDB, which keeps the tweets, takes no ? in the name of a folder.",
                    "Choose another folder with --home or MYNAH_HOME.",
                )
            return cls(root)
        from platformdirs import user_data_path

        return cls(user_data_path("mynah", appauthor=False))

    @property
    def corpus(self) -> Path:
        """The DuckDB file with every tweet."""
        return self.root / "tweets.duckdb"

    @property
    def runs(self) -> Path:
        """One folder per fine-tune."""
        return self.root / "runs"

    @property
    def themes(self) -> Path:
        """Colours of a person's own for the app, one TOML file each."""
        return self.root / "themes"

    @property
    def session(self) -> Path:
        """Where the app was left, in a file that only this user can read."""
        return self.root / "session.json"

    @property
    def sweeps(self) -> Path:
        """One folder per sweep: what was asked, and how its trials went."""
        return self.root / "sweeps"

    @property
    def trash(self) -> Path:
        """What was deleted, for a week."""
        return self.root / "trash"

    @property
    def locks(self) -> Path:
        """Which runs use a device, and which wait for it."""
        return self.root / "locks"

    @property
    def recipes(self) -> Path:
        """The person's own curation recipes (TOML)."""
        return self.root / "recipes"

    @property
    def settings(self) -> Path:
        """What the app remembers between sessions (JSON)."""
        return self.root / "settings.json"

    @property
    def log(self) -> Path:
        """What went wrong, with tracebacks; never tweets, never secrets."""
        return self.root / "mynah.log"


def expanded(path: str | os.PathLike[str]) -> Path:
    """With ``~`` and ``~name`` as home folders; that of nobody stays as it is, as in a shell."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def cache_dir() -> Path:
    """Where converted base models are kept: ``MYNAH_CACHE`` or the platform's cache folder."""
    given = os.environ.get("MYNAH_CACHE")
    if given:
        return expanded(given).absolute()
    from platformdirs import user_cache_path

    return user_cache_path("mynah", appauthor=False)


def in_full(path: str | os.PathLike[str]) -> Path:
    """``path`` from the working folder; where that is gone, from the person's own folder.

    For what is written: raises InputRefused for the folder of somebody who is not there.
    """
    found = expanded(path)
    first = Path(path).parts[:1]
    if first and first[0].startswith("~") and found == Path(path):
        raise InputRefused(
            f"There is no folder {first[0]}.",
            "At the beginning of a path ~ stands for your own folder, and ~name for that of name.",
            "Give the whole path of a file or folder that is called so.",
        )
    try:
        return found.absolute()
    except FileNotFoundError:
        return expanded("~") / found


def bundled(*parts: str) -> Path:
    """The path of ``datasets/<parts>``; raises FileNotFoundError when it does not ship.

    A wheel carries the folder as ``core/datasets``; in a checkout it is the top-level
    ``datasets``, which has no ``__init__.py`` so that it never shadows Hugging Face datasets.
    """
    installed = _PACKAGE / "datasets"
    root = installed if installed.is_dir() else _PACKAGE.parent / "datasets"
    path = root.joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not ship with this copy of mynah")
    return path
