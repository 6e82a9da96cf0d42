"""In what form a run's model learned tweets, so that it is asked in the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputRefused
from core.models.answering import Answering, not_learned
from core.runs.folder import Run
from core.sampling.request import SampleRequest

if TYPE_CHECKING:
    from core.curation.recipe import Recipe


@dataclass(frozen=True)
class Learned:
    """``lines``: whether tweets kept their line breaks; ``answering``: how answers were learned, or
    None where they were not; ``recipe``: what cleaned the tweets, where that is known; ``whose``:
    the run's id.
    """

    lines: bool = False
    answering: Answering | None = None
    recipe: Recipe | None = None
    whose: str = "This model"

    @classmethod
    def of(cls, run_folder: Path) -> Learned:
        """What the folder of a run says; what cannot be read is as it usually is."""
        from core.dataset.manifest import RUN_NAME, BadManifest, Manifest, read_manifest

        run = Run(run_folder)
        try:
            answering = run.record().answering
        except InputRefused:
            answering = None
        try:
            content, _ = read_manifest(run.dataset / RUN_NAME)
            rules = content["recipe"]["rules"]
            lines = bool(rules.get("line_breaks") == "keep")
            recipe = Manifest(content).recipe if answering is not None else None
        except (BadManifest, InputRefused, LookupError, AttributeError, TypeError, ValueError):
            return cls(answering=answering, whose=run.id)
        return cls(lines, answering, recipe, run.id)

    def asked(self, request: SampleRequest) -> SampleRequest:
        """``request`` with the tweet to answer cleaned as those were that the run learned with.

        Raises InputRefused where the model has not learned to answer, or no word is left.
        """
        if not request.reply_to:
            return request
        if self.answering is None:
            raise not_learned(self.whose)
        if self.recipe is None:
            return request
        from core.dataset.answers import cleaned

        request = replace(request, reply_to=cleaned(request.reply_to, self.recipe))
        if not request.reply_to:
            raise InputRefused(
                "Nothing is left of the tweet to answer.",
                f"The recipe {self.recipe.name}, by which {self.whose} learned, takes links and "
                "@names in front away.",
                "Give the words of the tweet.",
            )
        return request
