"""What errors of libraries are called in mynah's messages."""

from __future__ import annotations

import pytest

from core.errors import first_line, kind_and_line


@pytest.mark.parametrize(
    ("error", "line", "named"),
    [
        (ValueError("no such header.\nat 7"), "no such header", "ValueError: no such header"),
        (OSError("  \n"), "OSError", "OSError"),
        (MemoryError(), "MemoryError", "MemoryError"),
    ],
)
def test_an_error_is_its_kind_and_its_first_line(error: Exception, line: str, named: str) -> None:
    assert first_line(error) == line
    assert kind_and_line(error) == named
