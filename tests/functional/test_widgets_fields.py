"""Form fields: by keys, by typing, by clicks; what they tell and what they leave to the screen."""

from __future__ import annotations

import time

import pytest
from textual.app import App, ComposeResult
from textual.events import Paste
from textual.geometry import Region
from textual.widget import Widget

from tui.widgets.choice_field import Choice, ChoiceField, ChoiceMenu, ChoiceOptions
from tui.widgets.field import ButtonField, Field, InfoField, SwitchField
from tui.widgets.field_form import FieldForm
from tui.widgets.typed_field import NumberField, TextField


class Form(App[None]):
    BINDINGS = [("1", "section", "One"), ("escape", "left", "Left")]

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, object]] = []
        self.sections = 0
        self.left = 0

    def compose(self) -> ComposeResult:
        yield FieldForm(
            InfoField("accounts", "accounts", value="@[red]keeper"),
            SwitchField("retweets", "drop retweets", value=True, help="Leave retweets out."),
            ChoiceField(
                "links",
                "links",
                [
                    "drop",
                    Choice("keep", "keep", "as they are"),
                    Choice("mark", "mark", "with a sign"),
                ],
            ),
            NumberField("words", "least words", value=3, minimum=0, maximum=12),
            SwitchField("off", "not now", disabled=True),
            NumberField("temp", "temperature", value=1, minimum=0, maximum=2, step=0.1, decimals=1),
            NumberField("minutes", "budget", value=None, minimum=1, none_text="none", unit="min"),
            NumberField("lr", "rate", value=2e-4, decimals=None, factor=2),
            ButtonField("start", "Start"),
        )

    def action_section(self) -> None:
        self.sections += 1

    def action_left(self) -> None:
        self.left += 1

    def on_field_changed(self, event: Field.Changed) -> None:
        self.told.append((event.key, event.value))

    def on_button_field_pressed(self, event: ButtonField.Pressed) -> None:
        self.told.append((event.key, "pressed"))

    @property
    def form(self) -> FieldForm:
        return self.query_one(FieldForm)

    def line(self, key: str) -> str:
        field: Widget = self.form.field(key)
        return field.render_line(0).text


@pytest.fixture
def app() -> Form:
    return Form()


async def test_walking_and_switching(app: Form) -> None:
    async with app.run_test(size=(40, 12)) as pilot:
        app.form.focus_first()
        await pilot.pause()
        await pilot.press("enter", "j", "right", "right", "down", "k", "left", "up", "space")
        assert app.told == [
            ("retweets", False),
            ("links", "keep"),
            ("links", "mark"),
            ("links", "keep"),
            ("retweets", True),
        ]
        assert app.line("retweets").startswith("▸ [x] drop retweets")
        await pilot.press("end", "enter")
        assert app.told[-1] == ("start", "pressed")
        await pilot.press("home", "up")
        assert app.focused is app.form.field("retweets")
        app.form.field("links").display = False
        await pilot.press("down")
        assert app.focused is app.form.field("words"), "what is not shown is no stop"


async def test_values_set_from_code_tell_nobody(app: Form) -> None:
    async with app.run_test(size=(40, 12)) as pilot:
        app.form.set_values({"words": 99, "links": "mark", "retweets": False, "unknown": 1})
        await pilot.pause()
        assert app.told == []
        assert app.form.values == {
            "retweets": False,
            "links": "mark",
            "words": 12,
            "off": False,
            "temp": 1.0,
            "minutes": None,
            "lr": 2e-4,
        }
        with pytest.raises(KeyError):
            app.form.field("nothing")


