"""The fields of Train's form: what the next run is asked for, and what stands behind "more"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.errors import MynahError
from core.runs.settings import settings_for
from core.tracking.options import TRACKERS
from tui.state import OWN_SETTINGS, PRESETS_IN_WORDS, NewRun
from tui.widgets.choice_field import Choice, ChoiceField
from tui.widgets.field import ButtonField, Field, OpenField, SwitchField
from tui.widgets.field_form import FieldForm
from tui.widgets.typed_field import NumberField


def run_fields(new_run: NewRun) -> Iterator[Field[Any]]:
    """Each says what it does while it has the focus, in one line of a window of 80 columns."""
    yield ChoiceField(
        "base", "base", new_run.bases, value=new_run.base, help="The model that learns."
    )
    presets = [Choice(name, name, PRESETS_IN_WORDS.get(name, "")) for name in new_run.presets]
    yield ChoiceField("preset", "preset", presets, value=new_run.preset)
    yield NumberField(
        "minutes", "training time", value=new_run.minutes, minimum=0.2, maximum=600, step=0.5,
        decimals=1, unit="min", help="The run ends by then, its measurements included.",
    )  # fmt: skip
    yield NumberField(
        "seed", "seed", value=new_run.seed, minimum=0, maximum=2**31 - 1,
        help="The same seed repeats a run.",
    )  # fmt: skip
    yield ChoiceField(
        "track", "track with", ["off", *TRACKERS], value=new_run.track,
        help="W&B stays offline unless `mynah config` says otherwise.",
    )  # fmt: skip
    yield OpenField(
        "weights", "weights", help="How much of each account an epoch holds, in tokens."
    )
    yield ButtonField("more", "more", help="Rate, epochs, LoRA rank, batch, answers, 4 bits.")
    yield from _own_fields()
    yield ButtonField("start", "Start")


def _own_fields() -> Iterator[Field[Any]]:
    """They begin as the preset has them; see `show_own`."""
    yield NumberField(
        "lr", "rate", minimum=1e-6, maximum=0.1, factor=1.5, decimals=None,
        help="How far each step goes; too far unlearns. A preset's own is tried out.",
    )  # fmt: skip
    yield NumberField(
        "epochs", "epochs", minimum=0.1, maximum=100, step=0.5, decimals=1,
        help="Passes over the tweets, if the time lasts; many learn them by heart.",
    )  # fmt: skip
    yield NumberField(
        "lora_rank", "LoRA rank", minimum=1, maximum=1024, factor=2,
        help="Size of the matrices that learn: more hold more, and are slower.",
    )  # fmt: skip
    yield NumberField(
        "batch_tokens", "batch", minimum=0, maximum=1 << 16, step=256, unit="tokens",
        zero_text="auto", help="Tokens a step at most; auto (0): what suits the device.",
    )  # fmt: skip
    yield SwitchField(
        "answers", "learn answers",
        help="Learn what answers a tweet that is in the corpus as the answer to it.",
    )  # fmt: skip
    yield SwitchField(
        "four_bit", "base in 4 bits",
        help="Holds a large base in a quarter of its memory, a little rounded.",
    )  # fmt: skip


def presets_own(new_run: NewRun) -> dict[str, float]:
    """What the preset has for these, and nothing for what it does not know."""
    try:
        settings = settings_for(new_run.preset, new_run.base)
    except MynahError:
        return {}
    never = {"answers"} if settings.packing == "blocks" else set()
    if settings.method != "lora":
        never |= {"lora_rank", "four_bit"}
    names = [name for name in OWN_SETTINGS if name not in never]
    return {name: getattr(settings, name) for name in names}


def with_own(new_run: NewRun, name: str, value: float) -> dict[str, float]:
    """The settings of one's own with another one; one that is as the preset has it is none."""
    own = new_run.own | {name: value}
    if value == presets_own(new_run).get(name):
        del own[name]
    return own


def show_own(form: FieldForm, new_run: NewRun, shown: bool) -> None:
    """The fields as they hold for the next run; folded away they hold, too."""
    form.set_values({"preset": new_run.preset, "minutes": new_run.minutes})
    given = presets_own(new_run)
    for field in form.fields:
        if field.key in OWN_SETTINGS:
            field.display = shown and field.key in given
            field.disabled = not field.display
            if not getattr(field, "is_editing", False) and field.key in given:
                field.value = new_run.own.get(field.key, given[field.key])
    more = form.field("more")
    more.label = "less" if shown else f"more ({len(new_run.own)} set)" if new_run.own else "more"
    more.refresh()
