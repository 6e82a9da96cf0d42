"""Where a file that ships with mynah lies, in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


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
