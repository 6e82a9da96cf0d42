"""The line that tells a newcomer what to do next, with the keys that hold."""

from __future__ import annotations

from tui.actions import key_of
from tui.state import State


def next_step(state: State, section: str) -> str:
    """What to do next, for whoever has not sampled yet; empty after the first sample.

    At most 74 cells: a window of 80 columns has no more beside the arrow.
    """

    def key(action_id: str) -> str:
        return key_of(action_id, state.keymap)

    if section in ("filter", "train") and state.new_run.too_few and state.live_run is None:
        recipe = "this is" if section == "filter" else f"{key('app.filter')} has"
        return f"Too few tweets to learn from: {recipe} the recipe, {key('app.data')} adds tweets."
    data, train, sample = key("app.data"), key("app.train"), key("app.sample")
    if state.sampled or state.accounts is None or state.importing:
        return ""
    if not state.accounts:
        if section == "data":
            return ""  # the empty state itself says it
        add, samples = key("data.add"), key("data.samples")
        return (
            f"No tweets yet. Press {data}, then {add} for an archive, {samples} for the sample "
            "authors."
        )
    if not state.chosen and section != "sample" and state.live_run is None:
        where = "Under" if section == "data" else f"Press {data}; under"
        return f"No account is chosen. {where} Accounts, {key('data.mark')} chooses one."
    if state.live_run is not None:
        if section == "train":
            return (
                f"It is learning. Its first tweets appear below; when done, {sample} talks to it."
            )
        return f"It is learning. Press {train} to watch, {sample} to talk to it when it is done."
    if state.ready_run is not None:
        if section == "sample":
            return (
                f"Press {key('sample.go')} to generate samples, {key('sample.prompt')} to change "
                "the prompt."
            )
        return f"A model is ready. Press {sample} to talk to it."
    return {
        "data": f"Next: {key('app.filter')} shows what is kept and why, {train} trains. "
        f"{key('data.mark').capitalize()} chooses accounts.",
        "filter": f"Next: {train} trains a model on what is kept, for as long as you say.",
        "query": f"Next: {train} trains a model on what is kept.",
        "train": f"Next: {key('train.start')} starts a training of two minutes with these "
        "settings.",
        "sample": f"There is no model yet. Press {train}, then {key('train.start')}, to train one.",
    }[section]
