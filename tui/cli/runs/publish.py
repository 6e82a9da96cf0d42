"""``mynah publish``: a run's model and card on the hub, after a yes; and back from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from core.errors import WrongUsage
from core.home import Home
from core.numbers import size_in_words
from tui.cli.asking import ask_first
from tui.cli.long_work import Stopped, with_progress
from tui.cli.options import home_option, json_option
from tui.cli.output import ProgressNote, emit, emit_json, narrate, table

# Files that are named before a repository is deleted.
_MOST_SHOWN: Final = 20

if TYPE_CHECKING:
    from core.publish.preview import Preview
    from core.publish.published import Publication
    from core.runs.folder import Run
    from core.runs.tracked import Tracked


@click.command()
@click.argument("run")
@click.option("--to", type=click.Choice(["hub", "wandb"]), default="hub", show_default=True,
              help="wandb: an artifact in the project that `mynah track` uses.")  # fmt: skip
@click.option("--repo", metavar="OWNER/NAME", help="The repository.  [default: you/the accounts]")
@click.option("--public", is_flag=True, help="For everybody to see; else only for you.")
@click.option("--unpublish", is_flag=True, help="Delete it there, its history included.")
@click.option("--yes", is_flag=True, help="Do not ask again.")
@click.option("--anyway", is_flag=True, help="Despite what speaks against it; the card says so.")
@json_option
@home_option
def publish(
    run: str,
    to: str,
    repo: str | None,
    public: bool,
    unpublish: bool,
    yes: bool,
    anyway: bool,
    as_json: bool,
    home: Home,
) -> None:
    """Publish a run's model with its card, private unless told otherwise.

    RUN is an id, the beginning of one, a name, or latest. First it says what leaves, where to and
    how large it is. It refuses where the model wrote personal data, copies or leaks too much, or
    nobody has measured that (`mynah report`).
    """
    from core.publish.hub import preview_publication
    from core.publish.wandb import preview_wandb
    from core.runs.folder import find_run

    found = find_run(home, run)
    if to == "wandb" and (repo or public or unpublish):
        raise WrongUsage(
            "--repo, --public and --unpublish are for the hub.", "", "W&B has its own settings."
        )
    if unpublish:
        _take_back(found, repo, yes, as_json)
        return
    asked = None
    if to == "wandb":
        preview, asked = preview_wandb(home, found)
    else:
        preview = with_progress(
            lambda note, _: preview_publication(found, repo=repo, public=public)
        )
    _show(preview)
    if not yes and (anyway or not preview.reasons):
        ask_first("Publish this?", otherwise="Nothing was published.")
    done = with_progress(lambda note, stopped: _send(preview, asked, anyway, note, stopped))
    result = {
        "url": done.url,
        "files": sorted(preview.files),
        "repo": done.repo,
        "public": done.public,
        "revision": done.revision,
    }
    if as_json:
        emit_json(result)
    else:
        emit(done.url)
    if to == "hub":
        narrate(f"`mynah publish {found.id} --unpublish` deletes it there.")


def _send(
    preview: Preview, asked: Tracked | None, anyway: bool, note: ProgressNote, stopped: Stopped
) -> Publication:
    from core.publish.hub import publish as to_hub
    from core.publish.wandb import publish_to_wandb

    note(f"sending {size_in_words(preview.size)} to {preview.where}…")
    if asked is None:
        return to_hub(preview, anyway=anyway, x_terms_agreed=True)
    return publish_to_wandb(preview, asked, anyway=anyway, x_terms_agreed=True, cancelled=stopped)


def _show(preview: Preview) -> None:
    from core.publish.preview import X_TERMS

    narrate(f"{preview.facts.run.id} would go to {preview.where} ({preview.audience}):")
    rows = [[name, size_in_words(length)] for name, length in preview.files.items()]
    narrate(table(["file", "size"], [*rows, ["together", size_in_words(preview.size)]], right=(1,)))
    for reason in preview.reasons:
        narrate(f"▲ {reason}")
    for remark in preview.remarks:
        narrate(f"– {remark}")
    if preview.x_terms:
        narrate(f"▲ {X_TERMS}")


def _take_back(found: Run, repo: str | None, yes: bool, as_json: bool) -> None:
    from core.publish.hub import others_there, published_at, unpublish

    there = published_at(found, repo)
    narrate(
        f"The whole repository {there.url} would be deleted: its history, its discussions, and "
        "whatever was added to it since."
    )
    if others := with_progress(lambda note, _: others_there(there)):
        shown = others[:_MOST_SHOWN]
        more = f" and {len(others) - len(shown):,} more" if len(others) > len(shown) else ""
        narrate(f"▲ Not by mynah, and deleted with it: {', '.join(shown)}{more}.")
    if not yes:
        ask_first("Delete it?", otherwise="Nothing was deleted.")
    with_progress(lambda note, _: unpublish(found, there))
    if as_json:
        emit_json({"url": there.url, "files": [], "unpublished": True})
    else:
        emit(f"Deleted: {there.url}")
