"""Writing a model folder as one GGUF file, for llama.cpp and what is built on it.

Of models with the layers of Llama or GPT-2 and a byte-level BPE tokenizer; names of tensors and
fields are those of llama.cpp's convert_hf_to_gguf.py, through the ``gguf`` package. Weights of one
dimension stay float32, as there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from core.errors import InputRefused
from core.json_lines import parse_json
from core.models.folder import read_config

if TYPE_CHECKING:
    import numpy as np

    _Array = np.ndarray[Any, Any]

Quant = Literal["f16", "q8_0"]
QUANTS: Final[tuple[Quant, ...]] = ("f16", "q8_0")
ARCHITECTURES: Final = ("llama", "gpt2")
# Of GPT-2, which keeps them as (in, out).
_TRANSPOSED: Final = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight",
                      "mlp.c_proj.weight")  # fmt: skip
_LARGEST_F16: Final = 65504.0


@dataclass(frozen=True)
class Shape:
    """What of a model is needed to write it: transformers' config and tokenizer.json, checked.

    ``pre`` is llama.cpp's name for how its tokenizer cuts a text before BPE.
    """

    folder: Path
    config: Mapping[str, Any]
    tokenizer: Mapping[str, Any]
    pre: str

    @property
    def architecture(self) -> str:
        return str(self.config["model_type"])

    @property
    def layers(self) -> int:
        return int(self.config.get("num_hidden_layers") or self.config["n_layer"])

    @property
    def tied(self) -> bool:
        """Whether the head is the table of embeddings; GPT-2's configs do not say."""
        return bool(self.config.get("tie_word_embeddings", self.architecture == "gpt2"))


def shape_of(folder: Path) -> Shape:
    """Raises InputRefused naming what of the model in ``folder`` cannot be written."""
    config = read_config(folder) or {}
    kind = str(config.get("model_type") or "unknown")
    if kind not in ARCHITECTURES:
        raise _refused(f"Its architecture is {kind}; llama and gpt2 can be written.")
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if rope.get("rope_type", "default") != "default":
        raise _refused(f"Its positions are scaled ({rope['rope_type']}), which is not supported.")
    for name in ("attention_bias", "mlp_bias"):
        if config.get(name):
            raise _refused(f"It has {name}, which is not supported.")
    usual = {"llama": ("silu",), "gpt2": ("gelu_new", "gelu_pytorch_tanh")}[kind]
    activation = config.get("hidden_act" if kind == "llama" else "activation_function", usual[0])
    if activation not in usual:
        raise _refused(f"Its activation is {activation}; {usual[0]} can be written.")
    try:
        tokenizer = parse_json((folder / "tokenizer.json").read_bytes())
        return Shape(folder, config, tokenizer, _pre_of(tokenizer))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _refused("Its tokenizer.json cannot be read.") from error


def _pre_of(tokenizer: Mapping[str, Any]) -> str:
    """What llama.cpp calls the first cut of this tokenizer; raises InputRefused.

    It follows from tokenizer.json and not from the base's name: another cut than in training gives
    other tokens for the same text, and a model that seems to have forgotten what it learned.
    """
    kind = tokenizer["model"].get("type")
    if kind != "BPE" or tokenizer["model"].get("byte_fallback") or tokenizer.get("normalizer"):
        raise _refused(f"Its tokenizer is no byte-level BPE, but {kind}.")
    pre = tokenizer.get("pre_tokenizer") or {}
    steps = pre.get("pretokenizers") if pre.get("type") == "Sequence" else [pre]
    cuts = []
    for step in steps or []:
        if step.get("type") == "Digits" and step.get("individual_digits"):
            cuts.append("digits")
        elif (
            step.get("type") == "ByteLevel"
            and not step.get("add_prefix_space")
            and step.get("use_regex", True)
        ):
            cuts.append("bytes")
        else:
            cuts.append(str(step.get("type")))
    names = {("bytes",): "gpt-2", ("digits", "bytes"): "smollm"}
    if tuple(cuts) not in names:
        raise _refused(f"Its tokenizer cuts texts by {', then '.join(cuts) or 'nothing'}.")
    return names[tuple(cuts)]


def _refused(why: str) -> InputRefused:
    return InputRefused(
        "This model cannot be written as GGUF.",
        why,
        "`mynah convert RUN --to folder` writes it as transformers reads it.",
    )


