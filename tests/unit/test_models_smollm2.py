"""The packaged weights, converted for real (only where the package is installed)."""

from __future__ import annotations

import multiprocessing
import shutil
from pathlib import Path

import pytest

from core.home import cache_dir
from core.locks import held_lock
from core.models import smollm2
from core.models.catalogue import resolve
from core.models.folder import is_model_folder, parameters_in
from core.models.load import load_model, load_tokenizer, separator_of
from core.models.tokens import token_counter

pytestmark = pytest.mark.skipif(
    smollm2.packaged_gguf() is None, reason="the package with the weights is not installed"
)


@pytest.mark.slow
def test_it_is_converted_once_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = cache_dir()
    monkeypatch.setenv("MYNAH_CACHE", str(tmp_path))
    said: list[str] = []
    folder = smollm2.convert(said.append)
    assert len(said) == 1
    kept = cache / folder.relative_to(cache_dir())
    assert smollm2.convert(said.append) == folder
    assert len(said) == 1, "the second time there is nothing to do"
    assert is_model_folder(folder)
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []
    assert resolve("smollm2").folder == folder
    assert parameters_in(folder) == smollm2.PARAMETERS

    tokenizer = load_tokenizer(folder)
    assert separator_of(tokenizer) == 0
    assert (tokenizer.eos_token, tokenizer.chat_template) == (smollm2.END_OF_TEXT, None)
    count = token_counter("smollm2")
    assert count is not None
    assert count(["The lamp is lit."]) == [
        len(tokenizer("The lamp is lit.", add_special_tokens=False)["input_ids"])
    ]
    model, _ = load_model(folder)
    assert model.config.eos_token_id == 0
    if not kept.exists():  # the tests after this one need not convert it again
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder, kept)


def _hold(path: str, held: object, let_go: object) -> None:
    with held_lock(Path(path)):
        held.set()  # type: ignore[attr-defined]
        let_go.wait(60)  # type: ignore[attr-defined]


def test_a_lock_is_held_by_one_process_and_freed_when_it_dies(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    held, let_go = spawn.Event(), spawn.Event()
    holder = spawn.Process(target=_hold, args=(str(tmp_path / "lock"), held, let_go))
    holder.start()
    assert held.wait(60)
    holder.kill()
    holder.join(60)
    with held_lock(tmp_path / "lock"):
        pass
