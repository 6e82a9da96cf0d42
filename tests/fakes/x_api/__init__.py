"""A fake X API: a real HTTP server on this machine, with invented accounts.

::

    with FakeX("small", faults=[{"kind": "html503", "nth": 2}]) as fake:
        ...  # a client with base address fake.url and token fake.token
        assert fake.ledger()["posts"] == 130

It answers ``/2/users/by/username/{u}``, ``/2/users/{id}``, ``/2/users/{id}/tweets``,
``/2/users/me`` and ``/2/usage/tweets`` as X API v2 documents them, counts what would be billed, and
goes wrong when it is told to. ``python -m tests.fakes.x_api`` runs it as a playground.

A fault strikes matching requests from the ``nth`` (counted from when it is scheduled) on, ``times``
of them (0: for ever); ``path`` may hold ``*``. Kinds:

In front of the API, before the token is looked at, never billed, no rate-limit headers:

html500 html502 html503 html504   an HTML page with that status
drop               the connection closes with no answer
hang               nothing for ``seconds``, then the connection closes
redirect           302 to ``/elsewhere``; ``headers={"location": ...}`` for another place

By the API in place of data, never billed:

json500 json502 json503 json504   a JSON problem with that status
bad_request        400 with errors[] and "Invalid Request"
unauthorized       401
credits            402 CreditsDepleted (also by itself, with ``credits_usd``)
client_forbidden   403, the app is not enrolled
unsupported_auth   403, an app-only token where a person's is needed
not_found          404 with errors[]         not_found_empty   404 with no body
rate_limited       429, remaining 0 and reset ``seconds`` from now; it lasts until then
                   (also by itself, when the limit is used up)
rate_limited_bare  429 without any rate-limit header
usage_cap          429 UsageCapExceeded: requests remain, and waiting does not help
answer             ``status``, ``body`` and ``headers`` of your own

Pages that are allowed but surprising:

empty_page         no data, but a next_token; nothing is lost, the next page goes on
short_page         only ``keep`` posts, and a next_token
duplicate          begins with the last post of the page before
new_post           a post arrives just before this page: with a token, the same as a duplicate
same_token         next_token is the token of this very page: a walk would never end

The right answer, carried badly (and billed, for the service did give it):

drop_body          the connection closes half way
slow               in twenty drips over ``seconds``
wrong_type         JSON said to be text/html
not_json           an HTML page said to be JSON, status 200
truncated_json     half of the JSON, with a length that fits
json_array         JSON of another shape
bad_gzip           said to be gzip, and is not
plain              not compressed, though asked for
oversize           ``size`` bytes of spaces before the JSON

``host="api.twitter.com"`` in a refusal changes the host of its type URI.

Where it is only a guess: X does not publish the words of most 400s; the 402 body is as users have
quoted it; whether note_tweet.text is escaped is not documented (here it is, like text); errors,
lookups of missing users and empty pages cost nothing; media that come along cost nothing.
"""

from __future__ import annotations

from tests.fakes.x_api.faults import KINDS, Fault
from tests.fakes.x_api.invented import FULL, OWNER, SMALL, WALKER, Plan, make_world
from tests.fakes.x_api.model import Account, Media, Post, World
from tests.fakes.x_api.server import FakeX
from tests.fakes.x_api.service import Asked

__all__ = [
    "FULL",
    "KINDS",
    "OWNER",
    "SMALL",
    "WALKER",
    "Account",
    "Asked",
    "FakeX",
    "Fault",
    "Media",
    "Plan",
    "Post",
    "World",
    "make_world",
]
