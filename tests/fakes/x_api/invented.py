"""The invented accounts: always the same ones, made from a seed.

Handles are longer than the 15 characters X allows, so that none can belong to anyone.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from tests.fakes.x_api.model import Account, Media, Post, World
from tests.fakes.x_api.voices import Borrowed, Poet, Walker

FIRST_ID = 1_100_000_000_000_000_001  # beyond 2^53: an id kept as a float would show
OWNER = "steward_of_this_token"
WALKER = "walker_of_long_shores"
_LINKS = (
    "https://tide-tables.example/today",
    "https://ebble-valley.example/paths/closed?reason=geese&since=1974",
    "https://lost-boots.example/",
    "https://harbour-news.example/2019/the-bell-that-rings-under-water-is-now-a-listed-bell",
)
_MIXED = {"original": 52, "reply": 17, "retweet": 12, "quote": 5, "photo": 6, "link": 5, "note": 2,
          "thread": 1}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What one account is to be like. ``mix``: weights of the kinds of post."""

    username: str
    name: str
    posts: int
    voice: str = "walker"  # walker, poet, or the name of a sample author
    description: str = ""
    first: int = 2018  # the years it spans
    last: int = 2025
    mix: dict[str, int] = field(default_factory=lambda: dict(_MIXED))
    silence: int = 0  # a run of posts that the author deleted one day, in the middle
    edits: float = 0.012  # how many of the originals were edited, or deleted and said again
    deletes: float = 0.01
    protected: bool = False
    suspended: bool = False
    parody: bool = False
    once: str = ""  # the handle it had before
    lang: str = "en"


# These three are answered, repeated and quoted by the others, so they come first.
WORLD_AROUND = (
    Plan("ferry_to_nowhere_line", "Ferry to Nowhere", 90, "keeper_of_the_light", first=2015,
         mix={"original": 8, "note": 1}, edits=0),
    Plan("notices_of_the_harbour", "Harbour Notices", 90, "second_breakfast_club", first=2015,
         mix={"original": 8, "link": 2}, edits=0),
    Plan("cousin_of_the_tide", "Cousin of the Tide", 90, "orbit_grandmother", first=2015,
         mix={"original": 8, "photo": 2}),
)  # fmt: skip
SMALL = (
    Plan(WALKER, "Walker of Long Shores", 130, first=2024, description="Counting boots & miles.",
         silence=14),
    Plan("keeper_of_few_words", "Few Words", 12, first=2025, mix={"original": 1}),
    Plan("nobody_has_written_yet", "Not Yet", 0, description="Soon."),
    Plan("behind_the_garden_gate", "Gate", 25, protected=True),
    Plan("closed_by_the_moderators", "Closed", 10, suspended=True, mix={"original": 1}),
    Plan("teller_of_newer_names", "Newer Names", 40, "orbit_grandmother",
         once="teller_of_older_names"),
    Plan("poet_of_the_cedar_inn", "杉の宿", 60, "poet", description="短い行。", lang="ja",
         mix={"original": 8, "photo": 2}),
    Plan("only_repeats_the_others", "Echo", 130, mix={"retweet": 1}),
    Plan("second_thoughts_daily", "Second Thoughts", 30, mix={"original": 1}, edits=0.4,
         deletes=0.2),
    Plan("not_really_the_walker", "Walker (parody)", 35, parody=True),
    Plan(OWNER, "Steward", 110, "keeper_of_the_light"),
)  # fmt: skip
FULL = (
    Plan(WALKER, "Walker of Long Shores", 3400, first=2016, description="Counting boots & miles.",
         silence=260),
    *SMALL[1:],
)  # fmt: skip
CHOICES = {"small": SMALL, "full": FULL}


def make_world(plans: str | Sequence[Plan] = "full", seed: int = 1) -> World:
    """``plans`` is "small", "full" or plans of one's own; the accounts around them always come."""
    chosen = CHOICES[plans] if isinstance(plans, str) else tuple(plans)
    key = f"{seed} {chosen}"
    if key not in _PICKLED:
        _PICKLED[key] = pickle.dumps(_made(chosen, seed))
    world: World = pickle.loads(_PICKLED[key])  # noqa: S301 - each server changes one of its own
    return world


_PICKLED: dict[str, bytes] = {}


