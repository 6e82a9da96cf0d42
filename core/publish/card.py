"""``mynah card``: the model card of a run, through Hugging Face's own ModelCard.

Every figure comes from `facts_of`; the words stand in ``datasets/cards/model.md``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from core.bundled import bundled
from core.errors import InputRefused, WrongUsage
from core.models.generation import MAX_TOKENS, TEMPERATURE, TOP_K, TOP_P
from core.models.hub import is_repo_id
from core.publish.escaping import html_text, markdown_text, one_line
from core.publish.facts import Account, RunFacts, facts_of
from core.runs.folder import Run

Layout = Literal["several", "one", "html"]
LAYOUTS: Final[tuple[Layout, ...]] = ("several", "one", "html")
# Stands in the code block where it is not known yet where the model will lie.
NOWHERE_YET: Final = "path/to/this/model"
# How the base's own training sees a text begin; an empty prompt in the front matter.
_MARK: Final = "<|endoftext|>"
_MOST_EXAMPLES: Final = 3
_SOURCES: Final = {"x-archive": "an archive that X gave to its author", "x-api": "the API of X"}


@dataclass(frozen=True)
class Example:
    """A recorded text of the model, the prompt not included."""

    prompt: str
    text: str


def card_of(
    run: Run,
    *,
    layout: Layout | None = None,
    repo: str | None = None,
    examples: Sequence[Example] | None = None,
    measures: Mapping[str, Mapping[str, Any]] | None = None,
    remarks: Sequence[str] = (),
) -> str:
    """The card of ``run`` as the README.md of its model.

    layout     of several accounts, of one, or of one with its table in HTML; None: what fits
    repo       where the model lies on the hub; None: the code block has a path to fill in
    examples   texts of the model; None: what it wrote last while it learned, copies left out
    measures   the report's, by name, each with ``value``, ``of`` and ``n``; None: there is none
    remarks    sentences that stand at the top

    Raises InputRefused when the run is damaged or has no model, WrongUsage for a layout that does
    not fit.
    """
    return render(
        facts_of(run),
        layout=layout,
        repo=repo,
        examples=examples,
        measures=measures,
        remarks=remarks,
    )


def render(
    facts: RunFacts,
    *,
    layout: Layout | None = None,
    repo: str | None = None,
    examples: Sequence[Example] | None = None,
    measures: Mapping[str, Mapping[str, Any]] | None = None,
    remarks: Sequence[str] = (),
) -> str:
    """`card_of` for facts at hand."""
    from huggingface_hub import ModelCard

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
        trained_on=_trained_on(facts.accounts),
        mynah=record.versions.get("mynah") or "of an unknown version",
        remarks=[*([facts.stale] if facts.stale else []), *remarks],
        sources=_sources(facts.accounts),
        recipe=record.recipe,
        base=_base(facts),
        held_out=_held_out(facts),
        counted=bool(rows),
        columns=_columns(facts.accounts),
        rows=rows,
        about_data=_about_data(facts),
        x_terms=facts.from_the_x_api,
        procedure=_procedure(facts),
        energy=_energy(facts),
        links=facts.tracker_links,
        how_to_use=how_to_use(repo or NOWHERE_YET, one_line_tweets=facts.one_line_tweets),
        copies=_copies(facts),
        measured=[*_journal_measures(facts), *_report_measures(measures)],
        reported=bool(measures),
        examples=examples,
        base_licence=_base_licence(facts),
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
    from core.runs.follow import read_journal
    from core.runs.history import RunHistory
    from core.tracking.outgoing import Outgoing

    history = RunHistory()
    history.take_samples(read_journal(facts.run.samples))
    shown = Outgoing(facts.run).examples(history.samples).shown
    last = max((sample.step for sample in shown), default=0)
    return [
        Example("", sample.text)
        for sample in shown
        if sample.step == last and sample.text.strip() and not personal_data(sample.text)
    ][:_MOST_EXAMPLES]


def table_rows(accounts: Sequence[Account]) -> list[list[str | int]]:
    """Rows of the table of tweets, each with its name first; empty where counts are missing."""
    if not all(account.counted for account in accounts):
        return []
    others = [sum(account.others.values()) for account in accounts]
    rows: list[list[str | int]] = [
        ["Tweets downloaded", *(account.downloaded or 0 for account in accounts)],
        ["Retweets", *(account.retweets or 0 for account in accounts)],
        ["Short tweets", *(account.short or 0 for account in accounts)],
    ]
    if any(others):
        rows.append(["Left out by other rules", *others])
    return [*rows, ["Tweets kept", *(account.kept or 0 for account in accounts)]]


def _columns(accounts: Sequence[Account]) -> list[str]:
    """The heads of the table; two accounts of the same name are told apart by their handles."""
    if len(accounts) == 1:
        return ["Quantity"]
    often = Counter(account.name for account in accounts)
    return [
        f"{account.name} (@{account.handle})" if often[account.name] > 1 else account.name
        for account in accounts
    ]


def _trained_on(accounts: Sequence[Account]) -> str:
    """Markdown: the names; of one account its handle, a link where it is on X."""
    if len(accounts) > 1:
        return "tweets from " + " & ".join(markdown_text(account.name) for account in accounts)
    (account,) = accounts
    words = f"{markdown_text('@' + account.handle)}'s tweets"
    if account.on_x and account.handle.isascii() and account.handle.replace("_", "").isalnum():
        return f"[{words}](https://x.com/{account.handle})"
    return words


def _sources(accounts: Sequence[Account]) -> str:
    found = dict.fromkeys(source for account in accounts for source in account.sources)
    return ", ".join(_SOURCES.get(source, source) for source in found)


def _base(facts: RunFacts) -> str:
    """Markdown: what the run began with."""
    record = facts.record
    if is_repo_id(record.base_source):
        return f"[{markdown_text(record.base_source)}](https://huggingface.co/{record.base_source})"
    return f"The base model {markdown_text(record.base_name)}"


def _base_licence(facts: RunFacts) -> str:
    licence = facts.record.base_licence
    if not is_repo_id(facts.record.base_source) or not licence or licence == "unknown":
        return "The base model's own licence holds for what comes from it."
    return f"The base model is under {markdown_text(licence)}."


def _held_out(facts: RunFacts) -> str:
    valid = (facts.manifest.get("files") or {}).get("valid.parquet") or {}
    rows = valid.get("rows")
    return f"{rows:,}" if isinstance(rows, int) and rows else ""


def _about_data(facts: RunFacts) -> list[str]:
    """Markdown lines: span, language, what else was dropped, shares of a blend."""
    lines = []
    for account in facts.accounts:
        span = f"kept tweets from {account.first} to {account.last}" if account.first else ""
        others = ", ".join(
            f"{reason.replace('_', ' ')} {number}" for reason, number in account.others.items()
        )
        said = "; ".join(part for part in (span, others and f"left out also: {others}") if part)
        if said:
            lines.append(f"{markdown_text('@' + account.handle)}: {markdown_text(said)}.")
    if facts.languages:
        lines.append(
            f"Language, told by a detector from the training tweets: {', '.join(facts.languages)}."
        )
    if len(facts.accounts) > 1 and facts.record.expected_shares:
        shares = ", ".join(
            f"{markdown_text('@' + handle)} {share:.0%}"
            for handle, share in facts.record.expected_shares.items()
            if share is not None
        )
        lines.append(f"Share of what the model learns from: {shares}.")
    return lines


def _procedure(facts: RunFacts) -> list[tuple[str, str]]:
    record, result = facts.record, facts.result
    s, decided = record.train_settings, record.decisions
    rows: list[tuple[str, object]] = [("Base", record.base_source or record.base_name)]
    if s is not None:
        lora = f"LoRA of rank {s.lora_rank} (alpha {s.lora_alpha}), merged into the weights"
        rows += [
            ("Method", lora if s.method == "lora" else "every weight"),
            ("Epochs asked for", f"{s.epochs:g}"),
            ("Minutes allowed", None if s.minutes is None else f"{s.minutes:g}"),
            ("Learning rate", f"{s.lr:g}, rising over {s.warmup:.0%}, then a cosine to 0"),
            ("Optimizer", f"AdamW, beta2 {s.beta2:g}, weight decay {s.weight_decay:g}, "
                          f"gradient norm at most {s.clip:g}"),
            ("Seed", s.seed),
        ]  # fmt: skip
    if decided is not None:
        rows += [
            ("Tokens a step at most", f"{decided.batch_tokens:,}"),
            ("Arithmetic", decided.arithmetic),
        ]
    parameters = facts.start.get("parameters")
    versions = [f"{name} {found}" for name, found in record.versions.items() if found]
    rows += [
        ("Parameters", f"{parameters:,}" if isinstance(parameters, int) else None),
        ("Steps", result.steps),
        ("Tokens learned from", f"{result.tokens:,}" if result.tokens is not None else None),
        ("Weights kept of step", result.best_step),
        ("Ended", result.state or record.state),
        ("Hardware", result.device),
        ("Seconds", f"{result.seconds:.0f}" if result.seconds is not None else None),
        ("Versions", ", ".join(versions)),
    ]
    return [(name, str(value)) for name, value in rows if value not in (None, "")]


def _energy(facts: RunFacts) -> str:
    if facts.energy_kwh is None:
        return "The energy that it took was not measured."
    return (
        f"Energy: about {facts.energy_kwh:.3g} kWh, the mean power that the driver of the "
        "machine's GPUs said, times the seconds; the rest of the machine is not in it."
    )


def _copies(facts: RunFacts) -> str:
    trained, held_out = facts.result.memorised_train, facts.result.memorised_held_out
    if trained is None or held_out is None:
        return "How often it does so was not measured."
    return (
        f"Begun with the first words of a training tweet, it gave {trained:.1%} of the rest's "
        f"4- to 6-word sequences back; of held-out tweets, which it never saw, {held_out:.1%}."
    )


def _journal_measures(facts: RunFacts) -> list[dict[str, str]]:
    """What the run measured itself, on held-out tweets."""
    result, bits = facts.result, facts.bits_per_byte
    tokens = f"{result.valid_tokens:,} tokens" if result.valid_tokens else ""
    rows = []
    for name, value, before in (
        ("Held-out loss (nats per token)", result.valid_loss_after, result.valid_loss_before),
        ("Held-out bits per byte", bits.get("after"), bits.get("before")),
    ):
        if value is not None:
            of = f"the base: {before:.3f}" if before is not None else ""
            rows.append({"name": name, "value": f"{value:.3f}", "of": of, "n": tokens})
    return rows


def _report_measures(measures: Mapping[str, Mapping[str, Any]] | None) -> list[dict[str, str]]:
    rows = []
    for name, measure in (measures or {}).items():
        rows.append(
            {
                "name": name.replace("_", " "),
                "value": _figure(measure.get("value")),
                "of": _figure(measure.get("of")),
                "n": _figure(measure.get("n")),
            }
        )
    return rows


def _figure(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_figure(one)}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_figure, value))
    return str(value)


def how_to_use(model: str, *, one_line_tweets: bool) -> str:
    """Python that prints five tweets of ``model``, with mynah's own way of drawing them.

    Each begins after the mark that stood before every tweet in training, and ends at the mark or,
    where tweets have one line, at a line break.
    """
    if not model or "\n" in model or '"' in model or "\\" in model:
        raise InputRefused(f"{model!r} cannot stand in the card's code.")
    tweet = 'made["generated_text"]'
    if one_line_tweets:
        tweet += '.split("\\n")[0]'
    return f"""\
from transformers import pipeline

MODEL = "{model}"
PROMPT = "My dream is"

generator = pipeline("text-generation", model=MODEL)
tweets = generator(
    generator.tokenizer.bos_token + PROMPT,
    return_full_text=False,
    num_return_sequences=5,
    max_new_tokens={MAX_TOKENS},
    do_sample=True,
    temperature={TEMPERATURE},
    top_p={TOP_P},
    top_k={TOP_K},
)
for made in tweets:
    print(PROMPT + {tweet})"""
