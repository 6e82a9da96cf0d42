"""2 Filter: every change recounts, and says what it did."""

from __future__ import annotations

import sys
from contextlib import nullcontext

import pytest
from textual.containers import VerticalScroll

from core.curation.recipe import BUNDLED_RECIPES
from core.home import Home
from tests.functional.walk import Heard, screen, settled, status, until
from tui.app import MynahApp
from tui.dialogs.decide import Decide
from tui.text.numbers import signed
from tui.text.tweets import CompareLines, ReasonLines
from tui.widgets.diff_text import DiffText
from tui.widgets.field import SwitchField
from tui.widgets.field_form import FieldForm
from tui.widgets.row_list import RowList
from tui.widgets.typed_field import TextField


def text_field(app: MynahApp, key: str) -> TextField:
    field = app.screen.query_one("#recipe-form", FieldForm).field(key)
    assert isinstance(field, TextField)
    return field


def kept(app: MynahApp) -> int:
    assert app.state.curation is not None
    return app.state.curation.total.kept


async def test_a_switch_recounts_shows_the_change_and_can_be_taken_back(sample_home: Home) -> None:
    from core.curation.recipe import load_recipe
    from core.workbench.bench import Workbench

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


@pytest.mark.slow
async def test_a_recipe_is_saved_under_a_new_name_and_never_over_a_bundled_one(
    sample_home: Home,
) -> None:
    from core.curation.recipe import load_recipe, recipe_names

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
        others = len(recipe_names(sample_home)) - 1
        await pilot.press(*["r"] * others)  # they are turned in a ring
        await settled(pilot)
        assert app.state.recipe.name == "calm"
        await pilot.press("r", "s", "ctrl+u", "ctrl+k", *"calm", "enter", "escape")
        await settled(pilot)
        assert (
            load_recipe("calm", sample_home).drop_quotes
            is not load_recipe(app.state.recipe.name).drop_quotes
        ), "another recipe of one's own is not replaced without a yes"
        await pilot.press(*["r"] * others)
        await settled(pilot)
        assert app.state.recipe.name == "calm"
    again = MynahApp(sample_home, section="filter")
    async with again.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert "Recipe: calm" in screen(pilot), "the recipe last used comes back"


async def test_changes_that_are_not_saved_go_only_after_a_yes(sample_home: Home) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("left_square_bracket")
        app.screen.query_one("#recipe-form", FieldForm).field("drop_quotes").focus()
        await pilot.press("space")
        await settled(pilot)
        changed = app.state.recipe
        await pilot.press("r")
        await until(pilot, lambda: "Leave standard with its changes?" in screen(pilot))
        await pilot.press("escape")
        await settled(pilot)
        assert app.state.recipe is changed
        await pilot.press("r", "y")
        await settled(pilot)
        assert app.state.recipe is not None
        assert app.state.recipe.name != "standard"
        await pilot.press("r")
        await settled(pilot)
        assert not isinstance(app.screen, Decide), "there is nothing to lose"


async def test_several_changes_are_taken_back_only_after_a_yes(sample_home: Home) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        form = app.screen.query_one("#recipe-form", FieldForm)
        before = kept(app)
        for rule in ("drop_quotes", "drop_replies"):
            form.field(rule).focus()
            await pilot.press("space")
        await until(pilot, lambda: status(pilot, "#recipe-panel") == "● changed")
        await pilot.press("u")
        await until(pilot, lambda: "Take back 2 changes?" in screen(pilot))
        assert "They are again as standard has them: drop replies" in screen(pilot)
        await pilot.press("escape")
        assert status(pilot, "#recipe-panel") == "● changed"
        await pilot.press("u", "y")
        await until(pilot, lambda: status(pilot, "#recipe-panel") == "")
        await until(pilot, lambda: kept(app) == before)


async def test_a_recipe_that_cannot_be_read_is_told_and_passed_over(sample_home: Home) -> None:
    sample_home.recipes.mkdir()
    (sample_home.recipes / "a.toml").write_text("x = [")
    app, heard = MynahApp(sample_home, section="filter"), Heard()
    async with app.run_test(message_hook=heard) as pilot:
        await settled(pilot)
        names = [*BUNDLED_RECIPES[1:], BUNDLED_RECIPES[0]]
        for name in names:
            await pilot.press("r")
            await pilot.pause()
            assert app.state.recipe is not None
            assert app.state.recipe.name == name
        assert [toast for toast in heard.toasts if "a.toml is not valid TOML" in toast]