def _made(chosen: Sequence[Plan], seed: int) -> World:
    world = World()
    around: list[Post] = []
    for number, plan in enumerate((*WORLD_AROUND, *chosen)):
        account = world.add_account(
            Account(
                FIRST_ID + number * 7919,
                plan.once or plan.username,
                plan.name,
                plan.description,
                datetime(min(plan.first, 2015), 1, 1, tzinfo=timezone.utc) + timedelta(days=number),
                parody=plan.parody,
            )
        )
        # a string seeds the same everywhere, whatever the hash seed of the process
        _write(world, account, plan, random.Random(f"{seed} {plan.username}"), around)
        account.protected, account.suspended = plan.protected, plan.suspended
        if plan.once:
            world.rename(plan.once, plan.username)
        if number < len(WORLD_AROUND):
            around = sorted([*around, *account.live()])
    return world


def _voice(plan: Plan, rng: random.Random) -> Walker | Borrowed | Poet:
    if plan.voice == "walker":
        return Walker(rng)
    return Poet(rng) if plan.voice == "poet" else Borrowed(rng, plan.voice)


def _write(
    world: World, account: Account, plan: Plan, rng: random.Random, around: list[Post]
) -> None:
    """``plan.posts`` posts that can be seen, and beside them those deleted or replaced."""
    voice = _voice(plan, rng)
    start = datetime(plan.first, 2, 3, 6, tzinfo=timezone.utc)
    step = (datetime(plan.last, 11, 28, tzinfo=timezone.utc) - start) / max(
        1, plan.posts + plan.silence
    )
    middle = range(plan.posts // 2, plan.posts // 2 + plan.silence)
    kinds, weights = list(plan.mix), list(plan.mix.values())
    made: list[Post] = []
    for number in range(plan.posts + plan.silence):
        when = start + step * number + step * 0.6 * rng.random()
        when = when.replace(microsecond=when.microsecond // 1000 * 1000)
        kind = rng.choices(kinds, weights)[0]
        earlier = [post for post in around[:400] if post.created_at < when]
        if not earlier and kind in ("reply", "retweet", "quote"):
            kind = "original"
        other = rng.choice(earlier) if earlier else None
        post = _one(world, account, plan, kind, voice, when, rng, other, made)
        if number in middle or (kind == "original" and rng.random() < plan.deletes):
            if number not in middle:  # said again, so that the number of posts comes out right
                world.publish(account, voice.line(), when + timedelta(minutes=3), lang=plan.lang)
            world.delete(post)
        elif kind == "original" and rng.random() < plan.edits:
            for again in range(rng.choice((1, 1, 2, 5))):
                wording = f"{post.text.rstrip('.')}, I mean{'.' * (again + 1)}"
                post = world.edit(post, wording, when + timedelta(minutes=2 + 3 * again))
        made.append(post)


def _one(
    world: World,
    account: Account,
    plan: Plan,
    kind: str,
    voice: Walker | Borrowed | Poet,
    when: datetime,
    rng: random.Random,
    other: Post | None,
    made: list[Post],
) -> Post:
    sensitive = rng.random() < 0.004
    photo = Media(f"3_{account.id * 10 + len(made)}", "photo", "A shore, seen from the shore.")
    if kind == "retweet":
        return world.publish(account, "", when, retweet=other)
    if kind == "quote":
        return world.publish(account, voice.remark(), when, quote=other)
    if kind == "reply":
        return world.publish(account, voice.answer(), when, reply_to=other)
    if kind == "thread" and made and not made[-1].hidden and made[-1].retweet_of is None:
        return world.publish(account, voice.line(), when, reply_to=made[-1])
    if kind == "photo":
        text = "" if rng.random() < 0.2 else voice.line()
        lang = plan.lang if text else "zxx"  # X's code for a picture without words
        return world.publish(account, text, when, links=(("", photo),), lang=lang)
    if kind == "link":
        links = ((rng.choice(_LINKS), None),)
        return world.publish(account, voice.line(), when, links=links, lang=plan.lang)
    text = voice.long() if kind == "note" else voice.line()
    with_photo = kind == "note" and rng.random() < 0.3
    extra = (("", photo),) if with_photo else ()
    return world.publish(account, text, when, links=extra, lang=plan.lang, sensitive=sensitive)
