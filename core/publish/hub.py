"""``mynah publish --to hub``: a run's model and card in a repository, private unless asked for.

`preview_publication` says what would leave, where to, and what speaks against it; nothing is sent
before `publish`. ``HF_ENDPOINT`` moves it to another server.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from fnmatch import fnmatch
from typing import Any, Final

from core.errors import InputRefused, ServiceRefused, WrongUsage
from core.models.hub import TIMEOUT_SECONDS, is_repo_id
from core.publish.facts import facts_of
from core.publish.preview import (
    OWN_FILES,
    PICTURE,
    Preview,
    agreed_card,
    model_files,
    preview_of,
)
from core.publish.published import (
    Publication,
    forget_publication,
    publications,
    remember_publication,
)
from core.runs.folder import Run

_ENDPOINT: Final = "https://huggingface.co"
_TAG: Final = "mynah"
# Of a repository that holds nothing of anybody's.
_EMPTY: Final = frozenset({".gitattributes"})


def preview_publication(run: Run, *, repo: str | None = None, public: bool = False) -> Preview:
    """Asks the hub who we are, and what is in the repository; sends nothing.

    Raises InputRefused (no model, no safetensors, the repository is somebody else's work or public
    already), WrongUsage for what is no repository's name, ServiceRefused.
    """
    facts = facts_of(run)
    api = _api()
    with _refusals(repo or "the hub"):
        user = str(api.whoami()["name"])
    name = repo or f"{user}/{_repo_name(facts.slug)}"
    name = name if "/" in name else f"{user}/{name}"
    if not is_repo_id(name):
        raise WrongUsage(f"{name!r} is no name of a repository.", "It looks like owner/model.")
    _check_there(api, name, public)
    audience = "everybody can see it" if public else "private: only you see it"
    where = f"{api.endpoint}/{name}"
    return preview_of(facts, "hub", name, where, public=public, audience=audience)


def publish(preview: Preview, *, anyway: bool = False, x_terms_agreed: bool = False) -> Publication:
    """Makes the repository and commits the files to it in one revision, which holds nothing of an
    earlier model: what mynah put there and this one has not is deleted.

    What an interrupted upload has sent is not sent again. Raises InputRefused when there are
    reasons against it and ``anyway`` is not set (else they stand in the card), or X's terms are not
    agreed to; ServiceRefused.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete
    from huggingface_hub.utils.tqdm import disable_progress_bars

    run = preview.facts.run
    assert preview.repo is not None  # noqa: S101 - it is a preview for the hub
    card = agreed_card(preview, anyway=anyway, x_terms_agreed=x_terms_agreed)
    disable_progress_bars()
    api = _api()
    with _refusals(preview.repo):
        api.create_repo(preview.repo, private=not preview.public, exist_ok=True)
        if preview.public:
            api.update_repo_settings(preview.repo, private=False)
        adds = [CommitOperationAdd(path.name, path) for path in model_files(run)]
        adds.append(CommitOperationAdd("README.md", card.encode("utf-8")))
        if preview.picture:
            adds.append(CommitOperationAdd(PICTURE, preview.picture))
        there = _files(api.model_info(preview.repo, timeout=TIMEOUT_SECONDS))
        gone = sorted(name for name in there - preview.files.keys() if _is_ours(name))
        changes = [*adds, *map(CommitOperationDelete, gone)]
        made = api.create_commit(preview.repo, changes, commit_message=f"mynah run {run.id}")
    done = Publication(
        to="hub",
        repo=preview.repo,
        url=preview.where,
        revision=str(made.oid),
        public=preview.public,
        at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        despite=preview.reasons,
        x_terms=preview.x_terms,
    )
    remember_publication(run, done)
    return done


def published_at(run: Run, repo: str | None = None) -> Publication:
    """Where ``run`` lies on a hub, the newest if ``repo`` is None, which may lack its owner; raises
    InputRefused.
    """
    on_hub = [one for one in publications(run) if one.to == "hub"]
    found = [one for one in on_hub if repo in (None, one.repo, one.repo.rpartition("/")[2])]
    if not found:
        where = f" as {repo}" if repo else ""
        raise InputRefused(
            f"{run.id} was not published{where} from here.",
            "",
            "What was published elsewhere is deleted in its settings on the hub.",
        )
    return found[-1]


