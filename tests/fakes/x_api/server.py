"""FakeX: the whole thing as a context manager."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any

from tests.fakes.x_api.faults import Fault, read_fault, read_faults
from tests.fakes.x_api.invented import OWNER, Plan, make_world
from tests.fakes.x_api.model import Account, Post, World
from tests.fakes.x_api.service import Asked, Bearer, Service
from tests.fakes.x_api.wire import Server

# Shaped like X's own: those of an app begin with a row of A, those of a person do not.
APP_TOKEN = "AAAAAAAAAAAAAAAAAAAAAMynahFakeAppToken"  # noqa: S105
OWNER_TOKEN = "TXluYWhGYWtlOwnerToken"  # noqa: S105
READER_TOKEN = "TXluYWhGYWtlReaderToken"  # noqa: S105


class FakeX:
    """A fake X API at ``url`` (http://127.0.0.1:PORT) while the context lasts.

    accounts      "small", "full" (one of 3,400 posts), Plans of one's own, or a World
    faults        what is to go wrong; see the package docstring
    rate_limit    (requests, seconds) for each token and endpoint, in place of X's numbers
    credits_usd   once this much has been spent every request is a 402
    host          of the type URIs: "api.x.com" or "api.twitter.com"
    spelling      "tweet" or "post" where only tweet.fields or post.fields is to be known
    seed, port, clock   of the accounts; 0 for any free one; Unix seconds

    ``token`` is app-only; ``owner_token`` belongs to the owner of the app, whose own posts are
    owned reads; ``reader_token`` to another person. Leaving raises if the server itself failed.
    """

    def __init__(
        self,
        accounts: str | Sequence[Plan] | World = "small",
        faults: Iterable[Fault | Mapping[str, Any]] = (),
        rate_limit: tuple[int, float] | None = None,
        *,
        credits_usd: float | None = None,
        host: str = "api.x.com",
        spelling: str = "both",
        seed: int = 1,
        port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        world = accounts if isinstance(accounts, World) else make_world(accounts, seed)
        owner = world.named(OWNER)
        reader = world.named("cousin_of_the_tide")
        tokens = {APP_TOKEN: Bearer()}
        if owner is not None:
            tokens[OWNER_TOKEN] = Bearer(owner.id)
        if reader is not None:
            tokens[READER_TOKEN] = Bearer(reader.id)
        self.service = Service(
            world,
            tokens,
            owner.id if owner else None,
            host,
            spelling,
            clock,
            None if credits_usd is None else Decimal(str(credits_usd)),
            rate_limit,
            read_faults(faults),
        )
        self.token = APP_TOKEN
        self.owner_token = OWNER_TOKEN
        self.reader_token = READER_TOKEN
        self._port = port
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> FakeX:
        self._server = Server(self._port, self.service)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="fake-x-api"
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        server, thread = self._running(), self._thread
        server.close()
        if thread is not None:
            thread.join()
        self._server = self._thread = None
        if error is None and server.failures:
            raise RuntimeError("the fake X API failed") from server.failures[0]

    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("FakeX serves only inside its `with` block")
        return self._server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._running().server_address[1]}"

    @property
    def requests(self) -> list[Asked]:
        """Every API request so far, first to last; never holds a token."""
        return self.service.requests

    def ledger(self) -> dict[str, Any]:
        """posts, users, owned_reads, deduplicated, cost_usd, day, credits_usd, prices_usd."""
        with self.service.lock:
            return self.service.ledger.report()

    def schedule(self, fault: Fault | Mapping[str, Any] | None = None, **fields: Any) -> None:
        """``schedule(kind="html503", nth=3)`` or the dict that POST /_faults takes."""
        with self.service.lock:
            self.service.faults.append(read_fault(fault if fault is not None else fields))

    def next_day(self) -> None:
        """The billing day ends: what is read again is charged again."""
        self.service.ledger.days_ahead += 1

    def account(self, username: str) -> Account:
        """KeyError when nobody has that handle now."""
        return self.service.world.account(username)

    def add_post(self, username: str, text: str = "", **how: Any) -> Post:
        """A post made now. ``how`` as World.publish: reply_to, quote, retweet, links, lang."""
        return self.service.publish(self.account(username), text, **how)

    def edit_post(self, post: Post, text: str) -> Post:
        with self.service.lock:
            when = self.service.now_after(self.service.world.accounts[post.author_id])
            return self.service.world.edit(post, text, when)

    def delete_post(self, post: Post) -> None:
        with self.service.lock:
            self.service.world.delete(post)

    def rename(self, username: str, new: str) -> None:
        with self.service.lock:
            self.service.world.rename(username, new)
