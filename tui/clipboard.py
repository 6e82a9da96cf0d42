"""Copying from the app: open this for what happens when a person presses y."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tui.job import Attempt, Host, Job, Report


@dataclass
class TextCopied(Report):
    """``what`` is the sentence on the text. ``sure``: it is on the clipboard; else it was sent to
    the terminal, which does not answer, and ``hint`` says what may be in the way."""

    what: str
    sure: bool
    hint: str = ""


class CopyJob(Job):
    """Reports TextCopied; the newest text wins."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "copying", newest_wins=True)

    def run(self, text: str, what: str, *, here: bool) -> None:
        """The terminal has the text already; ``here`` puts it on this machine's clipboard, too.

        Without words there is no report.
        """

        def work(_: Attempt) -> Report | None:
            from core.clipboard import copy_here, if_not_there, is_local, terminal_takes

            taken = terminal_takes(text, os.environ)
            there = here and is_local(os.environ) and copy_here(text)
            if not what:
                return None
            return TextCopied(what, taken or there, if_not_there(os.environ))

        self.start(work)
