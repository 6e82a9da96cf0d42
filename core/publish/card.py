"""``mynah card``: the model card of a run, through Hugging Face's own ModelCard.

Every figure comes from `facts_of`; the words stand in ``datasets/cards/model.md``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from core.errors import WrongUsage
from core.home import bundled
from core.models.hub import is_repo_id
from core.publish.card_sections import (
    about_data,
    base_licence,
    base_model,
    blind_meaning,
    copies,
    energy,
    held_out,
    how_to_use,
    journal_measures,
    procedure,
    report_meanings,
    report_measures,
    source_names,
    table_columns,
    table_rows,
    trained_on,
)
from core.publish.escaping import html_text, markdown_text, one_line
from core.publish.facts import RunFacts

Layout = Literal["several", "one", "html"]
LAYOUTS: Final[tuple[Layout, ...]] = ("several", "one", "html")
# Stands in the code block where it is not known yet where the model will lie.
NOWHERE_YET: Final = "path/to/this/model"
# How the base's own training sees a text begin; an empty prompt in the front matter.
_MARK: Final = "<|endoftext|>"
_MOST_EXAMPLES: Final = 3


@dataclass(frozen=True)
class Example:
    """A recorded text of the model, the prompt not included."""

    prompt: str
    text: str


def card_of(
    facts: RunFacts,
    *,
    layout: Layout | None = None,
    repo: str | None = None,
    examples: Sequence[Example] | None = None,
    measures: Mapping[str, Mapping[str, Any]] | None = None,
    remarks: Sequence[str] = (),
    picture: str = "",
) -> str:
    """The card of a run as the README.md of its model, from what `facts_of` says of the run.

    layout     of several accounts, of one, or of one with its table in HTML; None: what fits
    repo       where the model lies on the hub; None: the code block has a path to fill in
    examples   texts of the model; None: what it wrote last while it learned, copies left out
    measures   those of a report, as its JSON has them; None: of the last one on this model, if any
    remarks    sentences that stand at the top
    picture    the file beside the card that shows the first of the examples

    Raises WrongUsage for a layout that does not fit.
    """
    from huggingface_hub import ModelCard

    from core.report.last import last_measures

    several = len(facts.accounts) > 1
    layout = layout or ("several" if several else "one")
    if layout == "one" and several:
        raise WrongUsage(
            f"This model imitates {len(facts.accounts)} accounts.",
            "The layout one has room for one account.",
            "Use several or html.",
        )
    if examples is None:
        examples = recorded_examples(facts)
    if measures is None:
        measures = last_measures(facts.run) or {}
    record = facts.record
    names = " & ".join(account.name for account in facts.accounts)
    rows = table_rows(facts.accounts)
    card = ModelCard.from_template(
        _front_matter(facts, names, examples),
        template_str=bundled("cards", "model.md").read_text(encoding="utf-8"),
        md=markdown_text,
        html=html_text,
        code=_code_span,
        layout=layout,
        several=several,
        kind="AI cyborg" if several else "AI bot",
        names=names,
        slug=facts.slug,
        trained_on=trained_on(facts.accounts),
        mynah=record.versions.get("mynah") or "of an unknown version",
        remarks=[*([facts.stale] if facts.stale else []), *remarks],
        sources=source_names(facts.accounts),
        recipe=record.recipe,
        base=base_model(facts),
        held_out=held_out(facts),
        counted=bool(rows),
        columns=table_columns(facts.accounts),
        rows=rows,
        about_data=about_data(facts),
        x_terms=facts.from_the_x_api,
        procedure=procedure(facts),
        energy=energy(facts),
        links=facts.tracker_links,
        how_to_use=how_to_use(
            repo or NOWHERE_YET,
            one_line_tweets=facts.one_line_tweets,
            answering=record.answering,
        ),
        copies=copies(facts),
        measured=[*journal_measures(facts), *report_measures(measures)],
        reported=bool(measures),
        meanings=[*report_meanings(measures), *blind_meaning(facts)],
        examples=examples,
        picture=picture,
        base_licence=base_licence(facts),
        whom_to_ask="on the Community page of this model" if repo else "whoever gave it to them",
        run_id=record.id or facts.run.id,
        dataset=record.dataset[:12] or "unknown",
    )
    return str(card).rstrip() + "\n"


def _code_span(text: object) -> str:
    """``text`` inside of backticks, where nothing can be escaped."""
    return one_line(str(text)).replace("`", "'").replace("|", "¦")


def _front_matter(facts: RunFacts, names: str, examples: Sequence[Example]) -> Any:
    from huggingface_hub import EvalResult, ModelCardData

    record, result = facts.record, facts.result
    base = record.base_source if is_repo_id(record.base_source) else None
    losses = {
        "held-out loss (nats per token)": result.valid_loss_after,
        "held-out loss of the base (nats per token)": result.valid_loss_before,
        "held-out bits per byte": facts.bits_per_byte.get("after"),
    }
    results = [
        EvalResult(
            task_type="text-generation",
            dataset_type="held-out-tweets",
            dataset_name=f"held-out tweets of {one_line(names)}",
            metric_type="bits_per_byte" if "bits" in name else "loss",
            metric_name=name,
            metric_value=round(value, 4),
        )
        for name, value in losses.items()
        if value is not None and math.isfinite(value)
    ]
    return ModelCardData(
        language=facts.languages if len(facts.languages) != 1 else facts.languages[0],
        license="other",
        license_name="the-authors-own",
        library_name="transformers",
        pipeline_tag="text-generation",
        base_model=base,
        base_model_relation="finetune" if base else None,
        tags=["mynah", "tweets", "ai-generated"],
        widget=[
            {"text": one_line(one.prompt) or _MARK, "output": {"text": one_line(one.text)}}
            for one in examples
        ]
        or [{"text": "My dream is"}],
        model_name=facts.slug if results else None,
        eval_results=results or None,
    )


def recorded_examples(facts: RunFacts) -> list[Example]:
    """What the model wrote last while it learned, without copies and personal data."""
    from core.curation.personal_data import personal_data
    from core.json_lines import read_json_lines
    from core.runs.history import RunHistory
    from core.tracking.outgoing import Outgoing

    history = RunHistory()
    history.take_samples(read_json_lines(facts.run.samples))
    shown = Outgoing(facts.run).examples(history.samples).shown
    last = max((sample.step for sample in shown), default=0)
    return [
        Example("", sample.text)
        for sample in shown
        if sample.step == last and sample.text.strip() and not personal_data(sample.text)
    ][:_MOST_EXAMPLES]
