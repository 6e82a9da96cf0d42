"""import, accounts, stats, sql, export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from core.errors import InputRefused, WrongUsage
from core.handles import normal_handle, normal_handles
from core.home import Home
from tui.commands.output import (
    ProgressNote,
    emit,
    emit_json,
    home_option,
    json_option,
    narrate,
    table,
)
from tui.words import plural

if TYPE_CHECKING:
    from core.corpus import ImportProgress


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "format_", metavar="F", help="Skip detection and read as this format.")
@click.option("--handle", metavar="H", help="Whose tweets these are, where the file does not say.")
@click.option("--include", metavar="deleted,circle", help="Left out unless named here.")
@json_option
@home_option
def import_(
    paths: tuple[Path, ...],
    format_: str | None,
    handle: str | None,
    include: str | None,
    as_json: bool,
    home: Home,
) -> None:
    """Bring X archives (zip or folder), CSV and JSONL files into the corpus.

    Importing the same file again changes nothing.
    """
    from core.workflow import import_paths

    wanted = frozenset(part.strip() for part in (include or "").split(",") if part.strip())
    if wanted - {"deleted", "circle"}:
        raise WrongUsage(
            f"--include takes deleted and circle, not {min(wanted - {'deleted', 'circle'})!r}."
        )
    note = ProgressNote()

    def progress(moved: ImportProgress) -> None:
        of = f" of {moved.total:,}" if moved.total else ""
        note(f"{moved.phase} {moved.path.name}: {moved.read:,}{of} · {moved.rate:,.0f} a second")

    try:
        results = import_paths(
            home,
            paths,
            format=format_,
            handle=normal_handle(handle) if handle else None,
            include=wanted,
            progress=progress,
        )
    finally:
        note.done()
    for result in results:
        for warning in result.warnings:
            narrate(f"▲ {result.path}: {warning}")
    if as_json:
        emit_json([result.to_json() for result in results])
        return
    rows = [
        [f"@{r.handle}", r.format, r.read, r.new, r.updated, r.duplicates,
         ", ".join(f"{count} {reason}" for reason, count in sorted(r.skipped.items())) or "none",
         r.notes_joined, Path(r.path).name]
        for r in results
    ]  # fmt: skip
    emit(
        table(
            [
                "account",
                "format",
                "read",
                "new",
                "updated",
                "known",
                "left out",
                "long posts",
                "file",
            ],
            rows,
            right=(2, 3, 4, 5, 7),
        )
    )


@click.command()
@json_option
@home_option
def accounts(as_json: bool, home: Home) -> None:
    """Who is in the corpus, and how much of each."""
    from core.corpus import Corpus
    from core.corpus import accounts as read_accounts

    found = read_accounts(Corpus(home.corpus))
    if as_json:
        emit_json([account.to_json() for account in found])
    elif not found:
        narrate("No tweets yet. `mynah import PATH` brings some in, `mynah demo` brings samples.")
    else:
        rows = [
            [f"@{a.handle}", a.name, a.tweets, a.first and f"{a.first:%Y-%m-%d}",
             a.last and f"{a.last:%Y-%m-%d}", ", ".join(a.sources)]
            for a in found
        ]  # fmt: skip
        emit(table(["account", "name", "tweets", "first", "last", "from"], rows, right=(2,)))


@click.command()
@click.argument("handles", nargs=-1)
@click.option("--recipe", default="standard", show_default=True, help="A recipe's name or file.")
@json_option
@home_option
def stats(handles: tuple[str, ...], recipe: str, as_json: bool, home: Home) -> None:
    """How many tweets of each account a recipe keeps, and why not the others.

    downloaded = retweets + short + the other reasons in dropped + kept.
    """
    from core.workflow import stats as count_stats

    found = count_stats(home, normal_handles(list(handles)), recipe)
    if as_json:
        emit_json([one.to_json() for one in found])
        return
    reasons = sorted({reason for one in found for reason in one.dropped})
    names = ["downloaded", "retweets", "short", *reasons, "kept", "characters", "tokens"]
    rows = [
        [f"@{one.handle}", one.downloaded, one.retweets, one.short,
         *(one.dropped.get(reason, 0) for reason in reasons), one.kept, one.kept_chars, one.tokens]
        for one in found
    ]  # fmt: skip
    header = ["account", *(name.replace("_", " ") for name in names)]
    emit(table(header, rows, right=range(1, len(header))))
    for one in found:
        for warning in one.warnings:
            narrate(f"▲ @{one.handle}: {warning}")


@click.command()
@click.argument("query", required=False)
@click.option("-f", "--file", "file", type=click.Path(path_type=Path), help="Read the query here.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "csv", "json", "jsonl", "parquet"]),
    default="table",
    show_default=True,
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write here, not to stdout.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@home_option
def sql(
    query: str | None,
    file: Path | None,
    format_: str,
    output: Path | None,
    as_json: bool,
    home: Home,
) -> None:
    """Run one read-only query over the corpus and the runs.

    Tables: accounts, tweets. Views: curated, account_stats, runs, metrics, samples.
    """
    from core.corpus import Corpus, run_query, write_result

    if (query is None) == (file is None):
        raise WrongUsage("Give either a QUERY or -f FILE.", "", "mynah sql 'FROM accounts'")
    if file is not None:
        try:
            query = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputRefused(f"{file} cannot be read.", str(error)) from None
    result = run_query(Corpus(home.corpus), home, query or "")
    kind = "json" if as_json else format_
    if kind == "table" and output is None:
        names = [name for name, _, _ in result.layout()]
        right = [i for i, (_, _, is_number) in enumerate(result.layout()) if is_number]
        emit(table(names, (result.cells(i) for i in range(min(len(result), 1000))), right=right))
        if len(result) > 1000:
            narrate(f"first 1,000 of {plural(len(result), 'row')}; --format csv gives all")
        return
    if kind == "parquet" and output is None:
        raise WrongUsage("Parquet is not for a terminal.", "", "Add -o FILE.")
    if kind == "table":
        kind = "csv"
    written = write_result(result, kind, output)
    if written is not None:
        emit(written.rstrip("\n"))
    elif output is not None:
        narrate(f"{plural(len(result), 'row')} in {output}")


@click.command()
@click.argument("handles", nargs=-1, required=True)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["txt", "jsonl", "csv", "parquet"]),
    required=True,
    help="txt has <|endoftext|> between tweets.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--recipe", default="standard", show_default=True, help="A recipe's name or file.")
@click.option("--what", type=click.Choice(["kept", "all"]), default="kept", show_default=True)
@click.option("--split", type=click.FloatRange(0, 0.9), default=None, help="Share held out.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--raw-cells",
    is_flag=True,
    help="CSV: do not guard cells that begin with = + - @ against spreadsheets.",
)
@json_option
@home_option
def export(
    handles: tuple[str, ...],
    format_: str,
    output: Path,
    recipe: str,
    what: str,
    split: float | None,
    seed: int,
    raw_cells: bool,
    as_json: bool,
    home: Home,
) -> None:
    """Write a cleaned dataset, and beside it a manifest that says how it was made."""
    from core.curation import load_recipe
    from core.export import export as write_export
    from core.workbench import Workbench

    bench = Workbench(home, normal_handles(list(handles)))
    curation = bench.curate(load_recipe(recipe, home))
    result = write_export(
        curation.frame,
        output,
        format=cast("Any", format_),
        recipe=curation.recipe,
        what=cast("Any", what),
        split=split,
        seed=seed,
        spreadsheet_safe=not raw_cells,
    )
    if as_json:
        emit_json(result.to_json())
    else:
        emit(table(["file", "rows", "sha256"], [[str(result.path), result.rows, result.sha256]],
                   right=(1,)))  # fmt: skip
        narrate(f"The manifest is {result.manifest}")
