"""5 Sample: a prompt, the sampling settings, and the texts that the model generates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.widgets import Input, Static

from core.numbers import plural
from tui.actions import bindings, of_section, with_keys
from tui.job import Report
from tui.sample.generating import Heard, Sampled, SampleRepeated, SamplingEnded
from tui.sample.picture import PictureDrawn, show_drawn
from tui.sample.prompt_field import PromptField
from tui.sample.sample_keys import SampleKeys, Shown
from tui.sample.sample_list import Sample, SampleList
from tui.sample.voice_form import (
    MORE,
    beside_choices,
    model_name,
    request_of,
    speakers,
    voice_fields,
)
from tui.state import State
from tui.widgets.cells import cell_len, cut, fit
from tui.widgets.choice_field import Choice, ChoiceField
from tui.widgets.field import ButtonField, Field
from tui.widgets.field_form import FieldForm
from tui.widgets.panel import Panel
from tui.widgets.words import Words

if TYPE_CHECKING:
    from textual.events import DescendantFocus

    from core.runs.summary import RunSummary
    from core.sampling.request import Done, SampleRequest

NO_MODEL = (
    "No model yet. Press {app.train}, then {train.start}, to train one; it takes about two minutes."
)
FIRST_PROMPT = "My dream is"
LEARNING = (
    "No model yet: it is still learning. Press {app.train} to watch; this page knows when it is "
    "done."
)
READY = "Press {sample.go} to generate, or type a prompt above and press enter."
COPY_NOTES = {
    "verbatim": "copy, {n} words",
    "near": "near copy, {n} words",
    "new": "no copy",
    "unchecked": "not checked",
}
# What is done with the sample under the cursor.
ONE_SAMPLE = (
    "copy", "favourite", "note", "hide", "more", "edit", "repeat", "why", "tokens",
)  # fmt: skip
# Told below the samples once there are some, the most useful first.
WITH_SAMPLES = ("more", "edit", "note", "copy", "why", "tokens", "blind", "repeat")
# Cells of a list that two columns of text fit into.
TWO_COLUMNS = 80
# Cells at both ends of the line of the next step.
_HINT_PADDING = 4


class SampleSection(SampleKeys):
    """Each sample says why it stopped and whether it copies; generated text wears its own style."""

    SECTION = "sample"
    COLUMNS = ("sample-side", "sample-main")
    FIRST_COLUMN = 1
    BINDINGS: ClassVar[list[BindingType]] = bindings("sample")

    def compose_body(self) -> ComposeResult:
        with Vertical(id="sample-side", classes="column side"):
            with Panel(title="Voice", id="voice-panel"):
                with FieldForm(id="voice-form"):
                    yield from voice_fields()
                yield Words("", id="voice-note", markup=False)
        with Vertical(id="sample-main", classes="column main"):
            with Panel(title="Prompt", id="prompt-panel"):
                yield PromptField(
                    self.state.session.get("prompt", FIRST_PROMPT),
                    home=self.state.home,
                    id="prompt",
                )
            with Panel(title="Generated", id="generated-panel"):
                yield Static("", id="speakers", markup=False)
                yield SampleList(id="samples", empty="")

    def on_mount(self) -> None:
        self._models: list[RunSummary] = []
        self._done = 0
        self._rates: dict[int, float] = {}  # of each of the models
        self._names: list[str] = []
        self._request: SampleRequest | None = None
        app = self.mynah
        app.runs_changed.subscribe(self, self._runs_changed)
        app.reported.subscribe(self, self._reported)
        self._form: dict[str, Any] = self.query_one("#voice-form", FieldForm).values
        self._form["run"] = ""
        self._show_more(False)
        self._runs_changed(self.state)
        # not the prompt: there, the keys 1 to 5 would be typed and nobody would find the way out
        self.query_one("#samples").focus()

    def possible(self, action: str) -> bool:
        busy = self._sampling.busy
        if action in ("generate", "again"):
            return self.chosen_model() is not None and not busy
        if action == "stop":
            return busy
        if action in ONE_SAMPLE:
            return len(self.listing) > 0
        return True

    # ── models ───────────────────────────────────────────────────────────────────────────

    def to_remember(self) -> dict[str, str]:
        return {"prompt": self.query_one("#prompt", PromptField).value}

    def runs_with_model(self) -> list[RunSummary]:
        return self._models

    def _runs_changed(self, state: State) -> None:
        if not self.is_current:
            return  # drawn when it comes into view
        models = [run for run in state.runs or [] if run.has_model]
        shown = [(run.run, model_name(run)) for run in self._models]
        if models and [(run.run, model_name(run)) for run in models] == shown:
            return
        self._models = models
        waiting = LEARNING if state.live_run is not None else NO_MODEL
        self.listing.set_empty(with_keys(READY if models else waiting, state.keymap))
        if not models:
            return
        if self._form["run"] not in [run.run for run in models]:
            self._form["run"] = models[0].run
        self._show_models()

    def _show_models(self) -> None:
        form = self.query_one("#voice-form", FieldForm)
        run, beside = form.field("run"), form.field("beside")
        if isinstance(run, ChoiceField) and isinstance(beside, ChoiceField):
            named = [Choice(run.run, model_name(run), run.run) for run in self._models]
            run.set_choices(named, value=self._form["run"])
            beside.set_choices(beside_choices(self._models, self.chosen_model()))
            self._form["beside"] = beside.value
        self.ask_for_answers(self.query_one(PromptField).answers)

    @on(Field.Changed)
    def _knob_turned(self, event: Field.Changed) -> None:
        self._form[event.key] = event.value
        if event.key == "run":
            self._show_models()

    @on(ButtonField.Pressed)
    def _more_pressed(self) -> None:
        form = self.query_one("#voice-form", FieldForm)
        self._show_more(not form.field(MORE[0]).display)

    def _show_more(self, shown: bool) -> None:
        """The settings that few people need; they hold also while they are folded away."""
        form = self.query_one("#voice-form", FieldForm)
        for field in form.fields:
            if field.key in MORE:
                field.display, field.disabled = shown, not shown
        form.field("more").label = "less" if shown else "more"
        form.field("more").refresh()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        help_text = event.widget.help if isinstance(event.widget, Field) else ""
        self.query_one("#voice-note", Words).update(Text(help_text, "dim"))

    def on_screen_resume(self) -> None:
        """Another section may have asked to hear a certain run."""
        asked, self.state.voice = self.state.voice, None
        self._runs_changed(self.state)
        if asked in [model.run for model in self._models]:
            self._form["run"] = asked
            self._show_models()
        self._warm()

    def _warm(self) -> None:
        """Wake the model while the person still thinks; not while a training needs the machine."""
        model = self.chosen_model()
        if model is not None and self.state.live_run is None and self.mynah.section == self.SECTION:
            self._sampling.warm(model.folder)

    def chosen_model(self) -> RunSummary | None:
        return next((run for run in self._models if run.run == self._form["run"]), None)

    def action_compare(self) -> None:
        """Chooses the model to compare with."""
        field = self.query_one("#voice-form", FieldForm).field("beside")
        if isinstance(field, ChoiceField):
            self.reveal(field)
            field.action_open()

    # ── generating ───────────────────────────────────────────────────────────────────────

    @on(Input.Submitted, "#prompt")
    def action_generate(self) -> None:
        self.generate()

    def generate(self, *, new_seed: bool = False) -> bool:
        from random import SystemRandom

        from core.errors import MynahError

        model = self.chosen_model()
        if model is None:
            self.app.notify(
                with_keys(NO_MODEL, self.state.keymap),
                title="Nothing to sample from",
                severity="warning",
            )
            return False
        if self._sampling.busy:
            self.app.notify("esc stops the present one.", title="Still generating")
            return False
        seed = 0 if new_seed else int(self._form["seed"])
        prompt = self.query_one("#prompt", PromptField)
        try:
            seed = seed or SystemRandom().randrange(1, 2**31)
            request = request_of(self._form, prompt.text, seed, answers=prompt.answers)
        except MynahError as error:
            self.mynah.show_error(error)
            return False
        speaking = speakers(self._models, model, self._form["beside"])
        self._request, self._done, self._rates = request, 0, {}
        self._shown = [
            Shown(speaker, index) for index in range(request.n) for speaker in range(len(speaking))
        ]
        self.stand_beside([name for _, name in speaking])
        self.listing.set_samples(
            [
                Sample(
                    request.prompt, request.prompt, live=True, label=self.label_of(shown.speaker)
                )
                for shown in self._shown
            ]
        )
        self._status(f"loading {self._names[0]}…")
        prompt.remember()
        self._sampling.run([speaker for speaker, _ in speaking], request)
        self.reveal(self.listing)
        return True

    def stand_beside(self, names: list[str]) -> None:
        """One or two speakers of these names: in columns, or one under the other."""
        self._names = names
        self.listing.set_columns(self._columns())
        self._show_speakers()

    def _columns(self) -> int:
        """Two side by side where both have room, else one under the other."""
        wide = self.query_one("#generated-panel").content_size.width >= TWO_COLUMNS
        return 2 if len(self._names) == 2 and wide else 1

    def label_of(self, speaker: int) -> str:
        """One under the other, each says whose it is."""
        if len(self._names) < 2 or self._columns() == 2:
            return ""
        name = self._names[speaker]
        return "base" if name.startswith("base: ") else cut(name.partition(" (")[0], 10)

    def _show_speakers(self) -> None:
        """The names above two columns."""
        head = self.query_one("#speakers", Static)
        head.display = self.listing.columns == 2
        if head.display:
            half = (self.query_one("#generated-panel").content_size.width - 3) // 2
            first, second = (fit(f"      {name}", half) for name in self._names)
            head.update(Text(f"{first}  {second}", "bold", no_wrap=True))

    def on_resize(self, event: Resize) -> None:
        if self.is_mounted and self._names:
            self.call_after_refresh(self._stand_anew)

    def _stand_anew(self) -> None:
        if self.listing.columns != self._columns():
            self.listing.set_columns(self._columns())
            for position, shown in enumerate(self._shown):
                self.listing.update(position, label=self.label_of(shown.speaker))
        self._show_speakers()

    def _reported(self, report: Report) -> None:
        if isinstance(report, SampleRepeated):
            self.show_repeated(report)
        elif isinstance(report, PictureDrawn):
            show_drawn(self, report)
        if not isinstance(report, (Sampled, SamplingEnded)):
            return
        if report.generation != self._sampling.generation:
            return  # of one that was replaced
        if isinstance(report, Sampled):
            for heard in report.events:
                self._show_event(heard)
            return
        self.listing.finish_all()
        self.explain(self._keys_of_a_sample())
        self.listing.show_cursor()  # it may have followed the end; v and y mean the one under it
        if report.error is not None:
            self._status("ended with an error; the prompt is still there")
        else:
            self._show_result()
            if self._done:
                self.mynah.first_sample_made()
        if report.not_stored:
            self.app.notify(report.not_stored, title="Samples were not stored", severity="warning")

    def _keys_of_a_sample(self) -> str:
        """What one can do now, besides the keys of the footer: as much as has room."""
        shown = {one.id: one for one in of_section(self.SECTION, self.state.keymap)}
        wanted = [shown[f"sample.{name}"] for name in WITH_SAMPLES]
        words = [f"{one.key} {one.label.lower()}" for one in wanted]
        room = self.size.width - _HINT_PADDING
        while len(words) > 1 and cell_len(" · ".join(words)) > room:
            words.pop()
        return " · ".join(words)

    def _place(self, speaker: int, index: int) -> int | None:
        """Where in the list a sample stands; None for one that was hidden."""
        for position, shown in enumerate(self._shown):
            if (shown.speaker, shown.index) == (speaker, index):
                return position
        return None

    def _show_event(self, heard: Heard) -> None:
        from core.sampling.request import Deltas, Done, Finished, Ready, Restarted

        event, listing = heard.event, self.listing
        if isinstance(event, Deltas):
            grown: dict[int, str] = {}
            for index, text in event.items:
                if (place := self._place(heard.speaker, index)) is not None:
                    grown[place] = grown.get(place, "") + text
            for place in grown:
                if not self._shown[place].begun:
                    self._shown[place].begun = True
                    listing.update(place, text="")  # the first delta brings the prompt with it
            listing.append(grown)
            self._show_count()
        elif isinstance(event, Restarted):  # it was empty or a copy, and is drawn again
            if (place := self._place(heard.speaker, event.index)) is not None:
                listing.update(place, text="")
        elif isinstance(event, Done):
            self._done += 1
            if (place := self._place(heard.speaker, event.index)) is not None:
                self._shown[place].stored = heard.stored
                self._finish(place, event)
            self._show_count()
        elif isinstance(event, Finished):
            self._rates[heard.speaker] = event.tokens_per_second
            if heard.speaker + 1 < len(self._names) and not self._sampling.stopping:
                self._show_count(f"loading {self._names[heard.speaker + 1]}… · ")
        elif isinstance(event, Ready):
            self._status(f"generating on {event.device} · esc stops")

    def _finish(self, place: int, event: Done) -> None:
        copied = event.copy.verdict in ("near", "verbatim")
        self.listing.update(place, text=event.text)
        self.listing.finish(
            place,
            stopped=event.stopped,
            verdict=event.copy.verdict,
            note=COPY_NOTES[event.copy.verdict].format(n=event.copy.longest),
            shared=event.copy.shared if copied else (),
        )

    def _show_count(self, doing: str = "") -> None:
        wanted = (self._request.n if self._request else 0) * len(self._names)
        self._status(f"{self._done} of {wanted} · {doing}esc stops")

    def _show_result(self) -> None:
        seed = self._request.seed if self._request else 0
        rates = " and ".join(f"{rate:.0f}" for _, rate in sorted(self._rates.items()))
        result = f"{plural(self._done, 'sample')} · {rates or 0} tok/s · seed {seed}"
        self._status(result if self._done else "stopped before the first sample")

    def _status(self, text: str) -> None:
        self.query_one("#generated-panel", Panel).status = text

    # ── what a person does ───────────────────────────────────────────────────────────────

    def action_prompt(self) -> None:
        self.reveal(self.query_one("#prompt", Input))

    def action_stop(self) -> None:
        if self._sampling.stop():
            self._status("stopping…")
        else:
            self.query_one("#samples").focus()
