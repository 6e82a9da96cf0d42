"""2 Filter: every change recounts, and says what it did."""

from __future__ import annotations

from core.home import Home
from tests.functional.walk import Heard, screen, settled, status
from tui.app import MynahApp
from tui.tweet_lines import ReasonLines
from tui.widgets.diff_text import DiffText
from tui.widgets.fields import FieldForm, SwitchField
from tui.widgets.row_list import RowList
from tui.words import signed


def kept(app: MynahApp) -> int:
    assert app.state.curation is not None
    return app.state.curation.total.kept


async def test_a_switch_recounts_shows_the_change_and_can_be_taken_back(sample_home: Home) -> None:
    from core.curation import load_recipe
    from core.workbench import Workbench

    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        before = kept(app)
        replies = app.screen.query_one("#recipe-form", FieldForm).field("drop_replies")
        assert isinstance(replies, SwitchField)
        replies.focus()
        await pilot.press("space")
        await settled(pilot)
        now = kept(app)
        recipe = load_recipe("standard").replace(
            drop_replies=not load_recipe("standard").drop_replies
        )
        bench = Workbench(sample_home, app.state.chosen)
        assert now == bench.curate(recipe).total.kept != before
        assert signed(now - before) in screen(pilot)
        assert status(pilot, "#recipe-panel") == "● changed"
        assert app.screen.query_one("#recipe-help").size.height > 0
        await pilot.press("u")
        await settled(pilot)
        assert kept(app) == before
        assert replies.value is load_recipe("standard").drop_replies
        assert status(pilot, "#recipe-panel") == ""


async def test_data_and_filter_speak_of_the_same_recipe(sample_home: Home) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        app.screen.query_one("#recipe-form", FieldForm).field("min_words").focus()
        await pilot.press("9", "enter")
        await settled(pilot)
        now = kept(app)
        await pilot.press("escape", "1", "w")
        await settled(pilot)
        assert status(pilot, "#tweets-panel").startswith(f"{now:,} of ")


async def test_a_recipe_is_saved_under_a_new_name_and_never_over_a_bundled_one(
    sample_home: Home,
) -> None:
    from core.curation import load_recipe

    app, heard = MynahApp(sample_home, section="filter"), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        app.screen.query_one("#recipe-form", FieldForm).field("drop_quotes").focus()
        await pilot.press("space")
        await settled(pilot)
        await pilot.press("s", "enter")  # the name offered is the bundled one
        await settled(pilot)
        assert any("standard ships with mynah" in toast for toast in heard.toasts)
        assert any("my-standard" in toast for toast in heard.toasts), "and says a name that works"
        assert not sample_home.recipes.exists()
        await pilot.press("s", "ctrl+u", "ctrl+k", *"../evil", "enter")
        await settled(pilot)
        assert any("cannot be a recipe's name" in toast for toast in heard.toasts)
        assert not sample_home.recipes.exists()
        await pilot.press("s", "ctrl+u", "ctrl+k", *"calm", "enter")
        await settled(pilot)
        assert (
            load_recipe("calm", sample_home).drop_quotes is not load_recipe("standard").drop_quotes
        )
        assert status(pilot, "#recipe-panel") == ""
        assert "Recipe: calm" in screen(pilot)
        await pilot.press("s", "escape")
        await pilot.press("r")
        await settled(pilot)
        assert app.state.recipe is not None
        assert app.state.recipe.name == "standard"
        await pilot.press("r", "r")
        await settled(pilot)
        assert app.state.recipe.name == "calm"
    again = MynahApp(sample_home, section="filter")
    async with again.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert "Recipe: calm" in screen(pilot), "the recipe last used comes back"


async def test_the_difference_shows_what_goes(sample_home: Home) -> None:
    from core.curation import diff_parts

    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert app.state.curation is not None
        await pilot.press("w")
        await settled(pilot)
        listing = app.screen.query_one("#changed", RowList)
        assert isinstance(listing.rows, ReasonLines)
        assert len(listing.rows) == len(app.state.curation.rows.only("edited")) > 0
        tweet = listing.rows.rows[listing.cursor]
        gone = [
            text for text, kind in diff_parts(tweet.text, tweet.clean_text) if kind == "removed"
        ]
        assert gone, "an edited tweet has lost something"
        shown = app.screen.query_one("#diff", DiffText)
        assert shown.size.height > 0
        assert any(part.split()[0] in screen(pilot) for part in gone if part.strip())
        assert status(pilot, "#diff-panel") == "kept"
        await pilot.press("w", "w")
        await settled(pilot)
        assert status(pilot, "#diff-panel") not in ("", "kept")


async def test_a_rule_turned_many_times_ends_at_the_last_count(sample_home: Home) -> None:
    from core.curation import load_recipe
    from core.workbench import Workbench

    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        app.screen.query_one("#recipe-form", FieldForm).field("min_words").focus()
        for _ in range(6):
            await pilot.press("right")
        await settled(pilot)
        assert app.state.recipe is not None
        words = app.state.recipe.min_words
        assert words == load_recipe("standard").min_words + 6
        bench = Workbench(sample_home, app.state.chosen)
        assert kept(app) == bench.curate(app.state.recipe).total.kept


async def test_the_table_fits_after_a_resize(sample_home: Home) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(200, 50)) as pilot:
        await settled(pilot)
        wide = screen(pilot)
        assert "@orbit_grand" in wide
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        shown = screen(pilot)
        assert app.state.curation is not None
        assert "Tweets kept" in shown or "Tweets downloaded" in shown
        assert f"{app.state.curation.total.downloaded:,}" in shown