async def test_the_difference_shows_what_goes(sample_home: Home) -> None:
    from core.workbench.diff import diff_parts

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
    from core.curation.recipe import load_recipe
    from core.workbench.bench import Workbench

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


async def test_in_a_small_window_nothing_falls_off_without_a_sign(sample_home: Home) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.state.recipe is not None
        app.change_recipe(app.state.recipe.replace(drop_replies=True))
        await settled(pilot)
        assert "1,024-token blocks" in screen(pilot)
        table = app.screen.query_one("#stats-scroll")
        app.change_recipe(
            app.state.recipe.replace(drop_quotes=True, first_date="2018-01-01", most_per_author=500)
        )
        await settled(pilot)
        assert "1,024-token blocks" in screen(pilot) or table.show_vertical_scrollbar
        tweet = app.screen.query_one(DiffText)
        tweet.set_segments([("gull " * 40, "same"), ("https://t.co/zFH2PQgfX6", "removed"),
                            (" lamp" * 10, "added")])  # fmt: skip
        await pilot.pause()
        above = tweet.parent
        assert isinstance(above, VerticalScroll)
        assert above.max_scroll_y == 0, "before and after are seen at once"
        assert len(app.screen.query_one("#changed", RowList).rows) > 3


async def test_in_a_small_window_the_rules_say_what_they_drop(sample_home: Home) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.state.curation is not None
        downloaded, before = app.state.curation.total.downloaded, kept(app)
        await pilot.press("left_square_bracket")
        replies = app.screen.query_one("#recipe-form", FieldForm).field("drop_replies")
        replies.focus()
        await until(pilot, lambda: "Replies: 0 dropped." in screen(pilot))
        await pilot.press("space")
        await until(pilot, lambda: kept(app) != before)
        change = f"{kept(app):,} kept of {downloaded:,} ({signed(kept(app) - before)})"
        await until(pilot, lambda: f"{change} · ● changed" in screen(pilot))
        dropped = app.state.curation.total.dropped["reply"]
        assert f"Replies: {dropped:,} dropped." in screen(pilot)
        assert screen(pilot).count("kept of") == 1, "the table is turned away"


async def test_a_tweet_longer_than_its_pane_is_read_with_keys(sample_home: Home) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("tab")
        assert app.focused is app.screen.query_one("#changed"), "there is nowhere else to go"
        words = "".join(f"gull {number} on the sea wall. " for number in range(40))
        app.screen.query_one(DiffText).set_segments([(words, "same"), ("THE END", "added")])
        await pilot.pause()
        assert "THE END" not in screen(pilot)
        await pilot.press("tab", "end")
        await until(pilot, lambda: "THE END" in screen(pilot))
        await pilot.press("tab")
        assert app.focused is app.screen.query_one("#changed")
        await pilot.press("down")
        await until(pilot, lambda: "gull 0 on" not in screen(pilot))


async def test_a_text_rule_is_typed_counted_and_named_in_the_verdict(sample_home: Home) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        before = kept(app)
        field = text_field(app, "blocked_words")
        field.focus()
        # 2, q and s are letters here, and no keys of the section
        await pilot.press("enter", *"fog, s2q", "enter")
        await settled(pilot)
        assert app.section == "filter"
        assert app.state.recipe is not None
        assert app.state.recipe.blocked_words == ("fog", "s2q")
        assert field.value == "fog, s2q"
        assert app.state.curation is not None
        blocked = app.state.curation.total.dropped["blocked"]
        assert blocked > 0
        assert signed(kept(app) - before) in screen(pilot)
        assert "Blocked words" in screen(pilot)
        listing = app.screen.query_one("#changed", RowList)
        assert isinstance(listing.rows, ReasonLines)
        rows = listing.rows.rows
        at = next(at for at in range(len(rows)) if rows[at].reason == "blocked")
        listing.cursor = at
        await pilot.pause()
        trigger = rows[at].trigger
        assert trigger is not None
        assert trigger.lower() == "fog"
        assert status(pilot, "#diff-panel").endswith(f"“{trigger}”")
        await pilot.press("u")
        await settled(pilot)
        assert kept(app) == before
        assert field.value == ""


