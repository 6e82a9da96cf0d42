"""The one registry of actions: it feeds bindings, footer, help, palette and the command twins.

A screen takes its bindings from ``bindings(section)``; nothing else in the app names a key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from textual.binding import Binding, BindingType


@dataclass(frozen=True)
class Action:
    """Something a person can do.

    id        ``section.verb``; people remap keys by it
    keys      comma-separated, the first is the one shown
    name      the Textual action that runs it
    label     two words for the footer
    help      one sentence for the help screen and the palette
    twin      the command line that does the same, if there is one
    footer    whether it deserves one of the seven places
    priority  whether the key works above a dialog and in a field
    """

    id: str
    keys: str
    name: str
    label: str
    help: str
    twin: str = ""
    footer: bool = True
    priority: bool = False

    @property
    def section(self) -> str:
        return self.id.split(".", 1)[0]

    @property
    def key(self) -> str:
        """The key as a person reads it."""
        return shown_key(self.keys.split(",")[0])


_KEY_NAMES: Final = {
    "question_mark": "?",
    "slash": "/",
    "comma": ",",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "left": "←",
    "right": "→",
}


def shown_key(key: str) -> str:
    """A key, named as Textual does, as a person reads it: ``ctrl+p`` is ``^p``."""
    return _KEY_NAMES.get(key, key.replace("ctrl+", "^"))


SECTIONS: Final = ("data", "filter", "query", "train", "sample")

ACTIONS: Final = (
    # everywhere
    Action("app.data", "1", "section('data')", "Data", "Tweets and accounts.", footer=False),
    Action("app.filter", "2", "section('filter')", "Filter", "What is kept, why.", footer=False),
    Action("app.query", "3", "section('query')", "Query", "SQL on the corpus.", footer=False),
    Action("app.train", "4", "section('train')", "Train", "Fine-tune and watch.", footer=False),
    Action("app.sample", "5", "section('sample')", "Sample", "Tweets from a model.", footer=False),
    Action("app.next", "ctrl+tab", "turn(1)", "Next", "Next section.", footer=False),
    Action("app.last", "ctrl+shift+tab", "turn(-1)", "Previous", "Previous section.", footer=False),
    Action(
        "app.panel_next",
        "right_square_bracket",
        "panel(1)",
        "Panel",
        "Next panel.",
        footer=False,
    ),
    Action(
        "app.panel_last",
        "left_square_bracket",
        "panel(-1)",
        "Panel",
        "Previous panel.",
        footer=False,
    ),
    Action("app.settings", "comma", "settings", "Settings",
           "What you choose once: colours, keys, what Train begins with.", "mynah config",
           footer=False),
    Action("app.trash", "T", "trash", "Trash",
           "Deleted runs: bring them back, or remove them for good.",
           "mynah trash", footer=False),
    Action("app.errors", "f12", "errors", "Errors", "What went wrong so far.", footer=False),
    Action("app.help", "question_mark,f1", "help", "Help", "Every key of this section."),
    Action("app.commands", "ctrl+p", "command_palette", "Commands", "Find anything by name.",
           priority=True),
    Action("app.suspend", "ctrl+z", "suspend_process", "Suspend",
           "To the shell; fg comes back. In the SQL editor it undoes.", footer=False),
    Action("app.quit", "ctrl+q", "quit", "Quit", "Leave; a training goes on.", footer=False,
           priority=True),
    # 1 Data
    Action("data.add", "a", "add_tweets", "Add tweets", "Bring in an archive or a file of tweets.",
           "mynah import PATH"),
    Action("data.samples", "d", "samples", "Sample authors",
           "Bring in three invented authors to try things out."),
    Action("data.search", "slash", "search", "Search",
           "Only tweets with these words, or from:nasa is:reply."),
    Action("data.sort", "s", "sort", "Sort", "Newest, oldest, most liked or longest tweets first.",
           footer=False),
    Action("data.mark", "space", "mark", "Choose", "Choose this account, or no longer."),
    Action("data.which", "w", "which", "Kept only", "All tweets, kept ones, or dropped ones.",
           footer=False),
    Action("data.imports", "i", "imports", "Imports", "What each import brought in and left out.",
           footer=False),
    Action("data.exclude", "o", "exclude", "Leave out",
           "Leave this tweet out of training, or take it back.",
           "mynah exclude ID", footer=False),
    Action("data.forget", "x,delete", "forget", "Forget",
           "Forget this account or tweet for good; asks first.",
           "mynah forget HANDLE", footer=False),
    Action("data.copy", "y", "copy", "Copy", "Copy the tweet under the cursor.", footer=False),
    Action("data.export", "e", "app.export", "Export", "Write the chosen tweets as files.",
           "mynah export HANDLE --format F -o PATH"),
    # 2 Filter
    Action("filter.recipe", "r", "next_recipe", "Recipe", "The next recipe.",
           "mynah stats HANDLE --recipe NAME"),
    Action("filter.save", "s", "save", "Save", "Save the changed recipe under a name."),
    Action("filter.undo", "u", "undo", "Reset", "Back to the recipe as it was saved."),
    Action("filter.compare", "c", "compare", "Compare", "Set two recipes side by side.",
           "mynah compare RECIPE RECIPE HANDLE"),
    Action("filter.plots", "p", "app.plots", "Plots", "Months, lengths, hours, words.",
           "mynah profile HANDLE"),
    Action("filter.which", "w", "which", "Dropped/edited", "Dropped, edited or all tweets.",
           footer=False),
    Action("filter.against", "v", "against", "Change",
           "The change since the last edit, or against the saved recipe.", footer=False),
    Action("filter.search", "slash", "search", "Search",
           "Only tweets with these words, or from:nasa is:reply.",
           footer=False),
    Action("filter.edit_outside", "ctrl+o", "edit_outside", "Editor",
           "Edit the recipe as TOML in your own editor ($EDITOR).", footer=False),
    Action("filter.export", "e", "app.export", "Export", "Write what is kept as files.",
           "mynah export HANDLE --format F -o PATH", footer=False),
    # 3 Query
    Action("query.run", "f5,ctrl+r", "run", "Run", "Run the query, or what is selected of it.",
           "mynah sql QUERY"),
    Action("query.save", "ctrl+s,s", "save", "Save", "Save the query under a name.", ""),
    Action("query.explain", "f8,E", "explain(False)", "Explain", "How the query would be run.",
           "mynah sql QUERY --explain"),
    Action("query.copy", "y", "copy('cell')", "Copy", "Copy the cell under the cursor."),
    Action("query.export", "e", "export", "Export", "Write all rows of the result to a file.",
           "mynah sql QUERY -o FILE"),
    Action("query.analyse", "f9,A", "explain(True)", "Analyse",
           "Run the query, and show how long each part took.", "mynah sql QUERY --analyse",
           footer=False),
    Action("query.new", "ctrl+n", "new", "New", "An empty query; ctrl+z brings this one back.",
           footer=False),
    Action("query.edit_outside", "ctrl+o", "edit_outside", "Editor",
           "Edit the query in your own editor ($EDITOR).", footer=False),
    Action("query.history", "f3,h", "history", "History",
           "Queries run before; in the editor also ctrl+up, ctrl+down.",
           footer=False),
    Action("query.saved", "f4", "side('saved')", "Saved", "Go to the saved queries.", footer=False),
    Action("query.schema", "f2,t", "side('schema')", "Tables",
           "Go to the tables and their columns.", footer=False),
    Action("query.copy_row", "Y", "copy('row')", "Copy row", "Copy the row, with tabs.",
           footer=False),
    Action("query.copy_column", "C", "copy('column')", "Copy column",
           "Copy the column, one value a line.", footer=False),
    Action("query.write", "W", "write", "Allow writing",
           "Allow changes of the tables, or forbid them again.", "mynah sql QUERY --write",
           footer=False),
    Action("query.vim", "f10", "vim", "Vim keys",
           "Turn Vim's keys in the editor on or off.",
           "mynah config set query.vim on", footer=False),
    Action("query.stop", "escape", "stop", "Stop/leave", "Stop a query, or leave the editor.",
           footer=False),
    # 4 Train
    Action("train.start", "s", "start", "Start", "Fine-tune with the settings of the new run.",
           "mynah train HANDLE"),
    Action("train.weights", "b", "weights", "Weights",
           "How much of each chosen account an epoch holds.",
           "mynah train HANDLE HANDLE --weights A=1,B=2", footer=False),
    Action("train.stop", "x", "stop", "Stop",
           "Stop the run and keep its model; a waiting one leaves the queue.",
           "mynah stop RUN"),
    Action("train.resume", "r", "resume", "Resume", "Take up a run that ended early, where it was.",
           "mynah resume RUN", footer=False),
    Action("train.further", "f", "further", "Train further",
           "Start a new run with the weights of this one.",
           "mynah train --from RUN --minutes M", footer=False),
    Action("train.rename", "N", "rename", "Name", "Give the run a name.",
           "mynah runs rename RUN NAME", footer=False),
    Action("train.note", "n", "note", "Note", "Note something on the run.",
           "mynah runs note RUN TEXT", footer=False),
    Action("train.tag", "#", "tag", "Tags", "Set the tags of the run.",
           "mynah runs tag RUN TAG", footer=False),
    Action("train.delete", "d,delete", "delete", "Delete",
           "Move the run into the trash, which keeps it for a week.",
           "mynah runs delete RUN", footer=False),
    Action("train.overlay", "space", "overlay", "Overlay", "Lay the run over the others."),
    Action("train.copy", "y", "copy", "Copy", "Copy the run's id, for a command.", footer=False),
    Action("train.log_y", "L", "log_y", "Log scale", "Logarithmic loss axis.", footer=False),
    Action("train.smooth", "m", "smooth", "Smooth", "Smooth the train curve more or less.",
           footer=False),
    Action("train.overlay_all", "O", "overlay_all", "Overlay all",
           "Lay all runs in the list over each other, or none.", footer=False),
    Action("train.filter", "slash", "filter", "Filter",
           "Only runs that match: lr>=1e-3 handle:nasa loss<3.5 -tag:old.",
           "mynah runs --filter TEXT", footer=False),
    Action("train.axis", "a", "axis", "Axis", "Steps, tokens or time along the plots.",
           footer=False),
    Action("train.log_x", "A", "log_x", "Log axis", "A logarithmic axis along the plots.",
           footer=False),
    Action("train.measure", "p", "measure", "Measure",
           "Memorisation, speed, gradient, rate, processor, memory or GPU under the loss.",
           footer=False),
    Action("train.plots", "v", "plots", "Plots only", "More room for the plots.", footer=False),
    Action("train.cursor_back", "left", "cursor(-1)", "Cursor", "Read the curves further back.",
           footer=False),
    Action("train.cursor_on", "right", "cursor(1)", "Cursor", "Read the curves further on.",
           footer=False),
    Action("train.zoom_in", "+,=", "zoom(2.0)", "Closer", "Half of the axis, around the cursor.",
           footer=False),
    Action("train.zoom_out", "-", "zoom(0.5)", "Wider", "Twice as much of the axis.",
           footer=False),
    Action("train.zoom_reset", "0", "zoom_reset", "All of it", "The whole axis.", footer=False),
    Action("train.pan_back", "<", "pan(-0.5)", "Back", "Move back along the axis.", footer=False),
    Action("train.pan_on", ">", "pan(0.5)", "On", "Move on along the axis.", footer=False),
    Action("train.leave", "escape", "leave", "Leave",
           "Put away the cursor, then the zoom, then the filter.", footer=False),
    Action("train.sweeps", "S", "app.sweeps", "Sweeps",
           "The trials of a sweep: a parallel plot over a table.", "mynah sweep FILE",
           footer=False),
    Action("train.report", "R", "report", "Report",
           "How well the run imitates, and what it copies.", "mynah report RUN", footer=False),
    Action("train.log", "l", "log", "Log", "The run's own log."),
    Action("train.talk", "enter", "talk", "Sample", "Sample from the run under the cursor.",
           "mynah sample RUN"),
    # 5 Sample
    Action("sample.go", "g", "generate", "Generate", "Generate with this prompt.",
           "mynah sample RUN --prompt T"),
    Action("sample.edit_outside", "ctrl+o", "edit_outside", "Editor",
           "Edit the prompt in your own editor ($EDITOR).", footer=False),
    Action("sample.prompt", "p", "prompt", "Prompt",
           "Edit the prompt; up and down bring back those of before."),
    Action("sample.answer", "A", "answer", "Answer",
           "The prompt is a tweet to answer, or again how a text begins.",
           "mynah sample RUN --reply-to T", footer=False),
    Action("sample.again", "a", "again", "Again", "The same prompt with a new seed."),
    Action("sample.favourite", "v", "favourite", "Keep",
           "Keep it as a favourite and go on to the next, or take a favourite off."),
    Action("sample.hide", "x,delete", "hide", "Reject", "Take this one off the screen."),
    Action("sample.stop", "escape", "stop", "Stop", "Stop, and keep what is there.",
           footer=False),
    Action("sample.more", "m", "more", "More like it",
           "Generate more that begin with its first words.",
           footer=False),
    Action("sample.edit", "i", "edit", "Go on from it",
           "Put it into the prompt, to be changed and continued.",
           footer=False),
    Action("sample.copy", "y", "copy", "Copy", "Copy it, labelled as generated.", footer=False),
    Action("sample.note", "n", "note", "Note", "Keep this one with a note.", footer=False),
    Action("sample.repeat", "r", "repeat", "Repeat",
           "Generate it again from its seed, and say whether the text is the same.", footer=False),
    Action("sample.compare", "c", "compare", "Compare",
           "Choose another model, to stand beside this one.", footer=False),
    Action("sample.why", "h", "why", "Why", "The training tweets whose words are nearest to it.",
           footer=False),
    Action("sample.tokens", "t", "tokens", "Tokens",
           "How probable each of its tokens was for the model.", footer=False),
    Action("sample.picture", "P", "picture", "Picture",
           "Draw it as a picture, with AI-generated written on it.", "mynah share RUN",
           footer=False),
    Action("sample.blind", "b", "blind", "Blind test",
           "Which of two texts is real? Tell its texts from real tweets.", "mynah blind RUN",
           footer=False),
    Action("sample.favourites", "f", "favourites", "Favourites",
           "Every favourite so far; `mynah share` makes pictures of them.",
           "mynah share RUN", footer=False),
    Action("sample.export", "e", "export", "Export", "Write the favourites to a file.",
           footer=False),
)  # fmt: skip


_NAMED: Final = re.compile(r"\{([a-z]+\.[a-z_]+)\}")


def of_section(section: str, keymap: Mapping[str, str] | None = None) -> list[Action]:
    """The actions of one section, then those of the app; with the keys that ``keymap`` gives."""
    found = [action for action in ACTIONS if action.section == section]
    found += [action for action in ACTIONS if action.section == "app" != section]
    given = keymap or {}
    return [replace(one, keys=given[one.id]) if one.id in given else one for one in found]


def key_of(action_id: str, keymap: Mapping[str, str] | None = None) -> str:
    """The key of one action as a person reads it, for a sentence that names it."""
    found = next(action for action in ACTIONS if action.id == action_id)
    keys = (keymap or {}).get(action_id)
    return (replace(found, keys=keys) if keys else found).key


def with_keys(words: str, keymap: Mapping[str, str] | None = None) -> str:
    """``Press {data.add}.`` with the key of that action in its place."""
    known = {action.id for action in ACTIONS}
    return _NAMED.sub(lambda it: key_of(it[1], keymap) if it[1] in known else it[0], words)


def footer_actions(section: str, keymap: Mapping[str, str] | None = None) -> list[Action]:
    """At most seven: the section's own, then help and the palette."""
    shown = [action for action in of_section(section, keymap) if action.footer]
    own = [action for action in shown if action.section == section][:5]
    return own + [action for action in shown if action.section == "app"]


def bindings(section: str) -> list[BindingType]:
    """Textual bindings of one section's actions (``app`` for those of the whole app)."""
    return [
        Binding(
            action.keys,
            f"app.{action.name}" if section == "app" else action.name,
            action.label,
            id=action.id,
            tooltip=action.help,
            show=False,
            priority=action.priority,
        )
        for action in ACTIONS
        if action.section == section
    ]
