"""What stands between a model and the world: personal data, copies, leaks, things of this machine.

Each reason not to publish is a sentence that names its threshold. Copies and leaks are judged by
the last ``mynah report`` on this very model; without one nothing is known, which is a reason too.
"""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from core.numbers import percent
from core.publish.facts import RunFacts

# Verbatim copies beyond what the author repeats of himself, as a share of the generated texts: the
# whole interval has to lie above it, so that a few texts drawn by chance accuse nobody.
MOST_COPIES: Final = 0.02
# Training tweets that greedy continuation gives back word for word, as a share of those tried.
MOST_LEAKED: Final = 0.01


def reasons_against(facts: RunFacts, card: str, files: Sequence[Path]) -> list[str]:
    """Sentences; empty where nothing was found. ``files`` go out beside the ``card``."""
    from core.report.last import last_measures
    from core.report.stored import recall

    reasons = []
    if facts.stale:
        reasons.append(facts.stale)
    measures = last_measures(facts.run)
    if measures is None:
        reasons.append(
            "Nobody has measured what this model copies: "
            f"`mynah report {facts.run.id}` does, and writes the texts that are looked through."
        )
    else:
        kept = recall(facts.run, "texts-tuned", list[str])
        reasons += _personal(kept[1] if kept else [])
        reasons += [*_copies(measures.get("verbatim")), *_leaks(measures.get("extracted"))]
    return [*reasons, *_of_this_machine(card, files)]


def not_looked_for(facts: RunFacts) -> list[str]:
    """Sentences on what the last report left out."""
    from core.report.last import last_measures

    measures = last_measures(facts.run)
    if measures is None or "extracted" in measures:
        return []
    return ["Nobody has looked which training tweets can be got out of this model."]


def _personal(texts: Sequence[str]) -> list[str]:
    from core.curation.personal_data import personal_data

    found = sum(bool(personal_data(text)) for text in texts)
    if not found:
        return []
    return [
        f"{found:,} of {len(texts):,} texts that the model wrote hold an e-mail address, a phone, "
        "card or account number or a street address; none may."
    ]


def _copies(measure: Any) -> list[str]:
    if not isinstance(measure, dict) or measure.get("value") is None:
        return ["The last report had too few texts to say how often this model copies."]
    own = ((measure.get("of") or {}).get("held_out") or {}).get("value") or 0.0
    low = (measure.get("interval") or [measure["value"]])[0]
    if low <= own + MOST_COPIES:
        return []
    return [
        f"{percent(measure['value'], 1)} of its texts are training tweets word for word (surely "
        f"more than {percent(low, 1)}), and {percent(own, 1)} of the author's own unseen tweets; "
        f"at most {percent(MOST_COPIES, 0)} more than those may be."
    ]


def _leaks(measure: Any) -> list[str]:
    share = measure.get("value") if isinstance(measure, dict) else None
    if not share or share <= MOST_LEAKED:
        return []
    return [
        f"{percent(share, 1)} of the training tweets that were tried can be got out of it word for "
        f"word; at most {percent(MOST_LEAKED, 0)} may be."
    ]


def _of_this_machine(card: str, files: Sequence[Path]) -> list[str]:
    """The home folder's path in a text that goes out, where JSON doubles each backslash of it."""
    homes = {str(Path.home())}
    with suppress(OSError, KeyError):  # a user without a name
        homes |= {f"/home/{getpass.getuser()}", f"/Users/{getpass.getuser()}"}
    texts = {"README.md": card}
    for path in files:
        if path.suffix == ".json" and path.name != "tokenizer.json":
            texts[path.name] = path.read_text(encoding="utf-8", errors="replace")
    return [
        f"{name} names a folder of this machine ({home})."
        for name, text in zip(texts, map(_slashed, texts.values()), strict=True)
        for home in sorted(homes)
        if home != "/" and f"{_slashed(home)}/" in text
    ]


def _slashed(text: str) -> str:
    return text.replace("\\\\", "/").replace("\\", "/")
