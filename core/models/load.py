"""Loading a prepared base: the tokenizer, the weights, the mark between tweets."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from core.errors import InputRefused, kind_and_line

# Longer than any row of tweets.
NO_LIMIT: Final = 1 << 20
# What transformers raises for a file that is missing, damaged, or of a kind that it does not know,
# and where a value in config.json is of another kind than it computes with.
_UNUSABLE: Final = (
    OSError, ValueError, LookupError, ImportError, AttributeError, TypeError, ArithmeticError,
    RecursionError,
)  # fmt: skip


def quiet() -> None:
    """From here on the libraries print nothing that would only fill a log."""
    import warnings

    import transformers

    transformers.utils.logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning)


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer in ``folder``; no code of the folder is run. Raises InputRefused."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )
    except _UNUSABLE as error:
        raise InputRefused(
            f"The tokenizer of {folder.name} cannot be read.", f"{kind_and_line(error)}."
        ) from error


def load_model(folder: Path) -> tuple[Any, Any]:
    """The causal language model in ``folder`` in float32, and the torch dtype it is stored in.

    Safetensors only, no code of the folder is run. Raises InputRefused.
    """
    import torch

    return load_stored(folder, dtype=torch.float32)


def load_stored(folder: Path, *, dtype: Any = None, **how: Any) -> tuple[Any, Any]:
    """As `load_model`, in ``dtype`` (None: that it is stored in) and as transformers'
    ``from_pretrained`` has ``how``.
    """
    import torch
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    config = _config_of(folder)
    _check_not_packed(folder, config)
    try:
        stored = config.dtype if isinstance(config.dtype, torch.dtype) else torch.float32
        # The same function as GPT-2's own "gelu_new", as one operation instead of eight.
        if getattr(config, "activation_function", None) == "gelu_new":
            config.activation_function = "gelu_pytorch_tanh"
        model = AutoModelForCausalLM.from_pretrained(
            str(folder),
            config=config,
            dtype=dtype or stored,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            **how,
        )
    except (*_UNUSABLE, RuntimeError, SafetensorError, StrictDataclassError) as error:
        raise InputRefused(
            f"The model in {folder.name} cannot be loaded.", f"{kind_and_line(error)}."
        ) from error
    return model, stored


def _check_not_packed(folder: Path, config: Any) -> None:
    """Raises InputRefused for weights that bitsandbytes has packed: mynah unpacks only its own."""
    packed = getattr(config, "quantization_config", None)
    method = packed.get("quant_method") if isinstance(packed, dict) else None
    if method == "bitsandbytes":
        raise InputRefused(
            f"The weights in {folder.name} are packed already.",
            "They were saved by bitsandbytes in 4 or 8 bits.",
            "Use the base that they were made from; --4bit holds it in 4 bits.",
        )


def cast_weights(model: Any, dtype: Any) -> Any:
    """``model`` itself, its weights in ``dtype`` and its buffers as they are.

    Packed weights stay packed. ``model.to`` casts buffers, too, and with them the frequencies of
    rotary positions: in bfloat16 a position of 100 is then turned by a tenth of a radian too much
    or too little.
    """
    for weight in model.parameters():
        if weight.is_floating_point():
            weight.data = weight.data.to(dtype)
    return model


def context_of(folder: Path) -> int:
    """How many tokens the model in ``folder`` can read at most; raises InputRefused.

    A config that does not say has no table of positions, so nothing limits a row of tweets.
    """
    return int(getattr(_config_of(folder), "max_position_embeddings", None) or NO_LIMIT)


def _config_of(folder: Path) -> Any:
    """config.json as transformers has it; no code of the folder is run. Raises InputRefused."""
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )
    except (*_UNUSABLE, StrictDataclassError) as error:
        raise InputRefused(
            f"config.json in {folder.name} cannot be read.", f"{kind_and_line(error)}."
        ) from error


def separator_of(tokenizer: Any) -> int:
    """The id of the mark between tweets: ``<|endoftext|>`` where there is one, else eos.

    Raises InputRefused for a tokenizer that has neither.
    """
    vocabulary = tokenizer.get_vocab()
    if "<|endoftext|>" in vocabulary:
        return int(vocabulary["<|endoftext|>"])
    if tokenizer.eos_token_id is None:
        raise InputRefused(
            "This base has no mark for the end of a text.", "Its tokenizer declares no eos token."
        )
    return int(tokenizer.eos_token_id)
