"""Running a fetch: holes first, newest to oldest, each page stored before the next is paid for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

from core.corpus.store import Corpus
from core.errors import CorpusBusy, InputRefused
from core.fetching.client import XClient
from core.fetching.estimate import FetchEstimate, is_fresh, window_words
from core.fetching.lookup import LookUp
from core.fetching.outcome import (
    FetchInterrupted,
    FetchProgress,
    FetchResult,
    ProgressKind,
    StoppedBy,
    XMisunderstood,
    XRefused,
)
from core.fetching.pending import PaidPage, pending_pages, save_pending
from core.fetching.posts import Page, XAccount, page_of
from core.fetching.prices import Budget
from core.fetching.ranges import Covered, Gap, covered_by_page, gaps
from core.fetching.retrying import OverBudget, RetryingClient
from core.fetching.store import Stored, load_known, prepare, store_page
from core.fetching.token import Token
from core.locks import Locked, held_lock

if TYPE_CHECKING:
    from core.home import Home

_EMPTY_PAGES: Final = 40  # in a row, each promising another: more than a window has
_STORE_PAUSE: Final = 1.0


def fetch(
    home: Home,
    estimate: FetchEstimate,
    *,
    budget: float | Decimal | None = None,
    progress: Callable[[FetchProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> FetchResult:
    """Carry out ``estimate``, which costs money: call it only after the person agreed.

    ``budget`` in US dollars is never exceeded: a request is not made unless the most that it can
    cost is left. ``progress`` is called with each page and several times a second while waiting.
    Raises XRefused (ServiceRefused), XMisunderstood and FetchInterrupted with what was fetched
    before in their ``result``; InputRefused without a token or while another fetch goes on;
    CorpusBusy before anything is paid.
    """
    if budget is not None and not 0 <= budget < math.inf:
        raise InputRefused(f"{budget} is no amount of dollars to spend at most.")
    if estimate.token is None:
        raise InputRefused(
            "There is no X API token.",
            "X answers nobody without one.",
            "Set MYNAH_X_TOKEN, or store one: mynah fetch --save-token.",
        )
    return _Fetch(
        home, estimate, estimate.token, budget, progress, cancelled or (lambda: False)
    ).run()


@contextmanager
def fetch_lock(home: Home) -> Iterator[None]:
    """Raises InputRefused while another process fetches. A killed one's lock is gone with it."""
    with ExitStack() as held:
        try:
            held.enter_context(held_lock(home.root / "fetch.lock", seconds=0))
        except Locked:
            raise InputRefused(
                "Another fetch is going on in this home.",
                "Two at a time would pay for the same posts.",
                "Wait for it, or stop it; then try again.",
            ) from None
        yield


class _Limit(Exception):
    def __init__(self, by: Literal["max", "budget", "plan"]) -> None:
        super().__init__(by)
        self.by: Literal["max", "budget", "plan"] = by