def others_there(publication: Publication) -> list[str]:
    """Names of files in the repository that no publication by mynah holds; deleting it deletes
    them, too. Empty for a repository that is gone. Raises ServiceRefused.
    """
    from huggingface_hub.errors import RepositoryNotFoundError

    with _refusals(publication.repo):
        api = _api(publication.url.removesuffix(f"/{publication.repo}"))
        try:
            there = _files(api.model_info(publication.repo, timeout=TIMEOUT_SECONDS))
        except RepositoryNotFoundError:
            return []
    return sorted(name for name in there if not _is_ours(name))


def _is_ours(name: str) -> bool:
    """Whether a publication by mynah may have put a file of this name into a repository: it makes
    no folders there.
    """
    kinds = ("README.md", PICTURE, *OWN_FILES)
    return "/" not in name and any(fnmatch(name, kind) for kind in kinds)


def _files(info: Any) -> set[str]:
    """Those that somebody has put into a repository."""
    return {sibling.rfilename for sibling in info.siblings or []} - _EMPTY


def unpublish(run: Run, publication: Publication) -> None:
    """Deletes the repository, its history included; one that is gone already is no error.

    Raises ServiceRefused.
    """
    with _refusals(publication.repo):
        _api(publication.url.removesuffix(f"/{publication.repo}")).delete_repo(
            publication.repo, missing_ok=True
        )
    forget_publication(run, publication)


def _api(endpoint: str | None = None) -> Any:
    """Raises ServiceRefused where nobody is logged in."""
    from huggingface_hub import HfApi, get_token

    if not get_token():
        raise ServiceRefused(
            "Nobody is logged in to the hub.", "", "`hf auth login`, or set HF_TOKEN."
        )
    return HfApi(endpoint=endpoint or os.environ.get("HF_ENDPOINT") or _ENDPOINT)


def _check_there(api: Any, repo: str, public: bool) -> None:
    """Raises InputRefused for a repository that is not to be written to."""
    from huggingface_hub.errors import RepositoryNotFoundError

    with _refusals(repo):
        try:
            info = api.model_info(repo, timeout=TIMEOUT_SECONDS)
        except RepositoryNotFoundError:
            return
    if _files(info) and _TAG not in (info.tags or []):
        raise InputRefused(
            f"{repo} holds something else.", "mynah did not put it there.", "Name another --repo."
        )
    if not info.private and not public:
        raise InputRefused(
            f"{repo} is public already.", "What goes there is seen by everybody.",
            "Say --public, or name another --repo.",
        )  # fmt: skip


def _repo_name(slug: str) -> str:
    """Of letters, digits, ``-``, ``_`` and ``.``, as the hub takes them."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", slug)
    return re.sub(r"-{2,}", "-", re.sub(r"\.{2,}", ".", name)).strip("-.")[:90] or "mynah"


@contextmanager
def _refusals(repo: str) -> Iterator[None]:
    """What the hub or the network says, as ServiceRefused. No key is in any of it."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        yield
    except (InputRefused, ServiceRefused):
        raise
    except OfflineModeIsEnabled as error:
        raise ServiceRefused(
            "The hub is not asked.", "HF_HUB_OFFLINE forbids it.", "Unset it."
        ) from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else None
        if status in (401, 403):
            raise ServiceRefused(
                f"The hub does not take this key for {repo}.",
                f"It answered {status}.",
                "`hf auth login` with a key that may write.",
            ) from error
        why = str(error.server_message or f"it answered {status}").splitlines()[0]
        raise ServiceRefused(f"The hub refused {repo}.", f"{why}.", "") from error
    except Exception as error:  # every kind of network failure, from several libraries
        raise ServiceRefused(
            f"{repo}: the hub could not be reached, or broke off.",
            f"{type(error).__name__}.",
            "The same command goes on with what is there.",
        ) from error
