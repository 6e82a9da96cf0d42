"""``mynah publish --to wandb``: a run's model and card as W&B's artifact ``finetuned-model``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from core.files import write_text_whole
from core.home import Home
from core.publish.facts import facts_of
from core.publish.preview import Preview, agreed_card, preview_of
from core.publish.published import Publication, remember_publication
from core.runs.folder import Run
from core.runs.tracked import Tracked, card_file
from core.tracking.launch import track
from core.tracking.options import tracking_asked


def preview_wandb(
    home: Home, run: Run, *, project: str | None = None, entity: str | None = None
) -> tuple[Preview, Tracked]:
    """The preview, and what to give `publish_to_wandb` with it.

    Raises InputRefused where there is no model, ServiceRefused where W&B has no key.
    """
    asked = tracking_asked(
        home, "wandb", project=project, entity=entity, mode="online", upload_model=True
    )
    where = "/".join(part for part in (asked.entity, asked.project) if part)
    audience = "whoever sees that project sees it"
    facts = facts_of(run)
    return preview_of(facts, "wandb", None, f"W&B {where}", public=False, audience=audience), asked


def publish_to_wandb(
    preview: Preview,
    asked: Tracked,
    *,
    anyway: bool = False,
    x_terms_agreed: bool = False,
    progress: Callable[[Tracked], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Publication:
    """Brings the run into W&B, its model's files and card too; what is there already stays.

    Raises what `agreed_card` and `track` raise.
    """
    run = preview.facts.run
    card = agreed_card(preview, anyway=anyway, x_terms_agreed=x_terms_agreed)
    write_text_whole(card_file(run), card)
    done = track(run, asked, progress=progress, cancelled=cancelled)
    made = Publication(
        to="wandb",
        url=done.url,
        at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        despite=preview.reasons,
        x_terms=preview.x_terms,
    )
    remember_publication(run, made)
    return made
