"""What one does with the sample under the cursor: keep, note, copy, hide, take up, make again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.widgets import Input

from tui.actions import key_of
from tui.sample.blind import BlindPage
from tui.sample.generating import SampleRepeated, SamplingJob
from tui.sample.kept import COPIED, KeptPage, export, labelled
from tui.sample.picture import draw_sample
from tui.sample.prompt_field import PromptField
from tui.sample.sample_list import SampleList
from tui.sample.why import WhyPage
from tui.section.columns import acts_on
from tui.section.screen import Section, explained
from tui.text.samples import first_words
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from core.runs.summary import RunSummary
    from core.sampling.store import StoredSample


@dataclass
class Shown:
    """A text in the list: sample ``index`` of a speaker, and how it is stored once it is done."""

    speaker: int
    index: int
    stored: StoredSample | None = None
    favourite: bool = False
    begun: bool = False


class SampleKeys(Section):
    """The part of the Sample section that looks after single samples."""

    def __init__(self, sampling: SamplingJob) -> None:
        super().__init__()
        self._sampling = sampling
        self._shown: list[Shown] = []
        self._told = False  # what one does with favourites

    def generate(self, *, new_seed: bool = False) -> bool:
        """Samples with the prompt and the settings that stand there; False when it cannot."""
        raise NotImplementedError

    def runs_with_model(self) -> list[RunSummary]:
        """The runs that can speak."""
        raise NotImplementedError

    def chosen_model(self) -> RunSummary | None:
        """The run whose model speaks."""
        raise NotImplementedError

    @property
    def listing(self) -> SampleList:
        return self.query_one("#samples", SampleList)

    def selected(self) -> Shown | None:
        """The text under the cursor."""
        at = self.listing.cursor
        return self._shown[at] if at < len(self._shown) else None

    def done(self) -> Shown | None:
        """The same once it has come to its end; until then a word says that it has not."""
        shown = self.selected()
        if shown is not None and shown.stored is None:
            self.app.notify("This sample is still being written.", title="Not yet")
            return None
        return shown

    def credit(self, run: str) -> str:
        """Who is imitated by a run, for a label."""
        known = next((one for one in self.runs_with_model() if one.run == run), None)
        return " & ".join("@" + handle for handle in known.handles) if known else run

    # ── keep ─────────────────────────────────────────────────────────────────────────────

    @acts_on("#samples")
    @explained
    def action_favourite(self) -> None:
        """Keeps the sample and goes on to the next, or takes it off the list of favourites again.

        Many are kept one after the other, so that only the first says what else there is.
        """
        from core.sampling.favourites import drop_favourite, keep_sample

        shown = self.done()
        if shown is None or shown.stored is None:
            return
        if shown.favourite:
            drop_favourite(self.state.home, keep_sample(self.state.home, shown.stored).id)
            self.app.notify("It is no favourite any more.", title="Taken off")
        else:
            keep_sample(self.state.home, shown.stored)
            if not self._told:
                is_last = self.listing.cursor + 1 >= len(self._shown)
                gone_on = "" if is_last else " (the cursor is on the next)"
                self.app.notify(
                    f"{self._key('favourite')} on it takes it off again{gone_on}, "
                    f"{self._key('favourites')} shows every favourite.",
                    title="✦ Kept",
                )
            self._told = True
        shown.favourite = not shown.favourite
        self.listing.update(self.listing.cursor, favourite=shown.favourite)
        if shown.favourite:
            self.listing.action_cursor(1)

    def _key(self, name: str) -> str:
        return key_of(f"sample.{name}", self.state.keymap)

    @explained
    def action_export(self) -> None:
        """Writes every favourite to a file."""
        from core.sampling.favourites import favourites

        export(self, favourites(self.state.home))

    @acts_on("#samples")
    def action_note(self) -> None:
        """Keeps the sample, with a note."""
        from core.sampling.favourites import favourites, keep_sample, note_favourite
        from tui.dialogs.ask import Ask

        shown = self.done()
        if shown is None or shown.stored is None:
            return
        stored, at = shown.stored, self.listing.cursor

        @explained
        def noted(section: SampleKeys, note: str) -> None:
            kept = keep_sample(section.state.home, stored)
            note_favourite(section.state.home, kept.id, note)
            shown.favourite = True
            section.listing.update(at, favourite=True)
            words = f"It is a favourite now; {section._key('favourites')} shows them all."
            section.app.notify(words, title="✦ Noted")

        before = next((one for one in favourites(self.state.home) if one.id == stored.id), None)
        self.app.push_screen(
            Ask("Note on this sample", before.note if before else "", optional=True),
            lambda note: None if note is None else noted(self, note),
        )

    @acts_on("#samples")
    def action_hide(self) -> None:
        """Takes a text off the screen; where two stand side by side, both. They stay stored."""
        if self.selected() is None:
            return
        listing = self.listing
        first = listing.cursor - listing.cursor % listing.columns
        for position in reversed(range(first, min(first + listing.columns, len(listing)))):
            listing.take_out(position)
            del self._shown[position]

    @acts_on("#samples")
    def action_copy(self) -> None:
        shown = self.selected()
        text = self.listing.text(self.listing.cursor) if shown is not None else ""
        if not text or shown is None:
            return
        if shown.stored is None:
            self.done()
            return
        who = self.credit(shown.stored.run)
        self.mynah.copy(labelled(text, who, shown.stored.model), COPIED)

    def action_favourites(self) -> None:
        """The page of favourites; what is taken from there goes into the prompt."""

        def chosen(text: str | None) -> None:
            if text is not None:
                self.edit(text)
            self._show_favourites()

        self.app.push_screen(KeptPage(self, self._sampling.kept), chosen)

    def _show_favourites(self) -> None:
        """Their signs, after the page may have changed them."""
        from core.sampling.favourites import favourites

        kept = {one.id for one in favourites(self.state.home)}
        for at, shown in enumerate(self._shown):
            favourite = shown.stored is not None and shown.stored.id in kept
            if favourite != shown.favourite:
                shown.favourite = favourite
                self.listing.update(at, favourite=favourite)

    @explained
    def action_edit_outside(self) -> None:
        """The prompt, in the person's own editor."""
        from tui.external_editor import edit_outside

        written = edit_outside(self.app, self.query_one(PromptField).text, "prompt.txt")
        if written is not None:
            self.query_one(PromptField).text = written
        self.reveal(self.query_one("#prompt", Input))

    # ── take up ──────────────────────────────────────────────────────────────────────────

    def action_again(self) -> None:
        """The same prompt once more, with a new seed."""
        self.generate(new_seed=True)

    @acts_on("#samples")
    def action_more(self) -> None:
        """The first words of the sample become the prompt, and new ones are drawn."""
        text = self._text_of_selected()
        if text and not self._sampling.busy:
            self.set_prompt(first_words(text, self.query_one("#prompt", Input).value))
            self.generate(new_seed=True)

    @acts_on("#samples")
    def action_edit(self) -> None:
        """The sample goes into the prompt, to be changed and continued."""
        text = self._text_of_selected()
        if text:
            self.edit(text)

    def edit(self, text: str) -> None:
        self.set_prompt(text)
        self.reveal(self.query_one("#prompt", Input))
        self.app.notify("Change it, then enter goes on from its end.", title="In the prompt")

    def set_prompt(self, text: str) -> None:
        """Puts ``text`` there as the beginning of samples."""
        self.query_one(PromptField).text = text
        self.ask_for_answers(False)

    # ── answer ───────────────────────────────────────────────────────────────────────────

    @explained
    def action_answer(self) -> None:
        """What is typed is a tweet to answer, or again how a text begins."""
        from core.models.answering import not_learned

        model, prompt = self.chosen_model(), self.query_one(PromptField)
        if model is None:
            self.generate()  # says what to do
            return
        if not model.answers:
            raise not_learned(model.name or model.run)
        self.ask_for_answers(not prompt.answers)
        self.reveal(prompt)

    def ask_for_answers(self, answers: bool) -> None:
        """Whether the prompt is a tweet to answer; never of a run that has not learned to."""
        model, panel = self.chosen_model(), self.query_one("#prompt-panel", Panel)
        able = model is not None and model.answers
        prompt = self.query_one(PromptField)
        prompt.answers = answers and able
        panel.title = "Tweet to answer" if prompt.answers else "Prompt"
        other = "begins with it" if prompt.answers else "answers a tweet"
        panel.status = f"{self._key('answer')} {other}" if able else ""

    def _text_of_selected(self) -> str:
        return self.listing.text(self.listing.cursor) if self.selected() is not None else ""

    # ── look into it ─────────────────────────────────────────────────────────────────────

    @acts_on("#samples")
    @explained
    def action_why(self) -> None:
        """The training tweets that are nearest to the sample."""
        shown = self.done()
        if shown is not None and shown.stored is not None:
            folder = self.folder_of(shown.stored)
            self.app.push_screen(WhyPage(shown.stored, folder, self._sampling.nearest))

    @acts_on("#samples")
    @explained
    def action_tokens(self) -> None:
        """How likely the model held each token of the sample."""
        from tui.sample.tokens import TokensPage

        shown = self.done()
        if shown is None or shown.stored is None:
            return
        if self._sampling.busy:
            self.app.notify("esc stops the present one.", title="Still generating")
            return
        folder = self.folder_of(shown.stored)
        shown.stored.request()  # refuses what this version does not know
        self.app.push_screen(TokensPage(shown.stored, folder, self._sampling))

    @acts_on("#samples")
    @explained
    def action_picture(self) -> None:
        """The sample as a picture to show around."""
        shown = self.done()
        if shown is not None and shown.stored is not None:
            folder = self.folder_of(shown.stored)
            jobs = self._sampling.pictures, self._sampling.previews
            draw_sample(self, *jobs, shown.stored, folder)

    # ── the blind test ───────────────────────────────────────────────────────────────────

    def action_blind(self) -> None:
        """Which one is real? With the chosen run."""
        model = self.chosen_model()
        if model is None:
            self.generate()  # says what to do
        elif self._sampling.busy:
            self.app.notify("esc stops the present one.", title="Still generating")
        else:
            self.app.push_screen(BlindPage(model.folder, self._sampling.blind))

    # ── make again ───────────────────────────────────────────────────────────────────────

    @acts_on("#samples")
    def action_repeat(self) -> None:
        """Makes the sample once more from what is stored of it, and says whether it is the same."""
        shown = self.done()
        if shown is not None and shown.stored is not None:
            self.repeat(shown.stored)

    @explained
    def repeat(self, stored: StoredSample) -> None:
        folder = self.folder_of(stored)
        stored.request()  # refuses what this version does not know
        if not self._sampling.repeat(stored, folder):
            self.app.notify("esc stops the present one.", title="Still generating")

    def folder_of(self, stored: StoredSample) -> Path:
        """Of the run that wrote it. Raises InputRefused when that is gone."""
        from core.errors import InputRefused

        folder = self.state.home.runs / stored.run
        if not folder.is_dir():
            raise InputRefused("Nothing more is known of this sample.", f"{stored.run} is gone.")
        return folder

    def show_repeated(self, report: SampleRepeated) -> None:
        """What came of it; a page over the section shows it itself."""
        if self.app.screen is not self and self.app.screen.query("#tokens-text"):
            return
        if report.error is not None:
            self.mynah.show_error(report.error)
        elif report.repeated is not None:
            again = report.repeated
            title = "The same again" if again.same else "Not the same"
            words = again.in_words if again.same else f"{again.in_words}\n{again.sample.text}"
            self.app.notify(words, title=title, severity="information" if again.same else "warning")
