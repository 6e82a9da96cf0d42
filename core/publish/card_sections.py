"""What stands in the sections of a model card: figures of a run as Markdown and rows of tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.errors import InputRefused
from core.models.answering import Answering
from core.models.generation import MAX_TOKENS, TEMPERATURE, TOP_K, TOP_P
from core.models.hub import is_repo_id
from core.numbers import percent
from core.publish.escaping import markdown_text
from core.publish.facts import Account, RunFacts

# Lengths of runs of words whose novelty is shown.
_NOVELTY: Final = ("novelty_3", "novelty_5", "novelty_8")
_POINTS: Final = {
    "base": "base",
    "held_out": "the author's unseen tweets",
    "parrot": "training tweets given back",
    "impostors": "others",  # who may be invented ones
}
_IN_FOUR_BITS: Final = (
    "its matrices held in 4 bits (NormalFloat, QLoRA's double quantisation); the weights here are "
    "those unpacked, with what was learned added"
)
_SOURCES: Final = {"x-archive": "an archive that X gave to its author", "x-api": "the API of X"}


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


def table_columns(accounts: Sequence[Account]) -> list[str]:
    """The heads of the table; two accounts of the same name are told apart by their handles."""
    if len(accounts) == 1:
        return ["Quantity"]
    often = Counter(account.name for account in accounts)
    return [
        f"{account.name} (@{account.handle})" if often[account.name] > 1 else account.name
        for account in accounts
    ]


def trained_on(accounts: Sequence[Account]) -> str:
    """Markdown: the names; of one account its handle, a link where it is on X."""
    if len(accounts) > 1:
        return "tweets from " + " & ".join(markdown_text(account.name) for account in accounts)
    (account,) = accounts
    words = f"{markdown_text('@' + account.handle)}'s tweets"
    if account.on_x and account.handle.isascii() and account.handle.replace("_", "").isalnum():
        return f"[{words}](https://x.com/{account.handle})"
    return words


def source_names(accounts: Sequence[Account]) -> str:
    found = dict.fromkeys(source for account in accounts for source in account.sources)
    return ", ".join(_SOURCES.get(source, source) for source in found)


def base_model(facts: RunFacts) -> str:
    """Markdown: what the run began with."""
    record = facts.record
    if is_repo_id(record.base_source):
        return f"[{markdown_text(record.base_source)}](https://huggingface.co/{record.base_source})"
    return f"The base model {markdown_text(record.base_name)}"


def base_licence(facts: RunFacts) -> str:
    licence = facts.record.base_licence
    if not is_repo_id(facts.record.base_source) or not licence or licence == "unknown":
        return "The base model's own licence holds for what comes from it."
    return f"The base model is under {markdown_text(licence)}."


def held_out(facts: RunFacts) -> str:
    valid = (facts.manifest.get("files") or {}).get("valid.parquet") or {}
    rows = valid.get("rows")
    return f"{rows:,}" if isinstance(rows, int) and rows else ""


def about_data(facts: RunFacts) -> list[str]:
    """Markdown lines: span, language, what else was dropped, shares of a blend."""
    lines = []
    for account in facts.accounts:
        span = f"kept tweets from {account.first} to {account.last}" if account.first else ""
        others = ", ".join(
            f"{reason.replace('_', ' ')} {number}" for reason, number in account.others.items()
        )
        line = "; ".join(part for part in (span, others and f"left out also: {others}") if part)
        if line:
            lines.append(f"{markdown_text('@' + account.handle)}: {markdown_text(line)}.")
    if (answering := facts.record.answering) is not None:
        lines.append(
            f"{answering.learned:,} of the training tweets answer a tweet of somebody else, and "
            "are learned as answers to it. The tweets answered are other people's words: the model "
            "reads them before the answer, and is not trained to write them."
        )
    if facts.languages:
        lines.append(
            f"Language, told by a detector from the training tweets: {', '.join(facts.languages)}."
        )
    if len(facts.accounts) > 1 and facts.record.expected_shares:
        shares = ", ".join(
            f"{markdown_text('@' + handle)} {percent(share)}"
            for handle, share in facts.record.expected_shares.items()
            if share is not None
        )
        lines.append(f"Share of what the model learns from: {shares}.")
    return lines


def procedure(facts: RunFacts) -> list[tuple[str, str]]:
    record, result = facts.record, facts.result
    s, decided = record.train_settings, record.decisions
    rows: list[tuple[str, object]] = [("Base", record.base_source or record.base_name)]
    if record.continues is not None:
        rows.append(("Began with the weights of", f"the run {record.continues.run}"))
    if s is not None:
        where = (
            "all layers"
            if s.lora_layers == 1
            else f"the upper {percent(s.lora_layers, 0)} of the layers"
        )
        lora = (
            f"LoRA of rank {s.lora_rank} (alpha {s.lora_alpha}) on {where}, merged into the weights"
        )
        falling = "in a straight line" if s.schedule == "linear" else "as a cosine"
        rows += [
            ("Method", lora if s.method == "lora" else "every weight"),
            ("Base while it learned", _IN_FOUR_BITS if s.four_bit else None),
            ("Epochs asked for", f"{s.epochs:g}"),
            ("Minutes allowed", None if s.minutes is None else f"{s.minutes:g}"),
            ("Learning rate",
             f"{s.lr:g}, rising over {percent(s.warmup, 0)}, then falling {falling} to 0"),
            ("Optimizer", f"AdamW, beta2 {s.beta2:g}, weight decay {s.weight_decay:g}, "
                          f"gradient norm at most {s.clip:g}"),
            ("Learns answers", "yes" if s.answers else None),
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


def energy(facts: RunFacts) -> str:
    if facts.energy_kwh is None:
        return "The energy that it took was not measured."
    return (
        f"Energy: about {facts.energy_kwh:.3g} kWh, the mean power that the driver of the "
        "machine's GPUs said, times the seconds; the rest of the machine is not in it."
    )


def copies(facts: RunFacts) -> str:
    trained, held_out = facts.result.memorised_train, facts.result.memorised_held_out
    if trained is None or held_out is None:
        return "How often it does so was not measured."
    return (
        f"Begun with the first words of a training tweet, it gave {percent(trained, 1)} of the "
        "rest's 4- to 6-word sequences back; of held-out tweets, which it never saw, "
        f"{percent(held_out, 1)}."
    )


def journal_measures(facts: RunFacts) -> list[dict[str, str]]:
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


def report_measures(measures: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Rows of what ``mynah report`` measured; profiles and most lengths of runs stay there."""
    rows = []
    for name, measure in measures.items():
        if measure.get("group") == "look" or (name.startswith("novelty_") and name not in _NOVELTY):
            continue
        scale = 100.0 if measure.get("unit") == "share" else 1.0
        of = measure.get("of")
        points = of if isinstance(of, Mapping) else {}
        others = [
            f"{_POINTS.get(point, point)} {_estimate(found, scale)}"
            for point, found in points.items()
            if isinstance(found, Mapping) and found.get("value") is not None
        ]
        title = str(measure.get("title") or name.replace("_", " ")).lstrip("· ")
        rows.append(
            {
                "name": title + (" (%)" if scale == 100.0 else ""),
                "value": _estimate(measure, scale),
                "of": "; ".join(others) or ("" if isinstance(of, Mapping) else str(of or "")),
                "n": str(measure.get("n") or ""),
            }
        )
    return rows


