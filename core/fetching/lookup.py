"""Looking an account up at X: who it is, and whether the token is its owner's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.corpus.store import Corpus
from core.fetching.client import Reply, XClient
from core.fetching.outcome import GoneAccount, NotForThisToken, XRefused
from core.fetching.posts import XAccount, account_of
from core.fetching.prices import Budget, Terms
from core.fetching.refusals import renamed, taken_over
from core.fetching.retrying import RetryingClient
from core.fetching.store import load_known, store_account
from core.fetching.token import Token

if TYPE_CHECKING:
    from core.home import Home


def look_up_account(
    home: Home, handle: str, token: Token, api_url: str, terms: Terms
) -> tuple[XAccount, bool]:
    """The account, and whether it is the token's own; kept in the corpus. One or two user reads."""
    client = XClient(token, api_url, terms.answer)
    budget = Budget(None)
    retrying = RetryingClient(terms, token, api_url, budget, lambda *_: None, lambda: False)
    try:
        return LookUp(home, client, retrying, budget, terms, token).account(handle)
    finally:
        client.close()


class LookUp:
    """User reads of one fetch. Every answer that holds a user is paid for."""

    def __init__(
        self,
        home: Home,
        client: XClient,
        retrying: RetryingClient,
        budget: Budget,
        terms: Terms,
        token: Token,
    ) -> None:
        self._corpus = Corpus(home.corpus)
        self._client = client
        self._retrying = retrying
        self._budget = budget
        self._terms = terms
        self._token = token

    def account(self, handle: str) -> tuple[XAccount, bool]:
        """Raises GoneAccount and the other refusals, each with what became of the account."""
        me = self.me()
        if me is not None and me.handle == handle:
            self._check_same(me)
            store_account(self._corpus, me)
            return me, True
        try:
            account = self._read(lambda stop: self._client.user(handle, stop), handle)
        except GoneAccount:
            self._check_renamed(handle)
            raise
        self._check_same(account)
        store_account(self._corpus, account)
        return account, me is not None and me.account_id == account.account_id

    def me(self) -> XAccount | None:
        """The token's user; None without a request for an app's token, which has none."""
        if self._token.app_only:
            return None
        try:
            return self._read(self._client.me, "me")
        except NotForThisToken:
            return None

    def _read(self, request: Callable[[Callable[[], bool]], Reply], handle: str) -> XAccount:
        price = self._terms.user_read
        reply = self._retrying.ask(request, handle=handle, worst=price)
        self._budget.spent += price
        account = account_of(reply.body or {})
        if account is None:
            raise XRefused(f"X's answer about @{handle} names no account.")
        return account

    def _check_same(self, account: XAccount) -> None:
        known = load_known(self._corpus, account.handle)
        if known.account_id not in (None, account.account_id):
            raise taken_over(account.handle)

    def _check_renamed(self, handle: str) -> None:
        """A name that is gone may belong to an account that is here, and has another name now."""
        known = load_known(self._corpus, handle)
        if known.account is None:
            return
        account_id = known.account.account_id
        try:
            now = self._read(lambda stop: self._client.user_by_id(account_id, stop), handle)
        except GoneAccount:
            return
        if now.handle != handle:
            raise renamed(handle, now.handle)
