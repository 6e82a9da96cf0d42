"""5 Sample: a prompt, the sampling settings, and the texts that the model generates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from core.models.generation import MAX_TOKENS, TEMPERATURE, TOP_K, TOP_P
from tui.actions import bindings
from tui.job import Report
from tui.sample.generating import Sampled, SamplingEnded, SamplingJob
from tui.sample.sample_list import SampleList
from tui.section import Section, explained
from tui.state import State
from tui.text.numbers import plural
from tui.widgets.choice_field import ChoiceField
from tui.widgets.field import Field
from tui.widgets.field_form import FieldForm
from tui.widgets.panel import Panel
from tui.widgets.typed_field import NumberField

if TYPE_CHECKING:
    from textual.events import DescendantFocus

    from core.runs.summary import RunSummary
    from core.sampling.request import Copy, SampleEvent

NO_MODEL = "No model yet. Press 4, then s, to train one; it takes about two minutes."
FIRST_PROMPT = "My dream is"
LEARNING = "No model yet: it is still learning. Press 4 to watch; this page knows when it is done."
READY = "Press g to generate, or type a prompt above and press enter."
COPY_NOTES = {
    "verbatim": "copied, {n} words",
    "near": "near, {n} words",
    "new": "new",
    "unchecked": "not checked",
}


class SampleSection(Section):
    """Each sample says why it stopped and whether it copies; generated text wears its own style."""

    SECTION = "sample"
    COLUMNS = ("sample-side", "sample-main")
    FIRST_COLUMN = 1
    BINDINGS: ClassVar[list[BindingType]] = bindings("sample")

    def __init__(self, sampling: SamplingJob) -> None:
        super().__init__()
        self._sampling = sampling

    def compose_body(self) -> ComposeResult:
        with Vertical(id="sample-side", classes="column side"):
            with Panel(title="Voice", id="voice-panel"):
                with FieldForm(id="voice-form"):
                    yield from self._knobs()
                yield Static("", id="voice-note", markup=False)
        with Vertical(id="sample-main", classes="column main"):
            with Panel(title="Prompt", id="prompt-panel"):
                yield Input(
                    FIRST_PROMPT, placeholder="how it begins; empty lets it choose", id="prompt"
                )
            with Panel(title="Generated", id="generated-panel"):
                yield SampleList(id="samples", empty=NO_MODEL)

    def on_mount(self) -> None:
        super().on_mount()
        self._models: list[RunSummary] = []
        self._copies: dict[int, Copy] = {}
        self._favourites: set[int] = set()
        self._done = 0
        self._wanted = 0
        self._awaited: set[int] = set()
        self._request: Any = None
        app = self.mynah
        app.runs_changed.subscribe(self, self._runs_changed)
        app.reported.subscribe(self, self._reported)
        self._form: dict[str, Any] = self.query_one("#voice-form", FieldForm).values
        self._form["run"] = ""
        self._runs_changed(self.state)
        # not the prompt: there, the keys 1 to 5 would be typed and nobody would find the way out
        self.query_one("#samples").focus()

    def possible(self, action: str) -> bool:
        busy = self._sampling.busy
        if action == "generate":
            return self._chosen_model() is not None and not busy
        if action == "stop":
            return busy
        if action in ("copy", "favourite"):
            return len(self.query_one("#samples", SampleList)) > 0
        return True

    # ── models ───────────────────────────────────────────────────────────────────────────

    def _runs_changed(self, state: State) -> None:
        models = [run for run in state.runs or [] if run.has_model]
        shown = [(run.run, _model_name(run)) for run in self._models]
        if models and [(run.run, _model_name(run)) for run in models] == shown:
            return
        self._models = models
        listing = self.query_one("#samples", SampleList)
        waiting = LEARNING if state.live_run is not None else NO_MODEL
        listing.set_empty(READY if models else waiting)
        if not models:
            return
        if self._form["run"] not in [run.run for run in models]:
            self._form["run"] = models[0].run
        self._show_models()

    def _show_models(self) -> None:
        field = self.query_one("#voice-form", FieldForm).field("run")
        if isinstance(field, ChoiceField):
            field.set_choices(
                [(run.run, _model_name(run)) for run in self._models], value=self._form["run"]
            )

    @staticmethod
    def _knobs() -> Iterator[Field[Any]]:
        """The knobs, each with the sentence that explains it while it has the focus."""
        yield ChoiceField("run", "run", help="The run whose model speaks.")
        yield NumberField("count", "how many", value=5, minimum=1, maximum=50, help="At a time.")
        yield NumberField(
            "temperature", "temperature", value=TEMPERATURE, minimum=0, maximum=2, step=0.1,
            decimals=1, slider=True,
            help="Below 1 safer and more copied, above 1 wilder; 0 always the likeliest.",
        )  # fmt: skip
        yield NumberField(
            "top_p", "top-p", value=TOP_P, minimum=0.05, maximum=1, step=0.05, decimals=2,
            help="Only the likeliest words that make up this share. Lower copies more.",
        )  # fmt: skip
        yield NumberField(
            "top_k", "top-k", value=TOP_K, minimum=0, maximum=1000, step=10,
            help="Only this many of the likeliest words; 0 is off.",
        )  # fmt: skip
        yield NumberField(
            "max_tokens", "longest", value=MAX_TOKENS, minimum=8, maximum=512, step=8,
            unit="tokens",
            help="A sample that gets this far is cut, and says so.",
        )  # fmt: skip
        yield NumberField(
            "seed", "seed", value=0, minimum=0, maximum=2**31 - 1,
            help="0 draws a new one each time; the same one repeats the same samples.",
        )  # fmt: skip

    @on(Field.Changed)
    def _knob_turned(self, event: Field.Changed) -> None:
        self._form[event.key] = event.value

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        help_text = event.widget.help if isinstance(event.widget, Field) else ""
        self.query_one("#voice-note", Static).update(Text(help_text, "dim"))

    def on_screen_resume(self) -> None:
        """Another section may have asked to hear a certain run."""
        super().on_screen_resume()
        asked, self.state.voice = self.state.voice, None
        self._runs_changed(self.state)
        if asked in [model.run for model in self._models]:
            self._form["run"] = asked
            self._show_models()
        self._warm()

    def _warm(self) -> None:
        """Wake the model while the person still thinks; not while a training needs the machine."""
        model = self._chosen_model()
        if model is not None and self.state.live_run is None and self.mynah.section == self.SECTION:
            self._sampling.warm(model.folder)

    def _chosen_model(self) -> RunSummary | None:
        return next((run for run in self._models if run.run == self._form["run"]), None)

    # ── generating ───────────────────────────────────────────────────────────────────────

    @on(Input.Submitted, "#prompt")
    def action_generate(self) -> None:
        from random import SystemRandom

        from core.errors import MynahError
        from core.sampling.request import SampleRequest

        model = self._chosen_model()
        if model is None:
            self.app.notify(NO_MODEL, title="Nothing to sample from", severity="warning")
            return
        if self._sampling.busy:
            self.app.notify("esc stops the present one.", title="Still generating")
            return
        seed = int(self._form["seed"]) or SystemRandom().randrange(1, 2**31)
        try:
            self._request = SampleRequest(
                prompt=self.query_one("#prompt", Input).value,
                n=int(self._form["count"]),
                max_tokens=int(self._form["max_tokens"]),
                temperature=float(self._form["temperature"]),
                top_p=float(self._form["top_p"]),
                top_k=int(self._form["top_k"]),
                seed=seed,
            )
        except MynahError as error:
            self.mynah.show_error(error)
            return
        listing = self.query_one("#samples", SampleList)
        self._wanted, self._done = self._request.n, 0
        self._copies.clear()
        self._favourites.clear()
        listing.begin(self._request.n, prompt=self._request.prompt)
        self._awaited = set(range(self._request.n))
        self._status(f"waking {_model_name(model)}…")
        self._model = model
        self._sampling.run(model.folder, self._request)
        self.reveal(listing)

    def _reported(self, report: Report) -> None:
        if not isinstance(report, (Sampled, SamplingEnded)):
            return
        if report.generation != self._sampling.generation:
            return  # of one that was replaced
        listing = self.query_one("#samples", SampleList)
        if isinstance(report, Sampled):
            for event in report.events:
                self._show_event(listing, event)
            return
        listing.finish_all()
        listing.show_cursor()  # it may have followed the end; v and y mean the one under the cursor
        if report.error is not None:
            self._status("ended with an error; the prompt is still there")
        elif self._done:
            self.mynah.first_sample_made()

    def _show_event(self, listing: SampleList, event: SampleEvent) -> None:
        from core.sampling.request import Deltas, Done, Finished, Ready, Restarted

        if isinstance(event, Deltas):
            grown: dict[int, str] = {}
            for index, text in event.items:
                grown[index] = grown.get(index, "") + text
            for index in self._awaited & grown.keys():
                listing.update(index, text="")  # the first delta brings the prompt with it
            self._awaited -= grown.keys()
            listing.append(grown)
            self._status(f"{self._done} of {self._wanted} · esc stops")
        elif isinstance(event, Restarted):  # it was empty or a copy, and is drawn again
            listing.update(event.index, text="")
        elif isinstance(event, Done):
            self._done += 1
            self._copies[event.index] = event.copy
            listing.update(event.index, text=event.text)
            note = COPY_NOTES[event.copy.verdict].format(n=event.copy.longest)
            copied = event.copy.verdict in ("near", "verbatim")
            listing.finish(
                event.index,
                stopped=event.stopped,
                verdict=event.copy.verdict,
                note=note,
                shared=event.copy.shared if copied else (),
            )
            self._status(f"{self._done} of {self._wanted} · esc stops")
        elif isinstance(event, Finished):
            made = plural(self._done, "sample")
            rate = f"{event.tokens_per_second:.0f} tok/s"
            self._status(
                f"{made} · {rate} · seed {self._request.seed}"
                if self._done
                else "stopped before the first sample"
            )
        elif isinstance(event, Ready):
            self._status(f"generating on {event.device} · esc stops")

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

    def action_copy(self) -> None:
        listing = self.query_one("#samples", SampleList)
        text = listing.text(listing.cursor) if len(listing) else ""
        if text:
            voice = " & ".join("@" + handle for handle in self._model.handles)
            self.app.copy_to_clipboard(f"{text}\n(generated in the style of {voice})")
            self.app.notify("With the word generated, so that nobody is misled.", title="Copied")

    @explained
    def action_favourite(self) -> None:
        from core.sampling.favourites import keep_favourite

        listing = self.query_one("#samples", SampleList)
        index = listing.cursor
        text = listing.text(index) if len(listing) else ""
        if not text or index in self._favourites:
            return
        if index not in self._copies:
            self.app.notify("A favourite is kept when it has come to its end.", title="Not yet")
            return
        keep_favourite(self.state.home, self._model.run, text, self._request, self._copies[index])
        self._favourites.add(index)
        listing.update(index, favourite=True)
        self.app.notify("f shows every favourite.", title="✦ Kept")

    @explained
    def action_favourites(self) -> None:
        from core.sampling.favourites import favourites
        from tui.dialogs.text import TextScreen

        kept = favourites(self.state.home)
        lines = [f"✦ {one.text}\n  generated by {one.run}, {one.when:%d %b %Y}" for one in kept]
        self.app.push_screen(
            TextScreen("Favourites (generated)", "\n\n".join(lines) or "None yet: v keeps one.")
        )


def _model_name(run: RunSummary) -> str:
    who = run.name or "+".join(run.handles)
    return f"{who} ({run.valid_loss:.2f})" if run.valid_loss is not None else who
