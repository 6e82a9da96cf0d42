"""Keys mean the same everywhere: the table of those that several sections share."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from textual.binding import Binding

from tui.actions import ACTIONS, key_of
from tui.query.allow_writing import AllowWriting
from tui.report.screen import ReportScreen
from tui.sample.kept import KeptPage
from tui.sample.why import WhyPage
from tui.sweeps.screen import SweepsScreen

# One meaning each, wherever the key does anything.
COMMON = {
    "y": ("copy", {"data.copy", "query.copy", "train.copy", "sample.copy"}),
    "e": ("export", {"data.export", "filter.export", "query.export", "sample.export"}),
    "w": ("which of them are shown", {"data.which", "filter.which"}),
    "x": ("end or take away", {"data.forget", "train.stop", "sample.hide"}),
    "delete": ("take away", {"data.forget", "train.delete", "sample.hide"}),
    "slash": ("look for", {"data.search", "filter.search", "train.filter"}),
    "n": ("note", {"train.note", "sample.note"}),
    "o": ("leave out of training", {"data.exclude"}),
    "c": ("compare", {"filter.compare", "sample.compare"}),
    "space": ("choose", {"data.mark", "train.overlay"}),
    "ctrl+o": ("one's own editor", {"filter.edit_outside", "query.edit_outside",
                                   "sample.edit_outside"}),
    "escape": ("stop or leave", {"query.stop", "train.leave", "sample.stop"}),
    "r": ("once more; in Filter the next recipe", {"filter.recipe", "train.resume",
                                                   "sample.repeat"}),
}  # fmt: skip
# Letters that each section uses as it needs them.
A_SECTIONS_OWN = {
    "a": {"data.add", "train.axis", "sample.again"},
    "b": {"train.weights", "sample.blind"},
    "d": {"data.samples", "train.delete"},
    "f": {"train.further", "sample.favourites"},
    "h": {"query.history", "sample.why"},
    "i": {"data.imports", "sample.edit"},
    "m": {"train.smooth", "sample.more"},
    "p": {"filter.plots", "train.measure", "sample.prompt"},
    "s": {"data.sort", "filter.save", "query.save", "train.start"},
    "t": {"query.schema", "sample.tokens"},
    "v": {"filter.against", "train.plots", "sample.favourite"},
    "A": {"query.analyse", "train.log_x", "sample.answer"},
}


def test_what_a_key_means_in_all_sections() -> None:
    bound: dict[str, set[str]] = defaultdict(set)
    for action in ACTIONS:
        for key in action.keys.split(","):
            bound[key].add(action.id)
    shared = {key: ids for key, ids in bound.items() if len(ids) > 1 or key in COMMON}
    assert shared == {key: ids for key, (_, ids) in COMMON.items()} | A_SECTIONS_OWN


def keys_of(page: Any) -> dict[str, str]:
    """The keys of a page and what they run."""
    found = {}
    for binding in page.BINDINGS:
        if isinstance(binding, Binding):
            keys, action = binding.key, binding.action
        else:
            keys, action = binding[:2]
        found |= dict.fromkeys(keys.split(","), action)
    return found


def test_pages_over_a_section_use_the_same_keys() -> None:
    kept = keys_of(KeptPage)
    wanted = {"y": "copy", "e": "export", "w": "which", "x": "take_off", "delete": "take_off",
              "slash": "search", "n": "note", "r": "repeat", "v": "keep", "i": "go_on"}  # fmt: skip
    assert {key: kept.get(key) for key in wanted} == wanted
    assert not {"o", "c", "space"} & set(kept)
    assert keys_of(ReportScreen)["x"] == keys_of(SweepsScreen)["x"] == "stop"
    assert keys_of(AllowWriting)["y"] == "dismiss(True)", "a question is answered with y or n"


def test_the_key_that_opens_a_page_closes_it() -> None:
    for page, action in (
        (WhyPage, "sample.why"),
        (KeptPage, "sample.favourites"),
        (ReportScreen, "train.report"),
        (SweepsScreen, "train.sweeps"),
    ):
        assert key_of(action) in keys_of(page), action


def test_a_sentence_names_the_key_that_the_person_has_set() -> None:
    assert key_of("query.write") == "W"
    assert key_of("query.write", {"query.write": "ctrl+w,f6"}) == "^w"
