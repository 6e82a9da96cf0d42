"""What the fake service knows: accounts, their posts, and what happened to them."""

from __future__ import annotations

import hashlib
from bisect import insort
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

SNOWFLAKE_EPOCH_MS = 1288834974657
EDIT_WINDOW = timedelta(minutes=30)
MAX_EDITS = 5

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def snowflake(when: datetime) -> int:
    """The smallest id of that millisecond (inverse of core.tweet.snowflake_time)."""
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    return ((when - epoch) // timedelta(milliseconds=1) - SNOWFLAKE_EPOCH_MS) << 22


def short_url(seed: str) -> str:
    """A t.co address: the same seed always gives the same one."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
    letters = ""
    for _ in range(10):
        number, digit = divmod(number, 62)
        letters += _BASE62[digit]
    return f"https://t.co/{letters}"


@dataclass(frozen=True)
class Media:
    key: str
    kind: str  # photo, video, animated_gif
    alt: str = ""


@dataclass(frozen=True)
class Link:
    """One t.co address in a post's text and where it leads; ``media`` when it is a picture."""

    url: str
    expanded: str
    media: Media | None = None


@dataclass
class Post:
    """One version of a post. ``text`` is what the author typed: whole and not escaped."""

    id: int
    author_id: int
    created_at: datetime
    text: str
    lang: str = "en"
    links: tuple[Link, ...] = ()
    referenced: tuple[tuple[str, int], ...] = ()  # (retweeted | quoted | replied_to, post id)
    reply_to_user_id: int | None = None
    conversation_id: int = 0
    versions: list[int] = field(default_factory=list)  # shared by all versions, oldest first
    sensitive: bool = False
    deleted: bool = False

    def __lt__(self, other: Post) -> bool:
        return self.id < other.id

    @property
    def retweet_of(self) -> int | None:
        return next((ref for kind, ref in self.referenced if kind == "retweeted"), None)

    @property
    def hidden(self) -> bool:
        """Deleted, or replaced by a later version: keeps its slot in the timeline, unseen."""
        return self.deleted or self.id != self.versions[-1]


@dataclass
class Account:
    id: int
    username: str
    name: str
    description: str = ""
    created_at: datetime = datetime(2012, 3, 1, tzinfo=timezone.utc)
    protected: bool = False
    suspended: bool = False
    parody: bool = False
    posts: list[Post] = field(default_factory=list)  # oldest first, every version, deleted ones too

    def live(self) -> list[Post]:
        """What a reader can see, newest first."""
        return [post for post in reversed(self.posts) if not post.hidden]


class World:
    """All accounts and posts; renames, edits and deletions happen here."""

    def __init__(self) -> None:
        self.accounts: dict[int, Account] = {}
        self.posts: dict[int, Post] = {}
        self._names: dict[str, int] = {}

    def add_account(self, account: Account) -> Account:
        if account.username.lower() in self._names:
            raise ValueError(f"two accounts are called {account.username}")
        self.accounts[account.id] = account
        self._names[account.username.lower()] = account.id
        return account

    def named(self, username: str) -> Account | None:
        """Letter case does not count; a handle given up by a rename is not found."""
        return self.accounts.get(self._names.get(username.lower(), -1))

    def account(self, username: str) -> Account:
        found = self.named(username)
        if found is None:
            raise KeyError(f"no account is called {username}")
        return found

    def rename(self, username: str, new: str) -> None:
        account = self.account(username)
        del self._names[account.username.lower()]
        account.username = new
        self._names[new.lower()] = account.id

    def publish(
        self,
        author: Account,
        text: str,
        when: datetime,
        *,
        lang: str = "en",
        links: tuple[tuple[str, Media | None], ...] = (),
        quote: Post | None = None,
        reply_to: Post | None = None,
        retweet: Post | None = None,
        sensitive: bool = False,
        edits: list[int] | None = None,
    ) -> Post:
        """A new post; ``links`` and a quote's address are put at the end, as X's own apps do."""
        post_id = snowflake(when)
        while post_id in self.posts:
            post_id += 1
        referenced: list[tuple[str, int]] = []
        targets = list(links)
        if reply_to is not None:
            referenced.append(("replied_to", reply_to.id))
            other = self.accounts[reply_to.author_id]
            if other is not author and not text.startswith("@"):
                text = f"@{other.username} {text}"
        if quote is not None:
            referenced.append(("quoted", quote.id))
            other = self.accounts[quote.author_id]
            targets.append((f"https://x.com/{other.username}/status/{quote.id}", None))
        if retweet is not None:
            referenced.append(("retweeted", retweet.id))
            text = f"RT @{self.accounts[retweet.author_id].username}: {retweet.text}"
        made: list[Link] = []
        for number, (target, media) in enumerate(targets, 1):
            expanded = target
            if media is not None:
                expanded = f"https://x.com/{author.username}/status/{post_id}/{media.kind}/{number}"
            link = Link(short_url(f"{post_id} {expanded}"), expanded, media)
            made.append(link)
            text = f"{text} {link.url}".strip()
        if retweet is not None:
            made = list(retweet.links)
        versions = edits if edits is not None else []
        versions.append(post_id)
        post = Post(
            id=post_id,
            author_id=author.id,
            created_at=when,
            text=text,
            lang=lang,
            links=tuple(made),
            referenced=tuple(referenced),
            reply_to_user_id=reply_to.author_id if reply_to is not None else None,
            conversation_id=reply_to.conversation_id if reply_to is not None else versions[0],
            versions=versions,
            sensitive=sensitive,
        )
        self.posts[post_id] = post
        insort(author.posts, post)
        return post

    def edit(self, post: Post, text: str, when: datetime) -> Post:
        """A new version with a new id; at most five within 30 minutes of the first."""
        first = self.posts[post.versions[0]]
        if len(post.versions) > MAX_EDITS or when - first.created_at > EDIT_WINDOW:
            raise ValueError("that post can no longer be edited")
        author = self.accounts[post.author_id]
        last = self.posts[post.versions[-1]]
        new = self.publish(author, text, max(when, last.created_at), edits=post.versions)
        new.referenced, new.reply_to_user_id = post.referenced, post.reply_to_user_id
        new.conversation_id, new.lang = post.conversation_id, post.lang
        return new

    def delete(self, post: Post) -> None:
        """Deleting one version deletes all of them."""
        for version in post.versions:
            self.posts[version].deleted = True
