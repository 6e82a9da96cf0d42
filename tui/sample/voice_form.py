"""The fields of the Sample section: whose model speaks, beside whose, and how it draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.models.generation import MAX_TOKENS, TEMPERATURE, TOP_K, TOP_P
from tui.sample.generating import Speaker
from tui.widgets.choice_field import Choice, ChoiceField
from tui.widgets.field import ButtonField, Field
from tui.widgets.typed_field import NumberField, TextField

if TYPE_CHECKING:
    from core.runs.summary import RunSummary
    from core.sampling.request import SampleRequest

# Shown after "more".
MORE: Final = ("top_k", "min_p", "repetition_penalty", "banned", "stops")
_NOBODY: Final = ""
_BASE: Final = "base"
# Of these bases there are no weights that could speak.
_NO_BASE: Final = ("scratch", "gpt2-shape")


def voice_fields() -> Iterator[Field[Any]]:
    """Each with the sentence that explains it while it has the focus."""
    yield ChoiceField(
        "run", "run",
        help="The training run whose model writes; in brackets its loss on held-out tweets. "
        "Lower is better.",
    )  # fmt: skip
    yield ChoiceField(
        "beside", "compare with", [Choice(_NOBODY, "nobody")],
        help="A second model that writes beside it, from the same prompt, settings and seed. In "
        "brackets its loss.",
    )  # fmt: skip
    yield NumberField(
        "count", "how many", value=5, minimum=1, maximum=50,
        help="Samples at a time, of each model.",
    )  # fmt: skip
    yield NumberField(
        "temperature", "temperature", value=TEMPERATURE, minimum=0, maximum=2, step=0.1,
        decimals=1, slider=True,
        help="How much is left to chance. Below 1 likelier words, and more of them copied; above 1 "
        "more unusual ones; at 0 always the likeliest.",
    )  # fmt: skip
    yield NumberField(
        "top_p", "top-p", value=TOP_P, minimum=0.05, maximum=1, step=0.05, decimals=2,
        help="Each word is drawn from the likeliest ones that have this probability together; 1 is "
        "off. Lower copies more.",
    )  # fmt: skip
    yield NumberField(
        "max_tokens", "longest", value=MAX_TOKENS, minimum=8, maximum=512, step=8, unit="tokens",
        help="A sample that gets this far is cut and ends in …; a token is a word or part of one.",
    )  # fmt: skip
    yield NumberField(
        "seed", "seed", value=0, minimum=0, maximum=2**31 - 1,
        help="The same seed, prompt and settings give the same samples again; 0 takes a new seed "
        "each time.",
    )  # fmt: skip
    yield ButtonField(
        "more",
        "more",
        help="Top-k, min-p, repetition, words never to use and words to stop before.",
    )
    yield NumberField(
        "top_k", "top-k", value=TOP_K, minimum=0, maximum=1000, step=10,
        help="Each word is drawn from this many of the likeliest ones; 0 is off.",
    )  # fmt: skip
    yield NumberField(
        "min_p", "min-p", value=0, minimum=0, maximum=1, step=0.05, decimals=2,
        help="Leaves out words whose probability is below this share of the likeliest word's; 0 is "
        "off.",
    )  # fmt: skip
    yield NumberField(
        "repetition_penalty", "repetition", value=1, minimum=1, maximum=2, step=0.05, decimals=2,
        help="Above 1, words that the text has already become less likely; 1 is off.",
    )  # fmt: skip
    yield TextField(
        "banned", "never say", value="", empty_text="none",
        help="Words that it must not use, separated by commas.",
    )  # fmt: skip
    yield TextField(
        "stops", "stop before", value="", empty_text="none",
        help="A sample ends before the first of these words, separated by commas.",
    )  # fmt: skip


def request_of(
    form: Mapping[str, Any], typed: str, seed: int, *, answers: bool = False
) -> SampleRequest:
    """What the fields ask for: texts that begin with what is typed, or that answer it. Raises
    MynahError for what makes no sense together.
    """
    from core.errors import WrongUsage
    from core.sampling.request import SampleRequest

    if answers and not typed.strip():
        raise WrongUsage("There is no tweet to answer.", "", "Type or paste one in the prompt.")
    return SampleRequest(
        prompt="" if answers else typed,
        reply_to=typed if answers else "",
        n=int(form["count"]),
        max_tokens=int(form["max_tokens"]),
        temperature=float(form["temperature"]),
        top_p=float(form["top_p"]),
        top_k=int(form["top_k"]),
        min_p=float(form["min_p"]),
        repetition_penalty=float(form["repetition_penalty"]),
        banned=_words(form["banned"]),
        stops=_words(form["stops"]),
        seed=seed,
    )


def _words(typed: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in typed.split(",") if word.strip())


def beside_choices(models: Sequence[RunSummary], chosen: RunSummary | None) -> list[Choice]:
    """Whom the chosen run can be compared with: nobody, its base, another run."""
    found = [Choice(_NOBODY, "nobody")]
    if chosen is None:
        return found
    if chosen.base not in _NO_BASE:
        found.append(Choice(_BASE, "its base", Path(chosen.base).name))
    others = [run for run in models if run.run != chosen.run]
    return found + [Choice(run.run, model_name(run), run.run) for run in others]


def speakers(
    models: Sequence[RunSummary], chosen: RunSummary, beside: object
) -> list[tuple[Speaker, str]]:
    """Who speaks, one or two, each with a short name."""
    own = (Speaker(chosen.folder), model_name(chosen))
    if beside == _BASE:
        return [own, (Speaker(chosen.folder, "base"), f"base: {Path(chosen.base).name}")]
    other = next((run for run in models if run.run == beside), None)
    if other is None:
        return [own]
    runs = [chosen, other]
    if _who(chosen) == _who(other):  # the end of its id tells a run from others of one account
        return [
            (Speaker(run.folder), f"{run.run.rsplit('-', 1)[-1]} {model_name(run)}") for run in runs
        ]
    return [own, (Speaker(other.folder), model_name(other))]


def model_name(run: RunSummary) -> str:
    """``nasa (loss 3.42)``: who is imitated, or the run's own name, and the held-out loss."""
    who = _who(run)
    return f"{who} (loss {run.valid_loss:.2f})" if run.valid_loss is not None else who


def _who(run: RunSummary) -> str:
    return run.name or "+".join(run.handles)