@pytest.mark.slow
@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_wrong_value_is_explained_and_stays_to_be_mended(
    sample_home: Home, size: tuple[int, int]
) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        if size[0] < 100:
            await pilot.press("left_square_bracket")
        before = app.state.curation
        field = text_field(app, "first_date")
        field.focus()
        await pilot.press("enter", *"2019-99-1", "enter")
        await settled(pilot)
        assert field.is_refused
        assert field.value == "2019-99-1"
        assert "▲ [ 2019-99-1 ]" in screen(pilot)
        assert "Did you mean" in screen(pilot), "under the form, in words"
        assert app.state.curation is before, "nothing was counted"
        # another rule can be changed meanwhile; what was typed stays
        app.screen.query_one("#recipe-form", FieldForm).field("drop_quotes").focus()
        await pilot.press("space")
        await settled(pilot)
        assert field.value == "2019-99-1"
        field.focus()
        await pilot.press("enter", "backspace", "backspace", "backspace", "backspace", *"06-01")
        await pilot.press("enter")
        await settled(pilot)
        assert not field.is_refused
        assert app.state.recipe is not None
        assert app.state.recipe.first_date == "2019-06-01"
        assert "Did you mean" not in screen(pilot)
        field.focus()
        await pilot.press("enter", "x", "enter")
        await settled(pilot)
        assert field.is_refused
        await pilot.press("escape")
        await settled(pilot)
        assert field.value == "2019-06-01", "escape takes back what was typed in vain"


@pytest.mark.slow
@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_two_recipes_side_by_side(sample_home: Home, size: tuple[int, int]) -> None:
    from core.curation.recipe import load_recipe
    from core.workbench.bench import Workbench
    from core.workbench.comparison import compare

    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("c")
        await settled(pilot)
        assert "Compare with" in screen(pilot)
        await pilot.press("enter")
        await settled(pilot)
        bench = Workbench(sample_home, app.state.chosen)
        expected = compare(bench, load_recipe("classic"), load_recipe("standard"))
        shown = screen(pilot)
        assert "classic and standard" in shown
        for number in (expected.a.total.kept, expected.b.total.kept):
            assert f"{number:,}" in shown
        assert signed(expected.b.total.kept - expected.a.total.kept) in shown
        assert status(pilot, "#changed-panel").startswith(f"{len(expected.rows):,} ")
        listing = app.screen.query_one("#changed", RowList)
        assert isinstance(listing.rows, CompareLines)
        only_a = next(at for at in range(len(expected.rows)) if not expected.rows[at].b.kept)
        listing.cursor = only_a
        await pilot.pause()
        assert "classic: kept" in status(pilot, "#diff-panel")
        await pilot.press("slash", *"the", "enter")
        await settled(pilot)
        assert 0 < len(listing.rows) < len(expected.rows)
        await pilot.press("escape")
        await settled(pilot)
        assert len(listing.rows) == len(expected.rows)
        await pilot.press("escape")
        await settled(pilot)
        assert app.state.comparison is None
        assert isinstance(listing.rows, ReasonLines)
        assert "What is kept" in screen(pilot)


async def test_a_comparison_follows_the_edits_of_the_recipe(sample_home: Home) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        form = app.screen.query_one("#recipe-form", FieldForm)
        form.field("drop_quotes").focus()
        await pilot.press("space")
        await settled(pilot)
        await pilot.press("c", "enter")  # the first choice is the recipe as it was saved
        await settled(pilot)
        assert app.state.comparison is not None
        assert app.state.comparison.a.recipe == app.state.saved_recipe
        assert "as saved and standard ●" in screen(pilot)
        change = signed(app.state.comparison.b.total.kept - app.state.comparison.a.total.kept)
        assert change.startswith("−")
        assert f"  {change} " in screen(pilot), (
            "what the edits did, as the column of changes says it"
        )
        differ = len(app.state.comparison.rows)
        assert 0 < app.state.comparison.only_a <= differ
        assert app.state.comparison.only_b == 0
        form.field("drop_replies").focus()
        await pilot.press("space")
        await settled(pilot)
        assert len(app.state.comparison.rows) > differ
        await pilot.press("u", "y")
        await settled(pilot)
        assert len(app.state.comparison.rows) == 0
        assert "both recipes say the same" in screen(pilot)
        await pilot.press("c")
        await settled(pilot)
        assert app.state.compared_with is None


