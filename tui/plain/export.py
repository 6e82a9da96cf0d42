"""The section Export of the plain mode: the chosen tweets as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.home import in_full
from core.numbers import plural
from tui.plain.session import Session, Tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.dataset.options import ExportOptions, Format
    from core.dataset.write import ExportResult

_HELP: Final = (
    "What the recipe keeps is written in clean words, and beside it a manifest that says how it "
    "was made."
)
_ABOUT: Final[dict[Format, str]] = {
    "txt": "txt: the words alone, with a mark between tweets",
    "jsonl": "jsonl: a line of JSON a tweet",
    "csv": "csv: for spreadsheets",
    "parquet": "parquet: for Polars, DuckDB and their kin",
    "hf": "hf: a folder for Hugging Face datasets",
    "chat": "chat: messages, for TRL and axolotl",
    "instruct": "instruct: prompt and completion, for TRL and axolotl",
}


def export(session: Session) -> None:
    """Asks what to write and where, and writes it."""
    from core.dataset.options import WORDS_ONLY, ExportOptions, suggested_name

    console, handles = session.console, sorted(session.chosen())
    kept = session.curation().total
    console.say(
        f"Export writes the tweets of {', '.join('@' + one for one in handles)}: the recipe "
        f"{session.recipe.name} keeps {kept.kept:,} of {kept.downloaded:,}."
    )
    formats = list(_ABOUT)
    format_ = formats[console.choose("In which format?", list(_ABOUT.values()), _HELP, default=1)]
    all_of_them = format_ not in WORDS_ONLY and bool(
        console.choose(
            "Which tweets?",
            ["those that are kept", "all, each with the reason where it is dropped"],
            default=0,
        )
    )
    split = None
    if not all_of_them:
        share = console.number(
            "How many percent should be held out in a second file?",
            0,
            50,
            10 if format_ == "hf" else 0,
            "A part that is held out can show later what a model has not seen.",
        )
        split = share / 100 if share or format_ == "hf" else None
    name = suggested_name(handles, format_)
    path = in_full(
        console.ask(f"Where to? An empty line takes {name} in this folder.", default=name)
    )
    options = ExportOptions(
        format=format_, what="all" if all_of_them else "kept", split=split, seed=1
    )
    _write(session, handles, path, options.checked(handles))


def _write(session: Session, handles: list[str], path: Path, options: ExportOptions) -> None:
    from core.dataset.write import export_tweets, would_replace

    if not session.may_write(would_replace(path, options)):
        return

    def work(tell: Tell, stopped: Callable[[], bool]) -> ExportResult:
        return export_tweets(
            session.home,
            handles,
            session.recipe,
            path,
            options,
            progress=lambda moved: tell(f"{moved.phase.capitalize()} {moved.done:,} so far."),
            cancelled=stopped,
        )

    result = session.work(work)
    for file in result.files:
        session.console.say(f"{file.name} has {plural(file.rows, 'row')}.")
    session.console.say(
        f"They lie in {path.absolute().parent}. The manifest {result.manifest.name} says how they "
        "were made; `mynah verify` with its path checks them."
    )
