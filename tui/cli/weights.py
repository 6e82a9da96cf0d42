"""``--weights``, as export and train take it."""

from __future__ import annotations

from core.errors import InputRefused, WrongUsage
from core.handles import normal_handle


def weights_given(text: str | None) -> dict[str, float] | None:
    """``@A=2,b=1`` as weights by handle; raises WrongUsage."""
    if text is None:
        return None
    weights: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = part.partition("=")
        try:
            weight = float(number)
            handle = normal_handle(name)
        except (ValueError, InputRefused):
            equals = ""
        if not equals or handle in weights:
            raise WrongUsage(
                f"--weights cannot be read at {part!r}.",
                "It takes each account once with a number.",
                "For example: --weights keeper=2,gran=1",
            )
        weights[handle] = weight
    return weights or None
