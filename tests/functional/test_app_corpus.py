"""1 Data: leaving a tweet out, forgetting, and a corpus that another program changes."""

from __future__ import annotations

from pathlib import Path

from core.corpus.excluded import excluded_tweets
from core.corpus.reading import tweet_counts
from core.corpus.store import Corpus
from core.dataset.frozen import load_frozen
from core.forgetting import forget
from core.home import Home
from core.query.run import run_query
from core.runs.folder import Run
from core.workflow.data import import_paths, sample_archives
from tests.functional.walk import Heard, assert_safe, screen, settled, until
from tui.app import MynahApp
from tui.text.tweets import TweetLines
from tui.widgets.row_list import RowList


def tweets(app: MynahApp) -> TweetLines:
    lines = app.screen.query_one("#tweets", RowList).rows
    assert isinstance(lines, TweetLines)
    return lines


def words(drawn: str) -> str:
    """Without frames and line ends."""
    return " ".join(drawn.translate(dict.fromkeys(map(ord, "│┃▊▎"), " ")).split())


def kept(app: MynahApp) -> int:
    assert app.state.curation is not None
    return app.state.curation.total.kept


async def test_o_leaves_a_tweet_out_of_training_and_takes_it_back(sample_home: Home) -> None:
    app, heard = MynahApp(sample_home), Heard()
    corpus = Corpus(sample_home.corpus)
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        before, listing = kept(app), app.screen.query_one("#tweets", RowList)
        while not tweets(app).rows[listing.cursor].kept:
            await pilot.press("j")
        tweet = tweets(app).rows[listing.cursor]
        await pilot.press("o")
        await settled(pilot)
        assert excluded_tweets(corpus) == [(tweet.handle, tweet.tweet_id)]
        assert kept(app) == before - 1
        assert tweets(app).rows[listing.cursor].tweet_id == tweet.tweet_id
        assert "dropped: you leave this tweet out of training" in screen(pilot)
        assert any(toast.startswith("Left out of training") for toast in heard.toasts)
        stored = f"SELECT DISTINCT reason FROM curated WHERE tweet_id = '{tweet.tweet_id}'"  # noqa: S608
        assert run_query(corpus, sample_home, stored).frame.rows() == [("excluded",)]
        await pilot.press("2")
        await settled(pilot)
        assert "Left out by you" in screen(pilot)
        await pilot.press("1", "o")
        await settled(pilot)
        assert excluded_tweets(corpus) == []
        assert kept(app) == before
        assert run_query(corpus, sample_home, stored).frame.rows() == [(None,)]
        assert "Another program" not in str(heard.toasts)
        assert app.failures == []


