"""1 Data: the accounts in the corpus, their tweets, and adding more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from core.curation.reasons import EXCLUDED
from core.numbers import plural
from tui.actions import bindings, key_of
from tui.data.changing import ExcludeJob, ForgetCounted, ForgetJob
from tui.data.fetching import FetchJob
from tui.data.import_line import ImportLine
from tui.data.importing import ImportJob
from tui.filter.counting import RowSearch, RowsFound, SearchRefused
from tui.job import Counted, Job, Report
from tui.section.columns import acts_on
from tui.section.screen import Section, explained
from tui.state import State
from tui.text.nothing_there import no_match, why_no_tweets
from tui.text.numbers import count, short_count
from tui.text.tweets import TweetLines, columns, detail
from tui.widgets.cells import pattern_of
from tui.widgets.mini_bars import MiniBars
from tui.widgets.panel import Panel, ScrollPane
from tui.widgets.progress_line import ProgressLine
from tui.widgets.row_list import Column, ListRows, RowList
from tui.widgets.search_field import SearchField
from tui.widgets.words import Words

if TYPE_CHECKING:
    from core.corpus.reading import AccountRow
    from core.forgetting import Forgotten
    from core.workbench.view import Order, TweetRow, Which
    from tui.data.imports import ImportLogJob
    from tui.data.preview import PreviewJob

# Beside several accounts; the panel has 28 cells.
HOW_TO_CHOOSE = "enter or 2 clicks: only this\nspace or ✓: this one as well"
WHICH: tuple[Which, ...] = ("all", "kept", "dropped")
ORDERS: dict[Order, str] = {
    "newest": "newest first",
    "oldest": "oldest first",
    "likes": "most liked first",
    "length": "longest first",
}


class DataSection(Section):
    """Accounts at the left, their tweets and the one under the cursor at the right."""

    SECTION = "data"
    COLUMNS = ("data-side", "data-main")
    FIRST_COLUMN = 1
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("data"),
        ("escape", "leave_search", "Stop or leave the search"),
    ]

    def __init__(
        self,
        importing: ImportJob,
        fetching: FetchJob,
        excluding: ExcludeJob,
        forgetting: ForgetJob,
        reading: Job,
        search: RowSearch,
    ) -> None:
        super().__init__()
        self._importing, self._fetching = importing, fetching
        self._excluding, self._forgetting = excluding, forgetting
        self._reading, self._search = reading, search
        self._preview: PreviewJob | None = None
        self._import_log: ImportLogJob | None = None

    def compose_body(self) -> ComposeResult:
        with Vertical(id="data-side", classes="column side"):
            with Panel(title="Accounts", id="accounts-panel"):
                yield RowList(
                    (Column(flex=1), Column(width=7, align="right")),
                    markable=True,
                    empty="",
                    id="accounts",
                )
                yield Words(HOW_TO_CHOOSE, id="how-to-choose", markup=False)
                yield MiniBars(id="years")
                yield Words("", id="provenance", markup=False)
        with Vertical(id="data-main", classes="column main"):
            with Panel(title="Tweets", id="tweets-panel"):
                yield SearchField(back_to="#tweets", id="search")
                yield RowList(columns(who=True), empty="", id="tweets")
            with Panel(title="Tweet", id="tweet-panel"), ScrollPane():
                yield Words("", id="tweet", markup=False)
            yield ImportLine(id="import-progress")

    def on_mount(self) -> None:
        self._which: Which = "all"
        self._wanted = ""
        self._order: Order = "newest"
        self._found: re.Pattern[str] | None = None
        self._accounts: list[AccountRow] = []
        app = self.mynah
        app.accounts_changed.subscribe(self, self._accounts_changed)
        app.curation_changed.subscribe(self, self._curation_changed)
        app.reported.subscribe(self, self._reported)
        self._accounts_changed(self.state)
        self._curation_changed(self.state)
        self.query_one("#tweets", RowList).focus()

    def possible(self, action: str) -> bool:
        if action in ("add_tweets", "samples"):
            return not self.state.importing
        if action == "imports":
            return self.state.home.corpus.exists()
        if action in ("copy", "exclude"):
            return len(self.query_one("#tweets", RowList).rows) > 0
        return bool(self.state.accounts)

    # ── what changed ─────────────────────────────────────────────────────────────────────

    def _accounts_changed(self, state: State) -> None:
        if state.accounts is None:
            if state.corpus_busy is not None:
                self.query_one("#tweets", RowList).set_empty(
                    f"{state.corpus_busy.what} {state.corpus_busy.why} mynah tries again by itself."
                )
            return
        self._accounts = state.accounts
        listing = self.query_one("#accounts", RowList)
        listing.set_rows(
            ListRows([(("@" + a.handle, ""), (count(a.tweets), "muted")) for a in self._accounts]),
            keep_cursor=True,
            marks=[i for i, a in enumerate(self._accounts) if a.handle in state.chosen],
        )
        self._show_account()  # the dates and sources of the same number of tweets may be others
        listing.set_empty("Nobody yet.")  # not before it is known
        self.query_one("#accounts-panel", Panel).status = count(len(self._accounts))
        self.query_one("#how-to-choose").display = len(self._accounts) > 1
        if nothing := why_no_tweets(state, in_data=True):
            tweets = self.query_one("#tweets", RowList)
            tweets.set_empty(nothing)
            tweets.set_rows(ListRows())
            self.query_one("#tweet", Words).update("")
            self.query_one("#tweets-panel", Panel).status = ""
        elif not len(self.query_one("#tweets", RowList).rows):
            self.query_one("#tweets", RowList).set_empty("Reading the tweets…")

    def _curation_changed(self, state: State) -> None:
        if state.curation is None:
            return
        self._search.find(state.curation.rows, self._which, self._wanted, self._order)

    def _reported(self, report: Report) -> None:
        self.query_one(ImportLine).take(report)
        if isinstance(report, RowsFound) and report.search is self._search:
            self._show_rows(report)
        elif isinstance(report, SearchRefused) and report.search is self._search:
            self.query_one(
                "#tweets-panel", Panel
            ).status = f"▲ {' '.join(str(report.error).split())}"
        elif isinstance(report, Counted) and report.job in (self._reading, self._search):
            doing = "reading" if report.job is self._reading else "searching"
            self.query_one(
                "#tweets-panel", Panel
            ).status = f"{doing} {short_count(report.done)} of {short_count(report.total)} …"
        elif isinstance(report, ForgetCounted):
            self._ask_to_forget(report.would)

    def _show_rows(self, found: RowsFound) -> None:
        from core.workbench.view import TweetRows

        state = self.state
        if state.curation is None or not isinstance(found.rows, TweetRows):
            return
        tweets = self.query_one("#tweets", RowList)
        tweets.set_columns(columns(who=len(state.chosen) > 1))
        tweets.highlight(found.found)
        self._found = pattern_of(found.found)
        if state.chosen:
            tweets.set_empty(no_match(found.which))
        tweets.set_rows(TweetLines(found.rows, found.order), keep_cursor=True)
        if not len(found.rows):
            self.query_one("#tweet", Words).update("")
        status = count(len(found.rows))
        if found.which != "all" or found.words:
            status += f" of {count(len(state.curation.rows))}"
        facts = [status] if found.which == "all" else [status, f"{found.which} only"]
        if len(facts) == 1 or found.order != "newest":
            facts.append(ORDERS[found.order])
        self.query_one("#tweets-panel", Panel).status = " · ".join(facts)

    # ── what a person does ───────────────────────────────────────────────────────────────

    @on(RowList.Highlighted, "#accounts")
    def _show_account(self) -> None:
        """What is known of the one under the cursor; nothing where there is none."""
        here = self.query_one("#accounts", RowList).cursor
        years, facts = self.query_one("#years", MiniBars), self.query_one("#provenance", Words)
        if here >= len(self._accounts):
            years.set_values(())
            facts.update("")
            return
        account = self._accounts[here]
        first = account.first.year if account.first else 0
        years.set_values(account.per_year, [str(first + i) for i in range(len(account.per_year))])
        span = "times unknown"
        if account.first and account.last:
            span = f"{account.first:%b %Y} – {account.last:%b %Y}"
        facts.update(f"{span}\n{plural(account.tweets, 'tweet')} from {', '.join(account.sources)}")

    @on(RowList.Marked, "#accounts")
    def _accounts_marked(self, event: RowList.Marked) -> None:
        handles = [self._accounts[i].handle for i in sorted(event.indices)]
        if handles:
            self.mynah.choose(handles)
        else:  # nothing chosen would leave every section empty
            self._accounts_changed(self.state)
            self.app.notify("Choose another one first.", title="One account stays chosen")

    @on(RowList.Chosen, "#accounts")
    def _account_chosen(self, event: RowList.Chosen) -> None:
        self.mynah.choose([self._accounts[event.index].handle])

    @on(RowList.Highlighted, "#tweets")
    def _tweet_highlighted(self, event: RowList.Highlighted) -> None:
        lines = self.query_one("#tweets", RowList).rows
        if isinstance(lines, TweetLines) and event.index < len(lines):
            words = detail(lines.rows[event.index], self._found, "bold underline")
            self.query_one("#tweet", Words).update(words)
            self.query_one("#tweet-panel > ScrollPane").scroll_home(animate=False)
        else:
            self.query_one("#tweet", Words).update("")

    @acts_on("#accounts")
    def action_mark(self) -> None:
        self.query_one("#accounts", RowList).action_toggle_mark()

    @acts_on("#tweets", at_once=True)
    def action_which(self) -> None:
        self._which = WHICH[(WHICH.index(self._which) + 1) % len(WHICH)]
        self._curation_changed(self.state)

    @acts_on("#tweets", at_once=True)
    def action_sort(self) -> None:
        names = list(ORDERS)
        self._order = names[(names.index(self._order) + 1) % len(names)]
        self.query_one("#tweets", RowList).cursor = 0
        self._curation_changed(self.state)

    def action_search(self) -> None:
        field = self.query_one(SearchField)
        field.ask()
        self.reveal(field)

    @on(SearchField.Wanted)
    def _search_changed(self, event: SearchField.Wanted) -> None:
        self._wanted = event.words
        self._curation_changed(self.state)

    def action_leave_search(self) -> None:
        """Esc stops an import or a fetch first, then clears a search."""
        if self._importing.stop() or self._fetching.stop():
            self.query_one(ImportLine).stopping()
            return
        self.query_one(SearchField).leave()

    @on(ProgressLine.StopRequested)
    def _stop_clicked(self) -> None:
        self.action_leave_search()

    @explained
    def action_samples(self) -> None:
        """At once where nobody else is here, else after a yes."""
        from core.workflow.data import sample_archives

        archives = sample_archives()
        theirs = [path.stem for path in archives]  # each is called as its author
        if all(account.handle in theirs for account in self._accounts):
            self._importing.run(archives, samples=True)
            return
        from tui.dialogs.decide import Decide

        def answered(key: str | None) -> None:
            if key == "y":
                self._importing.run(archives, samples=True)

        who = ", ".join(f"@{handle}" for handle in theirs)
        forget = key_of("data.forget", self.state.keymap)
        self.app.push_screen(
            Decide(
                "Bring in the three sample authors, too?",
                f"{who}: some 3,000 invented tweets of each come in beside yours, as accounts that "
                f"are not chosen yet. {forget} forgets them again.",
                {"y": "brings them in"},
            ),
            answered,
        )

    def action_add_tweets(self) -> None:
        from tui.data.add_tweets import AddTweets, FetchChosen, FileChosen
        from tui.data.preview import PreviewJob

        if self._preview is None:
            self._preview = PreviewJob(self.mynah)

        def chosen(answer: FileChosen | FetchChosen | None) -> None:
            if answer is not None:
                self.state.typed = answer.typed
            if isinstance(answer, FileChosen):
                self.state.remember_columns(answer.paths, answer.mappings)
                self._importing.run(
                    answer.paths,
                    handle=answer.handle,
                    encoding=answer.encoding,
                    date_format=answer.date_format,
                    columns_of=answer.mappings,
                )
            elif answer is not None:
                self._fetching.run(answer.estimate, answer.budget)

        self.app.push_screen(
            AddTweets(self._preview, self.state.typed, self.state.mappings), chosen
        )

    def action_imports(self) -> None:
        """Every import so far, and what each left out."""
        from tui.data.imports import ImportLogJob, ImportsScreen

        if self._import_log is None:
            self._import_log = ImportLogJob(self.mynah)
        self.app.push_screen(ImportsScreen(self._import_log))

    def _tweet(self) -> TweetRow | None:
        """The tweet under the cursor."""
        listing = self.query_one("#tweets", RowList)
        lines = listing.rows
        if isinstance(lines, TweetLines) and listing.cursor < len(lines):
            return lines.rows[listing.cursor]
        return None

    @acts_on("#tweets")
    def action_exclude(self) -> None:
        tweet = self._tweet()
        if tweet is None:
            self.app.notify("Move the cursor to a tweet.", title="There is nothing to leave out")
            return
        excluded = tweet.reason == EXCLUDED
        self._excluding.toggle((tweet.handle, tweet.tweet_id), excluded=excluded)

    def action_forget(self) -> None:
        """The account where the accounts have the focus, else the tweet; asks when counted."""
        accounts = self.query_one("#accounts", RowList)
        if self.focused is not accounts:
            self._forget_tweet()
        elif accounts.cursor < len(self._accounts):
            self._forgetting.count([self._accounts[accounts.cursor].handle], None)

    @acts_on("#tweets")
    def _forget_tweet(self) -> None:
        tweet = self._tweet()
        if tweet is not None:
            self._forgetting.count([], tweet.tweet_id)
        else:
            self.app.notify("Move the cursor to an account.", title="There is nothing to forget")

    def _ask_to_forget(self, would: Forgotten) -> None:
        """Unless the person has gone on to something else meanwhile."""
        from tui.dialogs.decide import Decide
        from tui.text.forgetting import subject, what_becomes_stale, what_goes

        if not self.can_ask:
            return

        def answered(key: str | None) -> None:
            if key == "y":
                self._forgetting.run(would.handles, would.tweet_id)

        lines = what_goes(would, would=True) + what_becomes_stale(would, would=True)
        question = f"Forget {subject(would)} for good?"
        self.app.push_screen(Decide(question, "\n".join(lines), {"y": "forgets"}), answered)

    @acts_on("#tweets")
    def action_copy(self) -> None:
        tweet = self._tweet()
        if tweet is not None:
            self.mynah.copy(tweet.published, "The tweet as published.")
