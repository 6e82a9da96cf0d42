"""What mynah uses of peft, imported without bitsandbytes.

Where bitsandbytes is installed, peft imports it in any case, and with it PyTorch's compiler: two
seconds of a process that has no use for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["LoraConfig", "LoraLayer", "LoraModel", "cast_adapter_dtype", "without_bitsandbytes"]

_NAME: Final = "bitsandbytes"


@contextmanager
def without_bitsandbytes() -> Iterator[None]:
    """A block in which it cannot be imported, unless it has been already."""
    if _NAME in sys.modules:
        yield
        return
    sys.modules[_NAME] = None  # type: ignore[assignment] # an import of it raises ImportError
    _look_again()
    try:
        yield
    finally:
        del sys.modules[_NAME]
        _look_again()


def _look_again() -> None:
    """peft remembers whether bitsandbytes can be imported."""
    if "peft.import_utils" in sys.modules:
        from peft.import_utils import is_bnb_4bit_available, is_bnb_available

        is_bnb_available.cache_clear()
        is_bnb_4bit_available.cache_clear()


with without_bitsandbytes():
    from peft import LoraConfig
    from peft.tuners.lora import LoraLayer, LoraModel
    from peft.tuners.tuners_utils import cast_adapter_dtype
