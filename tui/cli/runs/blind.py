"""``mynah blind``: which of two texts is real?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

import click

from core.errors import InputRefused
from core.home import Home
from core.safe_text import printable
from tui.cli.long_work import Stopped, moved_line, with_progress
from tui.cli.options import home_option, json_option
from tui.cli.output import ProgressNote, emit, emit_json, narrate
from tui.cli.runs.following import say_stale

if TYPE_CHECKING:
    from core.report.blind import BlindTest, Question

_LEAVE = ("q", "quit", "\x1b")


@click.command()
@click.argument("run")
@click.option("-n", "--questions", "n", type=click.IntRange(1, 120), default=20, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="The same questions again.")
@click.option("--feedback", is_flag=True, help="Say after each answer whether it was right.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N, mps.")
@json_option
@home_option
def blind(
    run: str,
    n: int,
    seed: int | None,
    feedback: bool,
    device: str,
    as_json: bool,
    home: Home,
) -> None:
    """Tell a run's texts from real tweets, and see whether you do better than chance.

    RUN is an id, the beginning of one, a name, or latest. Each question has a tweet that the model
    never saw and a text that it wrote: type 1 or 2 for the real one. q or ctrl+c stops; what was
    answered is kept in the run, and the report and the card say how it went.
    """
    import secrets

    from core.report.blind import BlindResult, blind_result, prepare_blind
    from core.runs.folder import find_run
    from core.runs.summary import run_summary

    chosen = find_run(home, run)
    say_stale(run_summary(chosen))

    def work(note: ProgressNote, stopped: Stopped) -> BlindTest:
        return prepare_blind(
            chosen,
            n,
            seed=secrets.randbelow(2**31) if seed is None else seed,
            device=device,
            progress=lambda moved: note(moved_line(moved)),
            cancelled=stopped,
        )

    test = with_progress(work)
    if test.fewer:
        narrate(test.fewer)
    right, answers = _ask_all(test, feedback)
    result = BlindResult(test.who, right, answers)
    if as_json:
        emit_json({"run": chosen.id, "seed": test.seed, **result.to_json()})
        return
    emit(result.in_words())
    total = blind_result(chosen)
    if total is not None and total.answers > answers:
        emit(f"All tests of this model so far: {total.right} of {total.answers}.")


def _ask_all(test: BlindTest, feedback: bool) -> tuple[int, int]:
    """How many answers were right, of how many."""
    total = len(test.questions)
    right = answers = 0
    narrate(f"Which one did {test.who} write? Type 1 or 2; q stops.")
    for number, question in enumerate(test.questions):
        pick = _ask(question, f"{number + 1} of {total}")
        if pick is None:
            break
        is_right = test.answer(number, pick)
        right, answers = right + is_right, answers + 1
        if feedback:
            narrate("Right." if is_right else "No, that was the model.")
    return right, answers


def _ask(question: Question, where: str) -> Literal[1, 2] | None:
    """The text that was picked; None for whoever wants to stop, or has nothing more to say."""
    first, second = question.texts
    narrate(f"\n{where}\n  1  {printable(first)}\n  2  {printable(second)}")
    while True:
        click.echo("1 or 2: ", err=True, nl=False)
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            line = ""
        except UnicodeDecodeError as error:
            raise InputRefused("That is no text.", str(error)) from error
        typed = line.strip().lower()
        if not line or typed in _LEAVE or "\x1b" in typed:
            narrate("")
            return None
        if typed == "1":
            return 1
        if typed == "2":
            return 2
