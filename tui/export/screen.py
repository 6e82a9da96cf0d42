"""Export: what is written where, how large it will be, and what came of it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from core.errors import InputRefused, MynahError
from core.files import there_already
from core.home import in_full
from core.numbers import size_in_words
from core.safe_text import printable
from tui.dialogs.replacing import unless_there
from tui.export.exporting import ExportEnded, ExportJob, ExportMoved, ExportSized
from tui.job import Report
from tui.section.screen import Mynah
from tui.widgets.choice_field import Choice, ChoiceField
from tui.widgets.field import ButtonField, Field, SwitchField
from tui.widgets.field_form import FieldForm
from tui.widgets.panel import Dialog
from tui.widgets.progress_line import ProgressLine
from tui.widgets.typed_field import NumberField

if TYPE_CHECKING:
    from core.dataset.options import ExportOptions, What

FORMATS = (
    Choice("jsonl", "jsonl", "one JSON object a line"),
    Choice("csv", "csv", "for spreadsheets"),
    Choice("parquet", "parquet", "for Polars, DuckDB, pandas"),
    Choice("txt", "txt", "the words alone, <|endoftext|> between them"),
    Choice("hf", "hf", "a folder for Hugging Face datasets"),
    Choice("chat", "chat", "conversations for TRL and axolotl"),
    Choice("instruct", "instruct", "prompt and completion for TRL and axolotl"),
)
WHAT = (
    Choice("kept", "kept", "what the recipe keeps"),
    Choice("all", "all", "everything, and why it was dropped"),
)
PHASES = {
    "curating": "Curating",
    "gathering": "Gathering",
    "splitting": "Splitting",
    "writing": "Writing",
}
WEIGHT = "weight "


class ExportScreen(Dialog[None]):
    """Nothing is written until the button is pressed; esc stops what is being written."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "leave", "Stop or close")]

    def __init__(self, exporting: ExportJob) -> None:
        super().__init__()
        self._exporting = exporting
        self._suggested = ""
        self._refused = False
        self._split_followed = False
        self._about = ""
        self._wrong_path = ""

    @property
    def mynah(self) -> Mynah:
        return cast("Mynah", self.app)

    def compose(self) -> ComposeResult:
        handles = sorted(self.mynah.state.chosen)
        with Vertical(id="dialog", classes="export") as dialog:
            dialog.border_title = "Export"
            dialog.border_subtitle = "esc closes"
            with FieldForm(id="export-form"):
                yield ChoiceField("format", "format", FORMATS, value="jsonl")
                yield ChoiceField("what", "what", WHAT)
                yield NumberField(
                    "split",
                    "hold out",
                    value=None,
                    minimum=0,
                    maximum=50,
                    step=5,
                    decimals=None,
                    unit="%",
                    none_text="nothing",
                    help="A share for validation, in a file of its own.",
                )
                yield NumberField("seed", "seed", value=1, minimum=0, maximum=2**31 - 1,
                                  help="Decides split and order.")  # fmt: skip
                yield SwitchField("spreadsheet_safe", "no cell that a spreadsheet would run",
                                  value=True)  # fmt: skip
                if len(handles) > 1:
                    yield SwitchField("blend", "blend the accounts into one epoch",
                                      help="Tweets of smaller accounts repeat.")  # fmt: skip
                    for handle in handles:
                        yield NumberField(WEIGHT + handle, f"  @{handle}", value=1, minimum=0.1,
                                          step=0.5, decimals=1)  # fmt: skip
                yield ButtonField("write", "Write")
            yield Input(id="export-path", placeholder="where to")
            yield Static("", id="export-plan", markup=False)
            yield ProgressLine(id="export-progress")

    def on_mount(self) -> None:
        self.mynah.reported.subscribe(self, self._reported)
        self._changed()
        self.query_one(FieldForm).focus_first()

    # ── what was asked for ───────────────────────────────────────────────────────────────

    def _options(self) -> ExportOptions:
        from core.dataset.options import ExportOptions, heeded

        values = self.query_one(FieldForm).values
        heeds = heeded(values["format"], values["what"])
        what = values["what"] if "what" in heeds else "kept"
        held_out = values["split"]
        if held_out is None and values["format"] == "hf":
            held_out = 0  # nothing is what the form says
        weights: dict[str, float] | None = None
        if values.get("blend") and "weights" in heeds:
            weights = {
                key.removeprefix(WEIGHT): float(value)
                for key, value in values.items()
                if key.startswith(WEIGHT)
            }
        return ExportOptions(
            format=values["format"],
            what=cast("What", what),
            split=held_out / 100 if held_out is not None and "split" in heeds else None,
            seed=int(values["seed"]),
            weights=weights,
            spreadsheet_safe=bool(values["spreadsheet_safe"]),
        )

    def _out(self) -> Path | None:
        """Where to; None for no path, or one that will not do, which `_wrong_path` says of."""
        typed = self.query_one("#export-path", Input).value.strip()
        self._wrong_path = ""
        try:
            return in_full(typed) if typed else None
        except InputRefused as error:
            self._wrong_path = str(error)
            return None

    @on(Field.Changed)
    def _field_changed(self, event: Field.Changed) -> None:
        if event.key == "format":
            self._follow_format(str(event.value))
        self._changed()

    def _follow_format(self, chosen: str) -> None:
        """A format with a split of its own gets that split, unless another one was chosen."""
        from core.dataset.options import HF_SPLIT

        form, usual = self.query_one(FieldForm), round(HF_SPLIT * 100)
        split = form.values["split"]
        if chosen == "hf" and split is None:
            form.set_values({"split": usual})
            self._split_followed = True
        elif chosen != "hf" and self._split_followed and split == usual:
            form.set_values({"split": None})
            self._split_followed = False

    @on(Input.Changed)
    def _path_changed(self) -> None:
        self._say_plan()

    def _changed(self) -> None:
        """Show the fields that matter, follow with the path, and measure again."""
        from core.dataset.options import heeded, suggested_name

        form = self.query_one(FieldForm)
        values = form.values
        heeds = heeded(values["format"], values["what"])
        for field in form.fields:
            if field.key == "blend":
                field.display = "weights" in heeds
            elif field.key.startswith(WEIGHT):
                field.display = "weights" in heeds and bool(values["blend"])
            elif field.key in ("what", "split", "seed", "spreadsheet_safe"):
                field.display = field.key in heeds
        path = self.query_one("#export-path", Input)
        if path.value in ("", self._suggested):
            name = suggested_name(self.mynah.state.chosen, values["format"])
            self._suggested = path.value = str(in_full(name))
        state = self.mynah.state
        if state.curation is not None and state.recipe is not None:
            self._about = "measuring a sample…"
            self._say_plan()
            self._exporting.measure(state.curation.stats, state.recipe, self._options())

    # ── what is known and what happens ───────────────────────────────────────────────────

    def _reported(self, report: Report) -> None:
        line = self.query_one(ProgressLine)
        if isinstance(report, ExportSized):
            self._show_size(report)
        elif isinstance(report, ExportMoved):
            moved = report.progress
            line.advance_to(
                moved.done, moved.total, what=PHASES[moved.phase], rate=moved.rate or None
            )
        elif isinstance(report, ExportEnded):
            self._ended(report, line)

    def _show_size(self, report: ExportSized) -> None:
        self._refused = report.error is not None
        if report.estimate is not None:
            rows, size = report.estimate.rows, size_in_words(report.estimate.size)
            near = "about " if self._options().weights else ""
            recipe = self.mynah.state.recipe
            changed = " as it stands now (changed)" if recipe and recipe.changed else ""
            under = f" under the recipe {recipe.name}{changed}" if recipe else ""
            self._about = f"{near}{rows:,} tweets{under}, about {size}."
        else:
            self._about = str(report.error)
        self._say_plan()

    def _say_plan(self) -> None:
        if self._exporting.busy:
            return
        text = Text(printable(self._about))
        out = self._out()
        if out is not None and there_already([out]):
            text.append("\n▲ Something is there already.")
        if self._wrong_path:
            text.append(f"\n▲ {printable(self._wrong_path)}")
        self.query_one("#export-plan", Static).update(text)

    def _ended(self, message: ExportEnded, line: ProgressLine) -> None:
        result, error = message.result, message.error
        self.query_one("#dialog").border_subtitle = "esc closes"
        if result is None:
            line.fail(error.what if error else "It was not written.")
            if error:
                words = " ".join(part for part in (error.why, error.next_step) if part)
                self.query_one("#export-plan", Static).update(Text(printable(words)))
            return
        line.finish(f"{result.rows:,} tweets are written.")
        lines = [
            str(result.path),
            *(f"{file.name}  sha256 {file.sha256[:16]}…" for file in result.files),
            f"mynah verify {shlex.quote(str(result.manifest))}",
        ]
        self.query_one("#export-plan", Static).update(Text("\n".join(map(printable, lines))))

    # ── what a person does ───────────────────────────────────────────────────────────────

    @on(ButtonField.Pressed)
    @on(Input.Submitted)
    def _write(self) -> None:
        state, out = self.mynah.state, self._out()
        if self._exporting.busy or self._refused or state.recipe is None:
            return
        if out is None:
            self.query_one("#export-path", Input).focus()
            return
        handles, recipe, options = list(state.chosen), state.recipe, self._options()

        def write() -> None:
            self.query_one("#dialog").border_subtitle = "esc stops"
            self.query_one(ProgressLine).start("Curating", unit="tweets")
            self._exporting.run(handles, recipe, out, options)

        unless_there(self.app, self._there(out, options), write)

    def _there(self, out: Path, options: ExportOptions) -> list[Path]:
        from core.dataset.write import would_replace

        try:
            return would_replace(out, options.checked(sorted(self.mynah.state.chosen)))
        except MynahError:
            return []  # the export itself says why not

    @on(ProgressLine.StopRequested)
    def _stop_clicked(self) -> None:
        self.action_leave()

    def action_leave(self) -> None:
        """Esc stops an export first, then closes."""
        if self._exporting.stop():
            self.query_one(ProgressLine).stopping()
        else:
            self.dismiss()
