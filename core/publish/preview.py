"""What would leave this machine, where to, what speaks against it; and the card to go along."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from core.errors import InputRefused
from core.models.hub import FILES
from core.publish.card import card_of, recorded_examples
from core.publish.facts import RunFacts
from core.publish.scan import not_looked_for, reasons_against
from core.runs.folder import Run

# What a repository of mynah's may hold besides its card: more than is fetched of a base, namely the
# form of answers.
OWN_FILES: Final = (*FILES, "chat_template.jinja")
PICTURE: Final = "sample.png"
X_TERMS: Final = (
    "Tweets of this run came through the API of X. Its developer terms forbid to train models on "
    "its content, and to pass the content on; to publish the model is your own decision."
)


@dataclass(frozen=True)
class Preview:
    """What would leave: ``files`` by name in bytes, the card and the picture among them.

    to         hub or wandb
    repo       where the card's code finds the model; None where it cannot be loaded from there
    where      an address or name that a person knows the place by
    audience   who could see it, in words
    reasons    sentences against it, remarks: what was not looked for
    picture    the first example of the card as a PNG; empty where there is none
    """

    facts: RunFacts
    to: str
    repo: str | None
    where: str
    public: bool
    audience: str
    files: dict[str, int]
    reasons: list[str]
    remarks: list[str]
    picture: bytes = b""

    @property
    def size(self) -> int:
        return sum(self.files.values())

    @property
    def x_terms(self) -> bool:
        """Whether X's terms have to be agreed to."""
        return self.facts.from_the_x_api


def preview_of(
    facts: RunFacts, to: str, repo: str | None, where: str, *, public: bool, audience: str
) -> Preview:
    """Looks through what would leave. Raises InputRefused for a model without safetensors."""
    paths = model_files(facts.run)
    remarks = not_looked_for(facts)
    picture = _picture(facts) if to == "hub" else b""
    card = card_of(facts, repo=repo, remarks=remarks, picture=PICTURE if picture else "")
    files = {path.name: path.stat().st_size for path in paths}
    if picture:
        files[PICTURE] = len(picture)
    return Preview(
        facts,
        to,
        repo,
        where,
        public,
        audience,
        files | {"README.md": len(card.encode("utf-8"))},
        reasons_against(facts, card, paths),
        remarks,
        picture,
    )


def _picture(facts: RunFacts) -> bytes:
    """Of a text that stands in the card as well: no copy, and without personal data."""
    from core.publish.picture import Shareable, draw

    for example in recorded_examples(facts)[:1]:
        with suppress(InputRefused):  # too long for one
            return draw(facts, Shareable(example.prompt, example.text), "png").content
    return b""


def agreed_card(preview: Preview, *, anyway: bool, x_terms_agreed: bool) -> str:
    """The card with what was overruled and agreed to in it.

    Raises InputRefused when there are reasons against it and ``anyway`` is not set, or X's terms
    are not agreed to.
    """
    run = preview.facts.run.id
    if preview.reasons and not anyway:
        raise InputRefused(
            f"{run} is not published.",
            " ".join(preview.reasons),
            "--anyway publishes it with these sentences in its card.",
        )
    if preview.x_terms and not x_terms_agreed:
        raise InputRefused(f"{run} is not published.", X_TERMS, "Agree to that first.")
    remarks = [*preview.remarks, *(f"Published although: {reason}" for reason in preview.reasons)]
    if preview.x_terms:
        remarks.append("Who published this was shown the terms of X's API, and agreed to them.")
    picture = PICTURE if preview.picture else ""
    return card_of(preview.facts, repo=preview.repo, remarks=remarks, picture=picture)


def model_files(run: Run) -> Sequence[Path]:
    """The model's own files: weights as safetensors, settings, tokenizer, and nothing else."""
    found = [
        path
        for path in sorted(run.model.iterdir())
        if path.is_file() and any(fnmatch(path.name, pattern) for pattern in OWN_FILES)
    ]
    if not any(path.suffix == ".safetensors" for path in found):
        raise InputRefused(f"The model of {run.id} has no safetensors weights.")
    return found