async def test_x_forgets_an_account_or_a_tweet_after_a_yes(told_home: Home) -> None:
    app, heard = MynahApp(told_home), Heard()
    corpus = Corpus(told_home.corpus)
    async with app.run_test(size=(80, 24), message_hook=heard) as pilot:
        await settled(pilot)
        before = tweet_counts(corpus)
        tweet = tweets(app).rows[0]
        await pilot.press("x")
        await settled(pilot)
        assert f"Forget the tweet {tweet.tweet_id} for good?" in screen(pilot)
        assert "deletes 1 tweet from the corpus" in words(screen(pilot))
        await pilot.press("escape")
        await settled(pilot)
        assert tweet_counts(corpus) == before
        await pilot.press("x")
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert tweet_counts(corpus)[tweet.handle] == before[tweet.handle] - 1
        assert tweets(app).rows[0].tweet_id != tweet.tweet_id

        handle = sorted(before)[0]
        await pilot.press("left_square_bracket")  # the accounts, in a narrow window
        await pilot.press("home", "x")
        await settled(pilot)
        assert f"Forget @{handle} for good?" in screen(pilot)
        assert_safe(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert sorted(tweet_counts(corpus)) == sorted(before)[1:]
        assert handle not in app.state.chosen
        assert any(toast.startswith(f"Forgot @{handle}: ") for toast in heard.toasts)
        assert "Another program" not in str(heard.toasts)
        assert app.failures == []


async def test_a_run_that_is_stale_is_trained_again_after_a_yes(
    trained_home: Home, no_process_stays: None
) -> None:
    app, heard = MynahApp(trained_home, poll_seconds=0.1), Heard()
    async with app.run_test(size=(80, 24), message_hook=heard) as pilot:
        await settled(pilot)
        (stale,) = trained_home.runs.iterdir()
        tweet = first_learned(stale)
        app.forgetting.run([], tweet)
        await until(pilot, lambda: "Train again without what was forgotten?" in screen(pilot))
        assert stale.name in screen(pilot)
        assert_safe(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert list(trained_home.runs.iterdir()) == [stale], "only after a yes"

        app.forgetting.run([], first_learned(stale, 1))
        await until(pilot, lambda: "Train again without what was forgotten?" in screen(pilot))
        await pilot.press("y")
        await until(pilot, lambda: len(app.state.runs or []) == 2)
        (again,) = [Run(run.folder) for run in app.state.runs or [] if run.run != stale.name]
        assert again.record().settings == Run(stale).record().settings
        learned = load_frozen(again.dataset)
        ids = {*learned.train["tweet_id"], *learned.valid["tweet_id"]}
        assert not ids & {tweet, first_learned(stale, 1)}
        assert len(ids) > 100
        assert app.failures == []


async def test_what_is_known_of_an_account_is_that_of_now(tmp_path: Path) -> None:
    """Also where the number of tweets is the one of before, and where nobody is left."""
    home, table = Home(tmp_path / "home"), tmp_path / "a.csv"
    table.write_text("author,text\nann,the gull is here\n")
    import_paths(home, [table])
    app = MynahApp(home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert "times unknown" in screen(pilot)
        table.write_text("author,text,date\nann,the gull is here,2020-05-06\n")
        app.importing.run([table])
        await until(pilot, lambda: "May 2020 – May 2020" in screen(pilot))
        assert "1 tweet from csv" in screen(pilot)
        app.forgetting.run(["ann"], None)
        await until(pilot, lambda: "Nobody yet." in screen(pilot))
        assert "May 2020" not in screen(pilot)
        assert "from csv" not in screen(pilot)
        assert app.failures == []


async def test_a_question_of_many_lines_keeps_its_keys_in_sight(told_home: Home) -> None:
    """Somebody with many runs is asked before what cannot be undone, too."""
    app = MynahApp(told_home)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.ask_to_train_again([f"20261123-1200{at}-ann-{at}" for at in range(10, 40)])
        await settled(pilot)
        assert "y trains · esc cancels" in screen(pilot)
        assert "20261123-120010-ann-10" in screen(pilot)
        assert "20261123-120039-ann-39" not in screen(pilot)
        await pilot.press("end")
        await until(pilot, lambda: "20261123-120039-ann-39" in screen(pilot))
        assert app.failures == []


async def test_no_question_comes_up_over_what_somebody_types(told_home: Home) -> None:
    """The next letter would be the answer: whoever types is told instead."""
    app, heard = MynahApp(told_home), Heard()
    async with app.run_test(size=(80, 24), message_hook=heard) as pilot:
        await settled(pilot)
        for times, key in enumerate(("a", "slash"), 1):
            await pilot.press(key, "m")
            await settled(pilot)
            app.ask_to_train_again(["the-run"])
            await settled(pilot)
            assert "Train again without" not in screen(pilot)
            told = [one for one in heard.toasts if "mynah train --again the-run" in one]
            assert len(told) == times
            await pilot.press("escape")
            await settled(pilot)
        app.ask_to_train_again(["the-run"])
        await until(pilot, lambda: "Train again without" in screen(pilot))
        assert app.failures == []


def first_learned(run: Path, at: int = 0) -> str:
    """The id of a tweet in a run's dataset."""
    return str(load_frozen(run / "dataset").train["tweet_id"][at])


async def test_who_forgets_the_chosen_account_has_chosen_no_other(told_home: Home) -> None:
    told_home.settings.write_text('{"chosen": ["orbit_grandmother"], "sampled": true}')
    app, heard = MynahApp(told_home), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        app.forgetting.run(["orbit_grandmother"], None)
        await until(pilot, lambda: not app.state.chosen)
        await until(pilot, lambda: "Train again without what was forgotten?" in screen(pilot))
        await pilot.press("escape")
        await settled(pilot)
        assert "No account is chosen. Under Accounts, space chooses one." in words(screen(pilot))
        assert app.state.bench is app.state.curation is None
        for section, says in (("2", "No account is chosen. Press 1"), ("4", "No account is")):
            await pilot.press(section)
            await settled(pilot)
            assert says in words(screen(pilot))
        await pilot.press("s")
        await until(pilot, lambda: any("nothing to learn from" in toast for toast in heard.toasts))
        await pilot.press("1", "e")
        await until(pilot, lambda: any("nothing to export" in toast for toast in heard.toasts))
        await pilot.press("ctrl+q")
    again = MynahApp(told_home)
    async with again.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert again.state.chosen == [], "nor has who opens the app again"
        again.screen.query_one("#accounts", RowList).focus()
        await pilot.press("home", "space")
        await until(pilot, lambda: again.state.curation)
        await settled(pilot)
        assert again.state.chosen == ["keeper_of_the_light"]
        assert len(tweets(again)) > 500
        assert again.failures == app.failures == []


async def test_nothing_of_forgotten_accounts_stays_in_train(sample_home: Home) -> None:
    app = MynahApp(sample_home, section="train")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.state.new_run.shares)
        app.forgetting.run([account.handle for account in app.state.accounts or []], None)
        await until(pilot, lambda: app.state.accounts == [])
        await settled(pilot)
        assert "learns from" not in screen(pilot)
        assert "tweets, recipe" not in words(screen(pilot))
        assert app.state.new_run.all_tweets == ""


async def test_what_another_program_does_is_noticed_and_said_once(sample_home: Home) -> None:
    app, heard = MynahApp(sample_home, poll_seconds=0.02), Heard()
    corpus = Corpus(sample_home.corpus)

    def said() -> list[str]:
        return [toast for toast in heard.toasts if toast.startswith("Another program")]

    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        first, *others = sorted(tweet_counts(corpus))
        forget(corpus, sample_home, handles=[first])
        await until(pilot, lambda: said())
        await settled(pilot)
        assert said() == [f"Another program changed the corpus: @{first} is gone."]
        assert [account.handle for account in app.state.accounts or []] == others
        assert app.state.curation is not None
        assert [one.handle for one in app.state.curation.stats] == others

        gone = tweets(app).rows[0]
        forget(corpus, sample_home, tweet_id=gone.tweet_id)
        await until(pilot, lambda: len(said()) == 2)
        assert said()[1].endswith(f"@{gone.handle} has 1 fewer.")
        import_paths(sample_home, [path for path in sample_archives() if "keeper" in path.name])
        await until(pilot, lambda: len(said()) == 3)
        assert "@keeper_of_the_light" in said()[2]
        await settled(pilot)
        for _ in range(4):
            app.look_at_corpus()
        await settled(pilot)
        assert len(said()) == 3
        assert app.failures == []