async def test_a_number_by_steps_and_by_typing(app: Form) -> None:
    async with app.run_test(size=(40, 12)) as pilot:
        app.form.field("words").focus()
        await pilot.press("right", "+", "-", "left", "left", "left", "left")
        assert [value for key, value in app.told if key == "words"] == [4, 5, 4, 3, 2, 1, 0]
        app.told.clear()
        await pilot.press("1")
        assert app.sections == 1, "until enter, a digit goes to the sections"
        await pilot.press("enter", "1", "1")
        assert app.sections == 1, "a digit typed into a number is no section key"
        assert "[ 11▏ ]" in app.line("words")
        assert app.told == [], "nothing counts before it is taken"
        await pilot.press("enter")
        assert app.told == [("words", 11)]
        await pilot.press("enter", "9", "9", "down")
        assert app.told[-1] == ("words", 12), "the nearest number inside the limits"
        await pilot.press("k", "enter", "ctrl+u", "minus", "1", "enter")
        assert app.told[-1] == ("words", 0)
        await pilot.press("enter", "ctrl+u", "1", ".", "5", "enter")
        assert app.told[-1] == ("words", 2), "and not 15"
        rounded = next(one for one in app._notifications if "1.5 became 2" in one.message)
        assert "whole numbers" in rounded.title
        minutes = app.form.field("minutes")
        minutes.focus()
        for pasted in ("12", "many"):  # what is no number is not taken, and takes nothing away
            minutes.post_message(Paste(pasted))
            await pilot.pause()
            await pilot.press("enter" if pasted == "12" else "down")
        assert minutes.value == 12
        assert any("-1 became 0" in one.message for one in app._notifications)


async def test_escape_takes_typing_back_and_is_free_otherwise(app: Form) -> None:
    async with app.run_test(size=(40, 12)) as pilot:
        app.form.field("words").focus()
        await pilot.press("enter", "7", "escape")
        assert app.told == []
        assert app.left == 0
        assert "[ 3 ]" in app.line("words")
        await pilot.press("escape")
        assert app.left == 1


async def test_fractions_factors_and_nothing(app: Form) -> None:
    async with app.run_test(size=(40, 12)) as pilot:
        app.form.field("temp").focus()
        await pilot.press("right", "right", "enter", "0", ".", "7", "enter")
        assert [value for _, value in app.told] == [1.1, 1.2, 0.7]
        app.form.field("lr").focus()
        await pilot.press("right", "left", "left", "enter", "1", "e", "-", "3", "enter")
        assert [value for key, value in app.told if key == "lr"] == [4e-4, 2e-4, 1e-4, 1e-3]
        app.form.field("minutes").focus()
        assert "[ none ]" in app.line("minutes")
        await pilot.press("right", "enter", "5", "enter", "backspace", "enter")
        assert [value for key, value in app.told if key == "minutes"] == [1, 5, None]


async def test_the_list_of_a_choice(app: Form) -> None:
    async with app.run_test(size=(40, 12)) as pilot:
        app.form.field("links").focus()
        await pilot.press("enter")
        assert isinstance(app.screen, ChoiceMenu)
        await pilot.press("j", "j", "enter")
        assert app.told == [("links", "mark")]
        await pilot.press("enter", "escape")
        assert not isinstance(app.screen, ChoiceMenu)
        assert app.told == [("links", "mark")]
        assert app.focused is app.form.field("links")
        assert app.form.field("links").about == "mark: with a sign."


async def test_a_list_beside_what_is_tall_or_not_in_sight_covers_no_tabs(app: Form) -> None:
    choices = [Choice("keep", "keep", "as they are " * 9), Choice("drop", "drop")]
    async with app.run_test(size=(60, 12)) as pilot:
        for anchor, at in ((Region(), 4), (Region(0, 1, 20, 11), 2), (Region(0, 3, 20, 1), 4)):
            app.push_screen(ChoiceMenu(choices, None, anchor, title="Compare with"))
            await pilot.pause()
            menu = app.screen.query_one(ChoiceOptions)
            assert menu.region.y == at
            assert menu.region.height == 4
            assert menu.region.right <= 60
            await pilot.press("escape")


async def test_clicks(app: Form) -> None:
    async with app.run_test(size=(40, 12)) as pilot:
        links, words = app.form.field("links"), app.form.field("words")
        await pilot.click(links, offset=(39, 0))
        await pilot.click(app.form.field("retweets"), offset=(5, 0))
        await pilot.click(words, offset=(39, 0))
        await pilot.click(app.form.field("off"), offset=(5, 0))
        assert app.told == [("links", "keep"), ("retweets", False), ("words", 4)]


async def test_other_choices_keep_the_value_where_they_can(app: Form) -> None:
    async with app.run_test(size=(40, 12)) as pilot:
        links = app.form.field("links")
        assert isinstance(links, ChoiceField)
        links.value = "mark"
        links.set_choices([("drop", "leave out"), ("mark", "[mark] them")])
        assert links.value == "mark"
        assert app.line("links").endswith("‹ [mark] them ›")
        links.set_choices(["a", "b"])
        assert links.value == "a"
        links.set_choices([])
        assert links.value is None
        links.focus()
        await pilot.press("right", "enter")
        assert app.told == []


