"""The page Settings: what `mynah config` lists, each changed where it stands."""

from __future__ import annotations

from typing import Any, ClassVar, Final, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.events import DescendantFocus

from core.config import KEYMAP, ON_OFF, ListedSetting, config_file, known_config, listed_settings
from core.errors import InputRefused
from core.home import Home
from core.safe_text import printable
from tui.actions import ACTIONS, Action
from tui.dialogs.ask import Ask
from tui.dialogs.keys import KeyPage
from tui.section.screen import Mynah
from tui.settings.checking import set_checked
from tui.themes import theme_names
from tui.widgets.choice_field import Choice, ChoiceField, ChoiceMenu
from tui.widgets.field import ButtonField, Field, SwitchField
from tui.widgets.field_form import FieldForm
from tui.widgets.typed_field import NumberField, TextField
from tui.widgets.words import Words

NOTHING: Final = "nothing chosen"
# The theme where none is set.
LAST_PICKED: Final = "the last one picked"
_ACTIONS: Final = {f"{KEYMAP}.{action.id}": action for action in ACTIONS}


class SettingsScreen(KeyPage[None]):
    """Each change is written at once, and holds at once."""

    NAME = "Settings"
    FOOT = ("change", "reset")
    BINDINGS: ClassVar[list[BindingType]] = [
        ("enter", "change", "Change"),
        ("u", "reset", "As shipped"),
        ("escape,q,comma", "dismiss", "Close"),
    ]

    def __init__(self, home: Home) -> None:
        super().__init__()
        self._home = home
        self._themes = theme_names(home.themes)
        self._problem = ""  # why the file is not used
        self._rows = self._read()

    def _read(self) -> dict[str, ListedSetting]:
        chosen, self._problem = known_config(self._home)
        return {row.setting.name: row for row in listed_settings(chosen)}

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="settings") as dialog:
            dialog.border_title = "Settings"
            dialog.border_subtitle = "esc closes"
            with FieldForm(id="settings-form"):
                for row in self._rows.values():
                    yield self._field(row)
                yield ButtonField("", "other keys", help="Other keys for something the app does.")
            yield Words("", id="setting-about", markup=False)
            yield Words("", id="setting-note", markup=False)
            yield self.foot()

    def _field(self, row: ListedSetting) -> Field[Any]:
        one, label = row.setting, _label(row)
        if one.name == "app.theme":
            names = [Choice("", LAST_PICKED), *map(_choice, self._themes)]
            return ChoiceField(one.name, label, names, value=row.value)
        if one.choices == ON_OFF:
            return SwitchField(one.name, label, value=row.value == "on")
        if one.choices:
            nothing = [] if one.default else [Choice("", NOTHING)]
            choices = [*nothing, *map(_choice, one.choices)]
            return ChoiceField(one.name, label, choices, value=row.value)
        if one.kind == "number":
            return NumberField(
                one.name, label, value=float(row.value), minimum=one.least, maximum=one.most,
                decimals=None,
            )  # fmt: skip
        return TextField(one.name, label, value=str(row.value), empty_text=NOTHING)

    def on_mount(self) -> None:
        self._say(self._problem)
        self.query_one(FieldForm).focus_first()

    @property
    def _mynah(self) -> Mynah:
        return cast("Mynah", self.app)

    # ── drawing ──────────────────────────────────────────────────────────────────────────

    @on(DescendantFocus)
    def _focus_moved(self) -> None:
        field = self._focused()
        if field is None:
            return
        row = self._rows.get(field.key)
        self.query_one("#setting-about", Words).update(_about(row) if row else field.help)

    def _focused(self) -> Field[Any] | None:
        return self.focused if isinstance(self.focused, Field) else None

    def _say(self, problem: str) -> None:
        """A problem, or where the settings stand."""
        where = f"Settings that you change are kept in {config_file(self._home)}."
        words = Text(f"▲ {printable(problem)}", "bold") if problem else Text(where, "dim")
        self.query_one("#setting-note", Words).update(words)

    def _show(self, name: str) -> None:
        """What the file says of a setting now."""
        self._rows, form = self._read(), self.query_one(FieldForm)
        row = self._rows.get(name)
        fields = {field.key: field for field in form.fields}
        if row is None:  # keys that were taken back
            form.action_walk(1)
            fields[name].remove()
        elif name not in fields:
            made = self._field(row)
            form.mount(made, before=fields[""])
            self.call_after_refresh(self.set_focus, made)
        else:
            field = fields[name]
            field.label = _label(row)
            field.value = row.value == "on" if isinstance(field, SwitchField) else row.value
            self._focus_moved()

    # ── what a person does ───────────────────────────────────────────────────────────────

    @on(Field.Changed)
    def _changed(self, event: Field.Changed) -> None:
        event.stop()
        value = event.value
        if isinstance(event.field, SwitchField):
            value = "on" if value else "off"
        text = f"{value:.10g}" if isinstance(value, float) else str(value)
        self._set(event.key, text or None)

    def _set(self, name: str, text: str | None) -> None:
        """Takes a setting out where ``text`` is None; what will not do is said below."""
        row = self._rows.get(name)
        if text is None and (row is None or not row.chosen):
            self._say(self._problem)
            return
        try:
            set_checked(self._home, name, text)
        except InputRefused as error:
            self._refuse(name, error)
            return
        self._show(name)
        self._say(self._problem)
        self._mynah.setting_changed(name)

    def _refuse(self, name: str, error: InputRefused) -> None:
        """A text stays as it was typed, to be mended; all else goes back to what holds."""
        row = self._rows.get(name)
        for field in self.query_one(FieldForm).fields:
            if row is None or field.key != name:
                continue
            if isinstance(field, TextField):
                field.refuse(str(row.value))
            else:
                field.value = row.value == "on" if isinstance(field, SwitchField) else row.value
        self._say(str(error))

    async def action_change(self) -> None:
        """As enter does on the field that has the focus."""
        field = self._focused()
        for binding in field.bindings_of("enter") if field is not None else []:
            await self.app.run_action(binding.action, field)

    def action_reset(self) -> None:
        field = self._focused()
        if field is not None and field.key in self._rows:
            self._set(field.key, None)

    @on(ButtonField.Pressed)
    def _other_keys(self, event: ButtonField.Pressed) -> None:
        """Asks for an action, then for its keys."""
        keymap, actions = self._mynah.state.keymap, list(_ACTIONS.items())

        def keys_of(action: Action) -> str:
            return keymap.get(action.id, action.keys)

        def chosen(index: int | None) -> None:
            if index is None:
                return
            name, action = actions[index]
            self.app.push_screen(
                Ask(f"Keys of {action.id}, as in f6 or a,insert", keys_of(action)),
                lambda keys: None if keys is None else self._set(name, keys),
            )

        choices = [
            Choice(name, action.id, f"{keys_of(action)}: {action.label}")
            for name, action in actions
        ]
        self.app.push_screen(ChoiceMenu(choices, None, event.field.region, title="Keys of"), chosen)


def _choice(name: str) -> Choice:
    return Choice(name, name)


def _shipped(row: ListedSetting) -> str:
    """What holds without a choice, in words."""
    one = row.setting
    if one.name in _ACTIONS:
        return _ACTIONS[one.name].keys
    if one.kind == "number":
        return f"{one.default:g}"
    return str(one.default) or (LAST_PICKED if one.name == "app.theme" else "nothing")


def _label(row: ListedSetting) -> str:
    name = row.setting.name
    return f"{name} (shipped: {_shipped(row)})" if row.chosen else name


def _about(row: ListedSetting) -> str:
    one = row.setting
    about = _ACTIONS[one.name].help if one.name in _ACTIONS else one.about
    if one.kind == "number":
        about += f" From {one.least:g} to {one.most:g}."
    return f"{about} As shipped: {_shipped(row)}."
