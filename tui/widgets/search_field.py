"""The search line of a list: hidden until asked for, filters while one types."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.message import Message
from textual.widgets import Input


class SearchField(Input):
    """``/`` shows it, enter goes back to the list with the words kept, esc clears and hides it.

    Example::

        yield SearchField(back_to="#tweets", id="search")
        self.query_one(SearchField).ask()

    Messages: ``Wanted(words)`` with every change, empty when it is left.
    """

    DEFAULT_CSS = """
    SearchField { display: none; }
    SearchField.-asked { display: block; }
    """

    @dataclass
    class Wanted(Message):
        """Show only what holds these words; all of it when empty."""

        words: str

    def __init__(
        self,
        *,
        back_to: str,
        words: str = "words, or from:nasa is:reply since:2020 has:link -word · f1 shows how",
        id: str | None = None,  # noqa: A002  (Textual's own name)
    ) -> None:
        """``words`` stand in it while it is empty."""
        super().__init__(placeholder=words, id=id)
        self._back_to = back_to

    def ask(self) -> None:
        self.add_class("-asked")
        self.focus()

    def leave(self) -> None:
        """Forget the words and give the focus back."""
        self.value = ""
        self.remove_class("-asked")
        self.screen.query_one(self._back_to).focus()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Wanted(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.query_one(self._back_to).focus()
