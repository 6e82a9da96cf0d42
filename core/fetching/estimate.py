"""What a fetch would bring and cost at most, computed before anything is paid."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from core.corpus.store import Corpus
from core.errors import InputRefused, WrongUsage
from core.fetching.posts import XAccount
from core.fetching.prices import Terms, load_terms
from core.fetching.ranges import Gap, gaps, merged, posts_expected
from core.fetching.store import Known, load_known
from core.fetching.token import Token
from core.handles import normal_handle

if TYPE_CHECKING:
    from core.home import Home

# What X says of an account stays good for as long as one of its rate limit windows.
FRESH: Final = timedelta(minutes=15)
POLICY: Final = (
    "X's developer terms forbid training models on data from its API. The account's own archive "
    "is the alternative, and costs nothing: x.com → Settings → Your account → Download an archive "
    "of your data; then mynah import PATH."
)
_ON_X = re.compile(r"[a-z0-9_]{1,15}")
_ELSEWHERE = re.compile(r"[a-z0-9_]{1,50}")  # what stands in for X may have longer names


@dataclass(frozen=True)
class FetchEstimate:
    """A fetch of one account, not yet begun. Costs are US dollars at the prices of ``price_date``.

    ``posts_at_most`` and ``cost_usd`` are kept, not guessed: the fetch stops there.
    ``pages_at_most`` is how many those posts fill; X also gives shorter and empty pages, which cost
    nothing more. ``posts_expected`` goes by the account's own count, which deleted posts make
    inexact; None when X has not been asked for it; ``cost_usd`` then includes that look-up.
    ``owned``: the token's user is the account's owner; None while that is not known.
    """

    handle: str
    api_url: str
    account: XAccount | None
    looked_up: bool
    posts_at_most: int
    posts_expected: int | None
    pages_at_most: int
    cost_usd: float
    already_here: int
    gaps: tuple[Gap, ...]
    owned: bool | None
    notices: tuple[str, ...]
    price_date: str
    price_source: str
    max_posts: int | None
    terms: Terms = field(repr=False)
    token: Token | None = field(repr=False, compare=False, default=None)

    def to_json(self) -> dict[str, Any]:
        """The fields of ``mynah fetch --estimate --json``; never the token."""
        return {
            "handle": self.handle,
            "name": self.account.name if self.account else None,
            "account_posts": self.account.posts if self.account else None,
            "looked_up": self.looked_up,
            "pages_at_most": self.pages_at_most,
            "posts_at_most": self.posts_at_most,
            "posts_expected": self.posts_expected,
            "cost_usd_at_most": self.cost_usd,
            "already_here": self.already_here,
            "owned": self.owned,
            "price_date": self.price_date,
            "price_source": self.price_source,
            "notices": list(self.notices),
        }


def estimate_fetch(
    home: Home,
    handle: str,
    *,
    max_posts: int | None = None,
    api_url: str | None = None,
    token: Token | None = None,
    look_up: bool = False,
) -> FetchEstimate:
    """Estimate from what the corpus holds, without a request; nothing is paid for.

    With ``look_up`` X is asked who the account is first, which costs a user read (two with a
    user's token, to learn whether it is the account's own) and makes the estimate exact. Raises
    InputRefused, CorpusBusy, and what a look-up may: ServiceRefused and its kin.
    """
    from core.fetching.client import api_url_of, is_x

    handle = normal_handle(handle)
    url = api_url_of(api_url)
    if not (_ON_X if is_x(url) else _ELSEWHERE).fullmatch(handle):
        raise InputRefused(
            f"@{handle} cannot be an account on X.",
            "Names there have 1 to 15 letters, digits and underscores.",
        )
    terms = load_terms(home)
    if max_posts is not None and max_posts < terms.smallest_page:
        raise WrongUsage(
            f"At least {terms.smallest_page} posts have to be fetched.",
            "X gives no smaller pages, and bills each post.",
            f"Try --max {terms.smallest_page}, or more.",
        )
    if look_up:
        from core.fetching.lookup import look_up_account

        if token is None:
            raise InputRefused("There is no X API token to look anybody up with.")
        account, owned = look_up_account(home, handle, token, url, terms)
        known = load_known(Corpus(home.corpus), handle, account.account_id)
        return make_estimate(handle, known, account, owned, terms, url, token, max_posts)
    known = load_known(Corpus(home.corpus), handle)
    fresh = known.account if is_fresh(known) else None
    not_owned = False if token is not None and token.app_only else None
    return make_estimate(handle, known, fresh, not_owned, terms, url, token, max_posts)


def is_fresh(known: Known) -> bool:
    return (
        known.looked_up is not None
        and timedelta(0) <= datetime.now(timezone.utc) - known.looked_up <= FRESH
    )


def make_estimate(
    handle: str,
    known: Known,
    account: XAccount | None,
    owned: bool | None,
    terms: Terms,
    api_url: str,
    token: Token | None,
    max_posts: int | None,
) -> FetchEstimate:
    """The estimate; ``account`` None: X was not asked, so the window is the only bound."""
    count = account.posts if account else None
    expected = posts_expected(known.ranges, count, terms.window)
    # full pages, with room for a few more than the count says, so that the end can be seen
    pages = math.ceil((expected + terms.smallest_page) / terms.page)
    most = min(terms.window, pages * terms.page)
    if max_posts is not None:
        most = min(most, max_posts)
    reads = 0 if account else (1 if token is not None and token.app_only else 2)
    lookup = terms.user_read * reads
    price = terms.owned_read if owned else terms.post_read
    return FetchEstimate(
        handle=handle,
        api_url=api_url,
        account=account,
        looked_up=account is not None,
        posts_at_most=most,
        posts_expected=None if count is None else min(expected, most),
        pages_at_most=math.ceil(most / terms.page),
        cost_usd=float(price * most + lookup),
        already_here=known.posts_here,
        gaps=tuple(gaps(known.ranges)),
        owned=owned,
        notices=tuple(_notices(handle, known, account, owned, terms, reads)),
        price_date=terms.as_of,
        price_source=terms.source,
        max_posts=max_posts,
        terms=terms,
        token=token,
    )


def _notices(
    handle: str,
    known: Known,
    account: XAccount | None,
    owned: bool | None,
    terms: Terms,
    reads: int,
) -> list[str]:
    notices = [POLICY]
    if known.archive is not None:
        until = f" to {known.archive_until:%Y-%m-%d}" if known.archive_until else ""
        notices.append(f"An archive of @{handle} is here{until}: only what is newer is fetched.")
    ranges = merged(known.ranges)
    if len(ranges) > 1 or (ranges and gaps(ranges)[0].where == "hole"):
        notices.append("An earlier fetch left a hole; it is filled first.")
    if account is None:
        price = _money(terms.user_read * reads)
        paid = f"${price} (one user read)" if reads == 1 else f"at most ${price} (two user reads)"
        notices.append(
            "How many posts there are is not known yet. X is asked first, for "
            f"{paid}; fewer posts then cost less than this."
        )
    elif account.posts is not None and account.posts > terms.window:
        notices.append(window_words(handle, account.posts, terms))
    if account is not None and account.protected:
        notices.append(f"@{handle} is protected: only an approved follower's token can read it.")
    if owned:
        notices.append(
            f"The token is @{handle}'s own: counted as owned reads, ${_money(terms.owned_read)} "
            f"each. X charges ${_money(terms.post_read)} if the app is somebody else's."
        )
    elif owned is None:
        notices.append(
            f"If the token turns out to be @{handle}'s own, a post costs "
            f"${_money(terms.owned_read)} instead of ${_money(terms.post_read)}."
        )
    return notices


def window_words(handle: str, posts: int, terms: Terms) -> str:
    return (
        f"X gives only the newest {terms.window:,} of @{handle}'s {posts:,} posts; "
        "the account's own archive has them all."
    )


def _money(price: Decimal) -> str:
    return f"{price:.3f}"