class _Fetch:
    def __init__(
        self,
        home: Home,
        estimate: FetchEstimate,
        token: Token,
        budget: float | Decimal | None,
        progress: Callable[[FetchProgress], None] | None,
        cancelled: Callable[[], bool],
    ) -> None:
        self._home = home
        self._estimate = estimate
        self._terms = estimate.terms
        self._token = token
        self._progress = progress
        self._corpus = Corpus(home.corpus)
        # through text: 0.1 as a float is not 0.1
        self._budget = Budget(None if budget is None else Decimal(str(budget)))
        self._client = XClient(token, estimate.api_url, estimate.terms.answer)
        self._retrying = RetryingClient(
            estimate.terms, token, estimate.api_url, self._budget, self._report, cancelled
        )
        self._price = estimate.terms.post_read
        self._account: XAccount | None = None
        self._left = estimate.posts_at_most
        self._result = FetchResult(estimate.handle)

    def run(self) -> FetchResult:
        with fetch_lock(self._home):
            prepare(self._corpus, self._estimate.handle)
            try:
                self._store_pending()
                self._fetch()
                self._finish("")
            except OverBudget:
                self._finish("budget")
            except _Limit as limit:
                self._finish(limit.by)
            except (XRefused, XMisunderstood, FetchInterrupted) as error:
                by: StoppedBy = "interrupted" if isinstance(error, FetchInterrupted) else "refused"
                self._finish(by)
                error.result = self._result
                raise
            finally:
                self._client.close()
        return self._result

    def _fetch(self) -> None:
        account, owned = self._find_account()
        self._account = account
        self._price = self._terms.owned_read if owned else self._terms.post_read
        self._result = replace(self._result, name=account.name)
        self._report_step("account")
        known = load_known(self._corpus, account.handle, account.account_id)
        if known.other_names:
            names = " and ".join(f"@{name}" for name in known.other_names)
            self._note(f"Older posts of this account are here as {names}; they are not paid again.")
        for gap in gaps(known.ranges):
            self._walk(account, gap)

    def _find_account(self) -> tuple[XAccount, bool]:
        """The account, from X unless it was looked up within the last 15 minutes."""
        estimate = self._estimate
        look = LookUp(
            self._home, self._client, self._retrying, self._budget, self._terms, self._token
        )
        known = load_known(self._corpus, estimate.handle)
        if known.account is None or not is_fresh(known):
            return look.account(estimate.handle)
        if estimate.account is not None and estimate.owned is not None:
            return estimate.account, estimate.owned
        me = look.me()
        return known.account, me is not None and me.account_id == known.account.account_id

    def _walk(self, account: XAccount, gap: Gap) -> None:
        """Fetch ``gap`` from its newest post down, or raise what ends it.

        Each page is asked for by id and not by the last one's token: that is the same request
        whether the fetch was interrupted or not, and posts that arrive meanwhile do not shift it.
        Only after an empty page is there no id, and its token is needed.
        """
        until, token, empty = gap.until, None, 0
        while True:
            size = self._page_size()
            since, below, after = gap.since, until, token
            reply = self._retrying.ask(
                lambda stop: self._client.posts(
                    account.account_id,
                    size=size,  # noqa: B023 - asked before the loop goes on
                    since=since,  # noqa: B023
                    until=below,  # noqa: B023
                    next_token=after,  # noqa: B023
                    cancelled=stop,
                ),
                handle=account.handle,
                worst=self._price * size,
            )
            body = reply.body or {}
            page = page_of(body, account, since=gap.since, until=until)
            cost = self._price * page.returned
            self._budget.spent += cost
            self._left -= page.returned
            covers = self._covers(gap, until, page)
            self._store(PaidPage(account, body, gap.since, until, covers, cost), page)
            if page.next_token is None:
                return
            if page.oldest is not None:
                until, token, empty = page.oldest, None, 0
                continue
            token, empty = page.next_token, empty + 1
            if empty > _EMPTY_PAGES:
                raise XRefused(
                    f"X keeps sending empty pages of @{account.handle}.",
                    f"{empty} in a row, each promising another.",
                    "Run the same command later; it goes on where it stopped.",
                )

    def _covers(self, gap: Gap, until: int | None, page: Page) -> Covered | None:
        last = page.next_token is None
        covers = covered_by_page(gap, until, page.newest, page.oldest, last=last)
        return covers and replace(
            covers,
            posts=page.returned,
            limited=not last and self._limit_reached() in ("max", "budget"),
            account_posts=self._account.posts if self._account and until is None else None,
        )

    def _store(self, paid: PaidPage, page: Page) -> None:
        """Store a page, however long another program holds the corpus; it is paid for.

        When that cannot be waited for, the page is kept for the next fetch.
        """
        try:
            while True:
                try:
                    stored = store_page(self._corpus, paid.account, page, paid.covers, paid.cost)
                    break
                except CorpusBusy as busy:
                    what = busy.what
                    self._retrying.pause(
                        _STORE_PAUSE,
                        lambda _: self._report("storing", None, None, what),  # noqa: B023
                    )
        except BaseException:
            save_pending(self._home, paid)
            raise
        self._count(page.returned, stored)
        self._report_step("page")

    def _store_pending(self) -> None:
        """Store pages that an earlier fetch paid for and could not store."""
        for path, paid in pending_pages(self._home, self._estimate.handle):
            page = page_of(paid.body, paid.account, since=paid.since, until=paid.until)
            stored = store_page(self._corpus, paid.account, page, paid.covers, paid.cost)
            path.unlink()
            self._result = replace(
                self._result,
                new=self._result.new + stored.new,
                updated=self._result.updated + stored.updated,
            )
            self._note("A page that an earlier fetch had paid for was stored.")

    def _limit_reached(self) -> Literal["", "max", "budget", "plan"]:
        """Why no further page may be asked for; empty when one may."""
        least = self._terms.smallest_page
        payable = self._budget.how_many(self._price)
        if payable is not None and payable < least and payable < self._left:
            return "budget"
        if self._left < least:
            return "max" if self._estimate.posts_at_most == self._estimate.max_posts else "plan"
        return ""

    def _page_size(self) -> int:
        """How many posts to ask for: within all limits, and so that no rest is too small to ask.

        Raises _Limit.
        """
        over = self._limit_reached()
        if over:
            raise _Limit(over)
        payable = self._budget.how_many(self._price)
        most = self._left if payable is None else min(self._left, payable)
        size = min(self._terms.page, most)
        rest = most - size
        if 0 < rest < self._terms.smallest_page <= most - self._terms.smallest_page:
            size = most - self._terms.smallest_page
        return size

    def _count(self, posts: int, stored: Stored) -> None:
        now = self._result
        self._result = replace(
            now,
            pages=now.pages + 1,
            posts=now.posts + posts,
            new=now.new + stored.new,
            updated=now.updated + stored.updated,
        )

    def _finish(self, stopped: StoppedBy) -> None:
        """Complete the result: what it cost, whether it is all, and where it goes on."""
        account = self._account
        resumes_from: str | None = None
        if stopped:
            with suppress(CorpusBusy):
                known = load_known(
                    self._corpus, self._estimate.handle, account.account_id if account else None
                )
                below = [gap.until for gap in gaps(known.ranges) if gap.until is not None]
                resumes_from = str(below[0]) if below else None
        if not stopped and account and (account.posts or 0) > self._terms.window:
            self._note(window_words(account.handle, account.posts or 0, self._terms))
        if stopped == "plan":
            self._note("There were more posts than X's count said; fetch again for the rest.")
        if self._budget.unsure:
            self._note(
                "Answers were lost on their way; X may have charged for them, up to "
                f"${self._budget.unsure:.3f}, and gives the same posts free on the same day (UTC)."
            )
        self._result = replace(
            self._result,
            cost_usd=float(self._budget.spent),
            unsure_usd=float(self._budget.unsure),
            complete=not stopped,
            resumes_from=resumes_from,
            stopped_by=stopped,
        )
        from core.curation.stored_verdicts import refresh_where_needed

        handles = [self._estimate.handle]
        changed = handles if self._result.new or self._result.updated else []
        with suppress(CorpusBusy):
            refresh_where_needed(self._home, handles, changed=changed)

    def _note(self, text: str) -> None:
        if text not in self._result.notes:
            self._result = replace(self._result, notes=[*self._result.notes, text])

    def _report_step(self, kind: ProgressKind) -> None:
        self._report(kind, None, None, "")

    def _report(
        self, kind: ProgressKind, seconds: float | None, attempt: int | None, why: str
    ) -> None:
        if self._progress is None:
            return
        now = self._result
        self._progress(
            FetchProgress(
                kind=kind,
                handle=self._estimate.handle,
                pages=now.pages,
                pages_at_most=now.pages + math.ceil(self._left / self._terms.page),
                posts=now.posts,
                posts_at_most=self._estimate.posts_at_most,
                new=now.new,
                cost_usd=float(self._budget.spent),
                seconds=seconds,
                attempt=attempt,
                why=why,
            )
        )
