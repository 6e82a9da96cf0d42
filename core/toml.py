"""TOML as people and mynah write it: one reader, with one error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def parse_toml(text: str, *, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """What is written there; a byte order mark, which some editors begin a file with, is nothing.

    Raises ValueError, which names the line where it can, also for what is nested too deeply and for
    a number of more digits than Python reads (which tomllib lets through as they are).
    """
    try:
        return tomllib.loads(text.removeprefix("\ufeff"), parse_float=parse_float)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ArithmeticError:  # Decimal, as parse_float, takes no exponent of so many digits
        raise ValueError("a number has too large an exponent") from None
    except ValueError as error:
        if isinstance(error, tomllib.TOMLDecodeError):
            raise
        raise ValueError("a number has too many digits") from None
