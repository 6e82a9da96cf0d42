"""What is installed is what is here: packages, bundled files, pins, the oldest Python."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SHIPPED = PROJECT["tool"]["setuptools"]["packages"]
# of the README; nobody needs them to run mynah
PICTURES = "pictures/"


def bundled_files() -> list[str]:
    """Everything in datasets/ that an installed mynah needs, relative to it."""
    files = (path for path in (ROOT / "datasets").rglob("*") if path.is_file())
    names = (path.relative_to(ROOT / "datasets").as_posix() for path in files)
    return sorted(name for name in names if not name.startswith(PICTURES))


def source_files() -> list[Path]:
    return [path for folder in ("core", "tui") for path in sorted((ROOT / folder).rglob("*.py"))]


def test_every_package_is_shipped_and_no_other() -> None:
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in source_files()}
    assert {*folders, "core.datasets"} == set(SHIPPED)
    for package in SHIPPED:
        if package != "core.datasets":
            assert (ROOT / package.replace(".", "/") / "__init__.py").is_file(), package


def test_datasets_holds_no_python() -> None:
    """A package of that name would stand in the way of Hugging Face datasets."""
    assert not list((ROOT / "datasets").rglob("*.py*"))
    assert (ROOT / "datasets" / "samples").is_dir()


def test_every_dependency_is_pinned_within_its_bounds() -> None:
    pins: dict[str, list[Requirement]] = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            pin = Requirement(line)
            assert re.fullmatch(r"==[^,*]+", str(pin.specifier)), line
            pins.setdefault(normal(pin.name), []).append(pin)
    wanted = [*PROJECT["project"]["dependencies"]]
    for extra in PROJECT["project"]["optional-dependencies"].values():
        wanted += extra
    for line in wanted:
        need = Requirement(line)
        found = pins.get(normal(need.name), [])
        assert found, f"{need.name} has no pin"
        for pin in found:
            (exact,) = pin.specifier
            assert need.specifier.contains(exact.version), f"{pin} is not {need}"


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def oldest_python() -> str | None:
    """The oldest Python that mynah promises to run on, where it is on this machine."""
    least = re.match(r">=(3\.\d+)", PROJECT["project"]["requires-python"])
    assert least
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    found = sorted(pyenv.glob(f"{least[1]}.*/bin/python"))
    return str(found[-1]) if found else shutil.which(f"python{least[1]}")


def test_the_oldest_python_can_read_it() -> None:
    python = oldest_python()
    if python is None:
        pytest.skip("that Python is not here")
    files = [*source_files(), *sorted((ROOT / "tests").rglob("*.py"))]
    script = (
        "import sys\n"
        "for name in sys.stdin.read().splitlines():\n"
        "    compile(open(name, encoding='utf-8').read(), name, 'exec')\n"
    )
    done = subprocess.run(
        [python, "-c", script], input="\n".join(map(str, files)), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, by the setuptools at hand: no network, nothing left in the checkout."""
    setuptools = pytest.importorskip("setuptools")
    if int(setuptools.__version__.split(".")[0]) < 77:
        pytest.skip("this setuptools is older than the one that pyproject.toml asks for")
    copy = tmp_path_factory.mktemp("wheel") / "source"
    copy.mkdir()
    no_caches = shutil.ignore_patterns("__pycache__")
    for name in ("core", "tui", "datasets"):
        shutil.copytree(ROOT / name, copy / name, ignore=no_caches)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    script = "from setuptools import build_meta; print(build_meta.build_wheel('out'))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (made,) = (copy / "out").glob("*.whl")
    return made


def test_the_wheel_holds_all_that_is_needed_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    needed = {path.relative_to(ROOT).as_posix() for path in source_files()}
    needed |= {f"core/datasets/{name}" for name in bundled_files()}
    needed |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "tui").rglob("*.tcss")}
    assert needed <= names, sorted(needed - names)
    rest = {name for name in names - needed if f"core/datasets/{PICTURES}" not in name}
    assert all(".dist-info/" in name for name in rest), sorted(rest)


def test_the_wheel_finds_its_own_files(wheel: Path, tmp_path: Path) -> None:
    """Unpacked, from a folder where no checkout can help."""
    place = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    script = (
        "from core.home import bundled\n"
        "from core.curation.recipe import load_recipe\n"
        "from core.workflow.data import sample_archives\n"
        "import core\n"
        f"assert core.__file__.startswith({str(place)!r}), core.__file__\n"
        "print(len(sample_archives()), load_recipe('classic').name, bundled('sql').is_dir())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(place)},
    )  # fmt: skip
    assert done.stdout.split() == ["3", "classic", "True"], done.stderr


def test_the_version_is_said_in_one_place(wheel: Path) -> None:
    import core

    assert wheel.name.startswith(f"mynah_tui-{core.__version__}-py3-none-any")
    assert f"## {core.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
