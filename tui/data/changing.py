"""Changes of the corpus: tweets left out of training, forgetting, and what other programs did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.numbers import plural
from tui.job import Attempt, Host, Job, Report

if TYPE_CHECKING:
    from core.corpus.excluded import Tweet
    from core.corpus.reading import AccountRow
    from core.errors import MynahError
    from core.forgetting import Forgotten


@dataclass
class Excluded(Report):
    """A tweet was left out of training (or taken back); ``all_of_them`` are left out now."""

    tweet: Tweet
    excluded: bool
    all_of_them: list[Tweet]


@dataclass
class VerdictsStored(Report):
    """What SQL shows of the accounts is as the recipes say again."""


@dataclass
class ForgetCounted(Report):
    """What would go."""

    would: Forgotten


@dataclass
class ForgetEnded(Report):
    gone: Forgotten | None
    error: MynahError | None


class ExcludeJob(Job):
    """Reports Excluded, then VerdictsStored."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "leaving a tweet out")
        self._store = Job(host, "storing verdicts", newest_wins=True)

    def toggle(self, tweet: Tweet, *, excluded: bool) -> None:
        """Leave the tweet out of training, or take it back when it is ``excluded``."""
        home = self._host.state.home

        def work(_: Attempt) -> Report:
            from core.corpus.excluded import exclude_tweets, excluded_tweets, include_tweets
            from core.corpus.store import Corpus

            corpus = Corpus(home.corpus)
            (include_tweets if excluded else exclude_tweets)(corpus, [tweet])
            return Excluded(tweet, not excluded, excluded_tweets(corpus))

        self._store.stop()
        self.start(work)

    def store_verdicts(self, handle: str) -> None:
        """What a rule over several tweets says of the others may have changed."""
        home = self._host.state.home

        def work(attempt: Attempt) -> Report:
            from core.curation.stored_verdicts import refresh_curated

            refresh_curated(home, [handle], cancelled=attempt.cancelled)
            return VerdictsStored()

        # a corpus in use, or a newer change: the next import or change judges them again
        self._store.start(work, lambda _: None)


class ForgetJob(Job):
    """Reports ForgetCounted; ForgetEnded."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "forgetting")

    def count(self, handles: Sequence[str], tweet_id: str | None) -> None:
        """What would go; changes nothing."""
        self._begin(handles, tweet_id, dry_run=True)

    def run(self, handles: Sequence[str], tweet_id: str | None) -> None:
        self._begin(handles, tweet_id, dry_run=False)

    def _begin(self, handles: Sequence[str], tweet_id: str | None, *, dry_run: bool) -> None:
        home = self._host.state.home

        def work(_: Attempt) -> Report:
            from core.corpus.store import Corpus
            from core.forgetting import forget

            corpus = Corpus(home.corpus)
            gone = forget(corpus, home, handles=handles, tweet_id=tweet_id, dry_run=dry_run)
            return ForgetCounted(gone) if dry_run else ForgetEnded(gone, None)

        if not self.start(work, lambda error: ForgetEnded(None, error)):
            self._host.notify("Try again in a moment.", title="Something else is being forgotten")


class CorpusWatch:
    """Notices that another program has changed the corpus: one look at the file, nothing is read.

    Changes by the app itself are none: ``ours`` is told of them, and ``writers`` are at work.
    """

    def __init__(self, host: Host, writers: Sequence[Job]) -> None:
        self._host = host
        self._writers = writers
        self._known: tuple[int, ...] | None = None
        self._seen: tuple[int, ...] | None = None

    def ours(self) -> None:
        """The file as it is now is known."""
        self._known = self._seen = self._mark()

    def changed(self) -> bool:
        """Whether others have changed it and are done: it is the same at two looks."""
        if any(job.busy for job in self._writers):
            self.ours()
            return False
        mark, before = self._mark(), self._seen
        self._seen = mark
        if self._known is None or mark == self._known or mark != before:
            return False
        self._known = mark
        return True

    def _mark(self) -> tuple[int, ...]:
        try:
            found = self._host.state.home.corpus.stat()
        except OSError:
            return ()
        return (found.st_mtime_ns, found.st_size, found.st_ino)


def what_changed(before: Sequence[AccountRow], now: Sequence[AccountRow]) -> str:
    """One sentence on how the counts differ, a few accounts by name; empty when they do not."""
    then = {account.handle: account.tweets for account in before}
    there = {account.handle: account.tweets for account in now}
    facts = []
    for handle in dict.fromkeys([*there, *then]):
        change = there.get(handle, 0) - then.get(handle, 0)
        if handle not in there:
            facts.append(f"@{handle} is gone")
        elif handle not in then:
            facts.append(f"@{handle} came in with {plural(there[handle], 'tweet')}")
        elif change:
            facts.append(f"@{handle} has {abs(change):,} {'more' if change > 0 else 'fewer'}")
    if len(facts) > 3:
        facts = [*facts[:2], f"{len(facts) - 2} more accounts changed"]
    return "; ".join(facts) + "." if facts else ""
