"""The line that a prompt is typed into: up and down bring back the prompts of before."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.widgets.past_texts import PastTexts

if TYPE_CHECKING:
    from core.home import Home

# Stands for a line break in the one line of the field.
_BREAK: Final = "⏎"
_BEGINNING: Final = "how it begins; empty lets it choose"
_TWEET: Final = "the tweet to answer"


class PromptField(Input):
    """``remember`` adds what is typed to the prompts of before, which outlive the app. ``answers``
    says that what is typed is no beginning but a tweet to answer.

    Example::

        prompt = PromptField("My dream is", home=home)
        prompt.text            # with the line breaks that stand in it as ⏎
        prompt.remember()      # when it was used
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "walk(-1)", "Older", show=False, id="prompt.older",
                tooltip="The prompt before this one."),
        Binding("down", "walk(1)", "Newer", show=False, id="prompt.newer",
                tooltip="The prompt after this one."),
    ]  # fmt: skip

    def __init__(self, value: str, *, home: Home, id: str = "") -> None:  # noqa: A002
        super().__init__(value, placeholder=_BEGINNING, id=id)
        self._home = home
        self._answers = False
        self._walk: PastTexts | None = None

    @property
    def answers(self) -> bool:
        return self._answers

    @answers.setter
    def answers(self, answers: bool) -> None:
        self._answers = answers
        self.placeholder = _TWEET if answers else _BEGINNING

    @property
    def text(self) -> str:
        """The prompt, with line breaks where the field shows ⏎."""
        return self.value.replace(_BREAK, "\n")

    @text.setter
    def text(self, text: str) -> None:
        lines = (" ".join(line.split()) for line in text.splitlines())
        self.value = f" {_BREAK} ".join(filter(None, lines))
        self.cursor_position = len(self.value)

    def remember(self) -> None:
        from core.sampling.prompts import remember_prompt

        remember_prompt(self._home, self.value)
        self._walk = None

    def action_walk(self, by: int) -> None:
        from core.sampling.prompts import prompts

        if self._walk is None:
            self._walk = PastTexts(prompts(self._home), self.value)
        text = self._walk.step(by)
        if text is not None:
            self.value = text
            self.cursor_position = len(text)

    async def _on_key(self, event: events.Key) -> None:
        if event.is_printable:  # what is typed now is the newest again
            self._walk = None
        await super()._on_key(event)