def blind_meaning(facts: RunFacts) -> list[str]:
    """What came of blind tests of this model; nothing where there were none."""
    from core.report.blind import blind_result

    result = blind_result(facts.run)
    return [] if result is None else [result.for_a_report()]


def report_meanings(measures: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What the report says of each group of measures, in its order."""
    found = (measure.get("meaning") for measure in measures.values())
    return list(dict.fromkeys(str(meaning) for meaning in found if meaning))


def _estimate(found: Mapping[str, Any], scale: float) -> str:
    """``7.1 (5.2 to 9.4)``."""
    value, interval = found.get("value"), found.get("interval")
    if not isinstance(value, (int, float)):
        return "too few to say"
    if not (isinstance(interval, (list, tuple)) and len(interval) == 2):
        return f"{scale * value:.3g}"
    low, high = interval
    return f"{scale * value:.3g} ({scale * low:.3g} to {scale * high:.3g})"


def how_to_use(model: str, *, one_line_tweets: bool, answering: Answering | None = None) -> str:
    """Python that prints five tweets of ``model``, with mynah's own way of drawing them; of one
    that has learned answers also five of these.

    Each begins after the mark that stood before every tweet in training, and ends at the mark or,
    where tweets have one line, at a line break.
    """
    if not model or "\n" in model or '"' in model or "\\" in model:
        raise InputRefused(f"{model!r} cannot be written into the card's code.")
    tweet = 'made["generated_text"]'
    if one_line_tweets:
        tweet += '.split("\\n")[0]'
    drawn = f"""\
    return_full_text=False,
    num_return_sequences=5,
    max_new_tokens={MAX_TOKENS},
    do_sample=True,
    temperature={TEMPERATURE},
    top_p={TOP_P},
    top_k={TOP_K},
"""
    answers = ""
    if answering is not None:
        answers = f"""

# Answers to a tweet, in the form that they were learned in
TWEET = "What do you make of the fog?"
answers = generator(
    generator.tokenizer.bos_token + {answering.form!r}.replace("{{tweet}}", TWEET),
{drawn})
for made in answers:
    print({tweet})"""
    return f"""\
from transformers import pipeline

MODEL = "{model}"
PROMPT = "My dream is"

generator = pipeline("text-generation", model=MODEL)
tweets = generator(
    generator.tokenizer.bos_token + PROMPT,
{drawn})
for made in tweets:
    print(PROMPT + {tweet}){answers}"""
