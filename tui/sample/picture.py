"""A sample as a picture, as `mynah share` draws it: shows it, asks for a file, and writes that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from rich.style import Style
from rich.text import Text
from textual.widgets import Static

from core.home import in_full
from tui.job import Attempt, Host, Job, Report

if TYPE_CHECKING:
    from core.errors import MynahError
    from core.publish.picture import Picture
    from core.sampling.store import StoredSample
    from tui.section.screen import Mynah, Section

# Lines of a window that the question and its frame take, and what may be said below them.
_BESIDE_IT: Final = 9


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
            from core.publish.picture import kind_of

            picture = drawn(stored, folder, kind_of(path))
            write_bytes_whole(path, picture.content)
            return PictureDrawn(path, picture.missing)

        return self.start(work)


@dataclass
class PictureSeen(Report):
    """How it will look: a PNG. None: ``error`` says why there is none."""

    sample_id: str
    png: bytes | None
    error: MynahError | None = None


class PreviewJob(Job):
    """Reports PictureSeen."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "drawing a picture", newest_wins=True)

    def draw(self, stored: StoredSample, folder: Path) -> None:
        def work(_: Attempt) -> Report:
            return PictureSeen(stored.id, drawn(stored, folder, "png").content)

        self.start(work, lambda error: PictureSeen(stored.id, None, error))


class PicturePreview(Static):
    """The picture in half blocks: how it is laid out, and how much of it the prompt takes."""

    def __init__(self, stored: StoredSample, folder: Path, job: PreviewJob) -> None:
        super().__init__("Drawing…", id="picture-preview", markup=False)
        self._stored, self._folder, self._job = stored, folder, job
        self._png: bytes | None = None
        self._room = (0, 0)

    def on_mount(self) -> None:
        cast("Mynah", self.app).reported.subscribe(self, self._reported)
        self._job.draw(self._stored, self._folder)

    def _reported(self, report: Report) -> None:
        if isinstance(report, PictureSeen) and report.sample_id == self._stored.id:
            self._png = report.png
            if report.error is not None:
                self.update(Text(f"{report.error.what} {report.error.why}"))
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        room = self.content_size.width, max(1, self.screen.size.height - _BESIDE_IT)
        if self._png is not None and room[0] and room != self._room:
            self._room = room
            self.update(_as_text(self._png, *room))


def _as_text(png: bytes, columns: int, lines: int) -> Text:
    from core.publish.picture import half_blocks

    text = Text(no_wrap=True, end="")
    for cells in half_blocks(png, columns, lines):
        for top, bottom in cells:
            ink, ground = (f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in (top, bottom))
            text.append("▀", Style.parse(f"{ink} on {ground}"))
        text.append("\n")
    text.right_crop(1)
    return text


def drawn(stored: StoredSample, folder: Path, kind: str) -> Picture:
    """A sample of the run in ``folder`` as `mynah share` draws it; ``kind``: png or svg."""
    from core.publish.facts import facts_of
    from core.publish.picture import Shareable, draw
    from core.runs.folder import Run

    return draw(facts_of(Run(folder)), Shareable(stored.prompt, stored.text), kind)


def draw_sample(
    section: Section, job: PictureJob, previews: PreviewJob, stored: StoredSample, folder: Path
) -> None:
    """Shows the picture and asks for a file; writes it after a yes where one is there."""
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
    question = "Draw this sample as (.png or .svg)"
    preview = PicturePreview(stored, folder, previews)
    app.push_screen(Ask(question, str(in_full(name)), above=preview), named)


def show_drawn(section: Section, report: PictureDrawn) -> None:
    words = str(report.path)
    if report.missing:
        words += f"\nNo font here has {report.missing}; an .svg leaves them to who opens it."
    section.app.notify(words, title="The picture is written")