def write_gguf(
    shape: Shape,
    out: Path,
    quant: Quant,
    *,
    name: str,
    about: Mapping[str, str],
    moved: Callable[[int], None] = lambda done: None,
) -> int:
    """Writes ``out``; returns how many weights are not exactly what they were.

    ``name`` and ``about`` (description, license, source_url...) go into the file's general fields.
    ``moved`` is called with the tensors done. Raises InputRefused for a weight that float16 cannot
    hold.
    """
    import gguf

    file_type = {"f16": gguf.LlamaFileType.MOSTLY_F16, "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0}
    writer = gguf.GGUFWriter(out, shape.architecture)
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(name)
    writer.add_file_type(file_type[quant])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    for key, value in about.items():
        getattr(writer, f"add_{key}")(value)
    _add_config(writer, shape.config)
    rows, changed = 0, 0
    names = gguf.get_tensor_name_map(
        {"llama": gguf.MODEL_ARCH.LLAMA, "gpt2": gguf.MODEL_ARCH.GPT2}[shape.architecture],
        shape.layers,
    )
    for number, (own_name, array) in enumerate(_tensors(shape)):
        there = names.get_name(own_name, try_suffixes=(".weight", ".bias"))
        if there is None:
            raise _refused(f"It has a tensor {own_name}, which llama.cpp does not know.")
        if there == "token_embd.weight":
            rows = array.shape[0]
        data, kind = _stored(own_name, array, quant)
        changed += int((gguf.dequantize(data, kind) != array).sum()) if data is not array else 0
        writer.add_tensor(there, data, raw_dtype=kind)
        moved(number + 1)
    _add_tokenizer(writer, shape, rows)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()
    return changed


def _stored(name: str, array: _Array, quant: Quant) -> tuple[_Array, Any]:
    """Bytes of a tensor and their type; rows that Q8_0's blocks do not divide stay float16."""
    import gguf
    import numpy as np

    types = gguf.GGMLQuantizationType
    if array.ndim == 1:
        return array, types.F32
    if quant == "q8_0" and array.shape[-1] % 32 == 0:
        return gguf.quantize(array, types.Q8_0), types.Q8_0
    if np.abs(array).max(initial=0.0) > _LARGEST_F16:
        raise _refused(f"A weight of {name} is larger than float16 can hold.")
    return array.astype(np.float16), types.F16


def _tensors(shape: Shape) -> Iterator[tuple[str, _Array]]:
    """Names as transformers has them, and float32 arrays as llama.cpp wants them."""
    from safetensors import safe_open

    for path in sorted(shape.folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - it is no dictionary
                if name.endswith((".attn.bias", ".attn.masked_bias", ".rotary_emb.inv_freq")):
                    continue  # made from the config, by both sides
                if name == "lm_head.weight" and shape.tied:
                    continue
                array = file.get_tensor(name).float().numpy()
                yield name, _laid_out(name, array, shape.config)


def _laid_out(name: str, array: _Array, config: Mapping[str, Any]) -> _Array:
    """GPT-2's matrices as (out, in); of Llama's queries and keys the two halves of each head taken
    in turn, because llama.cpp turns neighbours by a position and transformers the halves.
    """
    if config["model_type"] == "gpt2":
        return array.T.copy() if name.endswith(_TRANSPOSED) else array
    heads = int(config["num_attention_heads"])
    if name.endswith("k_proj.weight"):
        heads = int(config.get("num_key_value_heads") or heads)
    elif not name.endswith("q_proj.weight"):
        return array
    halves = array.reshape(heads, 2, array.shape[0] // heads // 2, *array.shape[1:])
    turned: _Array = halves.swapaxes(1, 2).reshape(array.shape)
    return turned


def _add_config(writer: Any, config: Mapping[str, Any]) -> None:
    if config["model_type"] == "gpt2":
        width = int(config["n_embd"])
        writer.add_block_count(config["n_layer"])
        writer.add_context_length(config.get("n_positions") or config["n_ctx"])
        writer.add_embedding_length(width)
        writer.add_feed_forward_length(config.get("n_inner") or 4 * width)
        writer.add_head_count(config["n_head"])
        writer.add_layer_norm_eps(config["layer_norm_epsilon"])
        return
    width, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    head = int(config.get("head_dim") or width // heads)
    rope = config.get("rope_parameters") or {}
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.get("num_key_value_heads") or heads)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(float(rope.get("rope_theta") or config.get("rope_theta") or 10000.0))
    writer.add_rope_dimension_count(head)
    if head * heads != width:
        writer.add_key_length(head)
        writer.add_value_length(head)
    writer.add_vocab_size(config["vocab_size"])


def _add_tokenizer(writer: Any, shape: Shape, rows: int) -> None:
    """As many tokens as the embeddings have ``rows``; those that no text gives are marked unused.

    The mark between tweets stands before every text, as it did in training.
    """
    import gguf

    model = shape.tokenizer["model"]
    tokens = [f"[PAD{number}]" for number in range(rows)]
    types = [int(gguf.TokenType.UNUSED)] * rows
    for text, number in model["vocab"].items():
        tokens[number], types[number] = text, int(gguf.TokenType.NORMAL)
    for added in shape.tokenizer.get("added_tokens") or []:
        kind = gguf.TokenType.CONTROL if added.get("special") else gguf.TokenType.USER_DEFINED
        tokens[added["id"]], types[added["id"]] = added["content"], int(kind)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(shape.pre)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    merges = model["merges"]
    writer.add_token_merges([one if isinstance(one, str) else " ".join(one) for one in merges])
    mark = shape.config["eos_token_id"]
    writer.add_bos_token_id(mark)
    writer.add_eos_token_id(mark)
    writer.add_pad_token_id(mark)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