async def test_a_search_in_the_list_finds_what_people_saw(sample_home: Home) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"tea", "enter")
        await settled(pilot)
        assert app.state.curation is not None
        expected = app.state.curation.rows.only("dropped").search("tea")
        listing = app.screen.query_one("#changed", RowList)
        assert len(listing.rows) == len(expected) > 0
        await pilot.press("slash", *"zzzz nobody says")
        await settled(pilot)
        assert len(listing.rows) == 0
        assert status(pilot, "#diff-panel") == ""
        assert "No dropped tweet matches." in screen(pilot)
        assert "changes no tweet" not in screen(pilot)


async def test_the_filter_warns_of_too_little_and_says_how_long_it_takes(
    sample_home: Home,
) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await until(pilot, lambda: "learns all of it" in screen(pilot))
        assert "▲" not in screen(pilot)
        assert app.state.recipe is not None
        app.change_recipe(app.state.recipe.replace(min_words=40))
        await settled(pilot)
        await until(pilot, lambda: "▲ " in screen(pilot))
        assert app.state.curation is not None
        warning = app.state.curation.stats[0].warnings[0]
        assert warning[:60] in screen(pilot)


async def test_letters_typed_into_a_number_run_nothing(sample_home: Home) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        form = app.screen.query_one("#recipe-form", FieldForm)
        replies = form.field("drop_replies")
        assert isinstance(replies, SwitchField)
        replies.focus()
        await pilot.press("space")
        await settled(pilot)
        form.field("min_words").focus()
        await pilot.press("enter", "u", "c", "p", "5", "full_stop", "enter")
        await settled(pilot)
        assert app.section == "filter"
        assert app.state.recipe is not None
        assert app.state.recipe.drop_replies  # u has not reset it
        assert app.state.recipe.min_words == 5
        assert app.screen.query("#recipe-form")  # neither a dialog nor the plots


async def test_a_name_that_cannot_be_is_asked_for_again_as_typed(sample_home: Home) -> None:
    from textual.widgets import Input

    from tui.dialogs.ask import Ask

    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("s")
        await pilot.pause()
        app.screen.query_one(Input).value = "my recipe!"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        assert app.screen.query_one(Input).value == "my recipe!"


async def test_a_recipe_is_edited_as_toml_and_a_mistake_can_be_mended(
    sample_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def editor(code: str) -> None:
        script = f"import pathlib, sys; p = pathlib.Path(sys.argv[1]); t = p.read_text(); {code}"
        monkeypatch.setenv("EDITOR", f"'{sys.executable}' -c '{script}'")

    monkeypatch.delenv("VISUAL", raising=False)
    app, heard = MynahApp(sample_home, section="filter"), Heard()
    monkeypatch.setattr(app, "suspend", nullcontext)  # no terminal to hand over
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        before = kept(app)
        editor('p.write_text(t.replace("min_words = 3", "min_words = 8 # more\\nmin_word = 1"))')
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert "min_word" in heard.toasts[-1], "says which rule is not known"
        assert kept(app) == before
        # what was typed is there again
        editor('p.write_text(t.replace("\\nmin_word = 1", ""))')
        await pilot.press("ctrl+o")
        await settled(pilot)
        assert app.state.recipe is not None
        assert app.state.recipe.min_words == 8
        assert kept(app) < before
        assert status(pilot, "#recipe-panel") == "● changed"


async def test_the_change_is_against_the_last_one_or_the_saved_recipe(sample_home: Home) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        saved = kept(app)
        app.screen.query_one("#recipe-form", FieldForm).field("drop_replies").focus()
        await pilot.press("space")
        await settled(pilot)
        first = kept(app)
        app.screen.query_one("#recipe-form", FieldForm).field("drop_retweets").focus()
        await pilot.press("space")
        await settled(pilot)
        second = kept(app)
        assert len({saved, first, second}) == 3

        def change() -> str:
            line = next(line for line in screen(pilot).splitlines() if "Tweets kept" in line)
            return line.rstrip("│ ").split()[-1]

        assert change() == signed(second - first)
        assert "vs last" in screen(pilot)
        assert status(pilot, "#stats-panel").endswith("v: change against the saved recipe")
        await pilot.press("v")
        await settled(pilot)
        assert change() == signed(second - saved)
        assert "vs saved" in screen(pilot)
        # other tweets: the saved recipe is counted again
        app.choose(app.state.chosen[:1])
        await settled(pilot)
        assert app.state.saved_total is not None
        alone = app.state.saved_total.kept
        assert change() == signed(kept(app) - alone)
        await pilot.press("v")
        await settled(pilot)
        assert "vs saved" not in screen(pilot)
