"""The help screen, made from the action registry; only keys that are no actions stand here."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.actions import Action, key_of, of_section, shown_key
from tui.dialogs.keys import two_columns
from tui.widgets.panel import Dialog

MOVING = (
    ("↑ ↓ j k", "up and down"),
    ("g G home end", "first and last"),
    ("pgup pgdn", "a page"),
    ("tab shift+tab", "from panel to panel"),
    ("mouse", "everything can be clicked and scrolled"),
)

VIM_KEYS = (
    ("i a o  esc", "type, and back to commands; the border says which"),
    ("h j k l w e b", "move; also 0 ^ $ gg G f t ; , % { } / n, with counts"),
    ("d c y > <", "with a motion, or with iw a( i' and the like"),
    ("x s r ~ J p", "as in Vim, and so dd yy D C . and u"),
    ("^r", "redo (not run)"),
    ("v V", "select; a query is run of what is selected"),
    ('"+y  "+p', "to and from the clipboard"),
)

SIGNS_HELP = (
    "● kept   ○ dropped   ↻ retweet   ↳ reply   ❝ quote   ¶ long post   "
    "≡ copy   ≈ near copy   ✦ favourite   ▲ warning"
)

# What stands beside a generated text.
SAMPLE_SIGNS = (
    ("no copy", "no training tweet is repeated, in whole or in part"),
    ("≈ near copy", "many words in a row are those of a training tweet; these are underlined"),
    ("≡ copy", "all or nearly all of it is a training tweet"),
    ("7 words", "the longest part that is the same, in words"),
    ("…", "cut: it was stopped, or as long as allowed"),
    ("(loss 3.42)", "the run's loss on held-out tweets, lower is better"),
)


class HelpScreen(Dialog[None]):
    """Every key of the section in view, then those of the whole app."""

    BINDINGS = [("escape,q,question_mark,f1", "dismiss", "Close")]

    def __init__(
        self,
        section: str,
        keymap: Mapping[str, str],
        *,
        searching: bool = False,
        vim: bool = False,
    ) -> None:
        """``searching``: what a search takes comes first; ``vim``: Vim's keys are on."""
        super().__init__()
        self._vim = vim
        self._searching = searching
        self._section, self._keymap = section, keymap
        self._actions = of_section(section, keymap)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog") as page:
            page.border_title = f"Help: {self._section.capitalize()}"
            page.border_subtitle = "esc closes"
            if self._searching:
                yield from self._search_syntax("", "\n")
            yield Static(self._table([a for a in self._actions if a.section != "app"]))
            if self._section in ("data", "filter") and not self._searching:
                yield from self._search_syntax("\n", "")
            if self._section == "sample":
                yield Static(Text("\nBeside a sample", "bold"))
                yield Static(two_columns(SAMPLE_SIGNS))
            if self._vim and self._section == "query":
                run = key_of("query.run", self._keymap)
                yield Static(Text(f"\nVim's keys in the editor ({run} runs the query)", "bold"))
                yield Static(two_columns(VIM_KEYS))
            yield Static(Text("\nMoving about", "bold"))
            yield Static(two_columns(self._moving()))
            yield Static(Text("\nEverywhere", "bold"))
            yield Static(self._table([a for a in self._actions if a.section == "app"]))
            yield Static(Text("\nSigns", "bold"))
            yield Static(Text(SIGNS_HELP))

    def _moving(self) -> list[tuple[str, str]]:
        """Without the letters that mean something else in this section."""
        taken = {key for action in self._actions for key in action.keys.split(",")}
        return [
            (" ".join(key for key in keys.split() if key not in taken), what)
            for keys, what in MOVING
        ]

    def on_mount(self) -> None:
        self.query_one("#dialog").focus()

    def _search_syntax(self, before: str, behind: str) -> ComposeResult:
        from core.workbench.search import SYNTAX

        yield Static(Text(f"{before}What a search of tweets takes, side by side", "bold"))
        yield Static(two_columns(SYNTAX))
        if behind:
            yield Static(Text(f"{behind}Keys", "bold"))

    @staticmethod
    def _table(actions: list[Action]) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_column(min_width=9, no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(ratio=1)
        for action in actions:
            keys = " ".join(map(shown_key, action.keys.split(",")))
            help_text = Text(action.help)
            if action.twin:
                help_text.append(f"\n$ {action.twin}", "dim")
            table.add_row(Text(keys, "bold"), Text(action.label), help_text)
        return table