async def test_a_narrow_form_cuts_the_label_not_the_value(app: Form) -> None:
    async with app.run_test(size=(20, 12)):
        assert app.line("temp").endswith("[ 1.0 ]")
        assert "…" in app.line("temp")


class Texts(Form):
    def compose(self) -> ComposeResult:
        yield FieldForm(
            TextField("languages", "languages", empty_text="any"),
            TextField("words", "blocked words", value="a very long list, of words, that is cut"),
        )


async def test_a_text_is_typed_edited_and_taken_back() -> None:
    app = Texts()
    async with app.run_test(size=(40, 12)) as pilot:
        app.form.focus_first()
        await pilot.pause()
        assert "[ any ]" in app.line("languages")
        await pilot.press("1")
        assert app.sections == 1, "until enter, digits belong to the sections"
        await pilot.press("enter", *"e1", "left", "n", "delete", "end", ",", *"jk")
        assert app.told == []
        assert "en,jk▏" in app.line("languages")
        await pilot.press("enter")
        assert app.told == [("languages", "en,jk")]
        assert app.sections == 1
        await pilot.press("enter", "home", *"x ", "escape")
        assert app.form.field("languages").value == "en,jk"
        assert app.left == 0, "escape took back what was typed"
        await pilot.press("escape")
        assert app.left == 1
        await pilot.press("enter", "ctrl+u", "down")  # leaving the field takes it
        assert app.told[-1] == ("languages", "")
        assert app.line("words").endswith("… ]")
        await pilot.press("enter", "home", *"ab")
        assert "[ ab▏a very" in app.line("words")


async def test_a_megabyte_in_a_field_holds_nothing_up() -> None:
    app = Texts()
    async with app.run_test(size=(40, 12)) as pilot:
        app.form.field("languages").focus()
        await pilot.press("enter")
        begun = time.process_time()
        app.form.field("languages").post_message(Paste("tea and toast " * 70_000))
        await pilot.pause()
        assert app.line("languages").rstrip().endswith("toast▏ ]")
        await pilot.press("home")
        assert "[ ▏tea and" in app.line("languages")
        assert app.line("languages").rstrip().endswith("… ]")
        assert time.process_time() - begun < 3


async def test_a_refused_text_stays_until_it_is_mended() -> None:
    app = Texts()
    async with app.run_test(size=(40, 12)) as pilot:
        field = app.form.field("languages")
        assert isinstance(field, TextField)
        field.focus()
        await pilot.press("enter", *"??", "enter")
        field.refuse("")
        assert field.value == "??"
        assert "▲ [ ?? ]" in app.line("languages")
        app.form.set_values({"languages": ""})
        assert field.value == "??", "the value that holds has not changed"
        await pilot.press("enter", "enter")
        assert field.is_refused, "the same again is as wrong as before"
        app.form.set_values({"languages": "nl"})
        assert field.value == "nl"
        assert not field.is_refused


async def test_a_form_that_shrinks_keeps_the_focused_field_in_sight(app: Form) -> None:
    async with app.run_test(size=(40, 12)) as pilot:
        field = app.form.field("lr")
        field.focus()
        await pilot.pause()
        await pilot.resize_terminal(40, 4)
        await pilot.pause()
        assert field.region.bottom <= app.form.region.bottom


@pytest.mark.slow
async def test_no_letter_changes_a_field_that_is_not_typed_into(app: Form) -> None:
    """Letters are the commands of a section: l for its log must not turn a choice."""
    async with app.run_test(size=(40, 12)) as pilot:
        for field in app.form.fields:
            if not field.focusable:
                continue
            app.screen.set_focus(field)
            await pilot.press(*"abcdefghilmnopqrstuvwxyz", *"ABDEFGHIL")
            await pilot.pause()
            assert app.told == []


async def test_steps_typed_ahead_are_all_taken(app: Form) -> None:
    """On a slow machine several keys wait at once; each still means the field under it."""
    async with app.run_test(size=(40, 12)) as pilot:
        app.form.focus_first()
        await pilot.pause()
        app.form.action_walk(1)
        app.form.action_walk(1)
        assert app.focused is app.form.field("words")
        app.form.action_edge(-1)
        assert app.focused is app.form.field("retweets")
