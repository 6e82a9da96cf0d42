"""A sample as a picture, as `mynah share` draws it: asks for a file, draws in the background."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.home import in_full
from tui.job import Attempt, Host, Job, Report

if TYPE_CHECKING:
    from core.sampling.store import StoredSample
    from tui.section.screen import Section


@dataclass
class PictureDrawn(Report):
    """It stands at ``path``; ``missing``: characters that no font here has."""

    path: Path
    missing: str


class PictureJob(Job):
    """Reports PictureDrawn."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "drawing a picture")

    def draw(self, stored: StoredSample, folder: Path, path: Path) -> bool:
        """Of a sample of the run in ``folder``; False while another is drawn."""

        def work(_: Attempt) -> Report:
            from core.files import write_bytes_whole
            from core.publish.facts import facts_of
            from core.publish.picture import Shareable, draw, kind_of
            from core.runs.folder import Run

            sample = Shareable(stored.prompt, stored.text)
            picture = draw(facts_of(Run(folder)), sample, kind_of(path))
            write_bytes_whole(path, picture.content)
            return PictureDrawn(path, picture.missing)

        return self.start(work)


def draw_sample(section: Section, job: PictureJob, stored: StoredSample, folder: Path) -> None:
    """Asks for a file and draws the sample into it, after a yes where one is there."""
    from tui.dialogs.ask import Ask
    from tui.dialogs.replacing import write_to

    app = section.app
    if stored.sample.copy.of_a_tweet:
        app.notify("These are a person's own words, not the model's.", title="It copies a tweet")
        return

    def draw(path: Path) -> None:
        if not job.draw(stored, folder, path):
            app.notify("One at a time: try again in a moment.", title="A picture is being drawn")

    def named(answer: str | None) -> None:
        if answer:
            write_to(app, answer, draw)

    name = f"{stored.run}-{stored.id[:8]}.png"
    app.push_screen(Ask("Draw this sample as (.png or .svg)", str(in_full(name))), named)


def show_drawn(section: Section, report: PictureDrawn) -> None:
    words = str(report.path)
    if report.missing:
        words += f"\nNo font here has {report.missing}; an .svg leaves them to who opens it."
    section.app.notify(words, title="The picture is written")
