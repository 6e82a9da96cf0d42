"""What the app knows: one object, changed only by handlers on the app, read by every section."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from core.config import KEYMAP, Value, known_config
from core.errors import CorpusBusy, MynahError
from core.files import write_text_whole
from core.home import Home
from core.json_lines import parse_json
from core.runs.settings import FROM_NOTHING, PRESETS

if TYPE_CHECKING:
    from pathlib import Path

    from core.corpus.reading import AccountRow
    from core.curation.counts import AccountStats
    from core.curation.recipe import Recipe
    from core.dataset.shares import Share
    from core.runs.history import RunHistory
    from core.runs.summary import RunSummary
    from core.workbench.bench import Curation, Workbench
    from core.workbench.comparison import Comparison


PRESETS_IN_WORDS = {
    "fast": "adapters on the base, good in minutes",
    "quality": "longer, a little better",
    "classic": "every weight, as huggingtweets did",
    "faithful": "classic to the letter: dropout, nothing held out; it tuned gpt2",
}
PRESET_HELP = " ".join(f"{name}: {words}." for name, words in PRESETS_IN_WORDS.items())

# Of the settings of a run, those that Train offers besides the preset.
OWN_SETTINGS = ("lr", "epochs", "lora_rank", "batch_tokens", "answers", "four_bit")

AS_HUGGINGTWEETS = ("classic", "faithful")
# Of an account in a blend; it is 1 unless somebody chose another.
LEAST_WEIGHT: Final = 0.01
MOST_WEIGHT: Final = 1000.0


@dataclass
class NewRun:
    """The training that the Train section would start, and what it is expected to cost.

    bases     filled once the models at hand are known
    own       settings that are not the preset's, by name (see OWN_SETTINGS)
    weights   those that are not 1, also of accounts that are not chosen now
    advice    lines on time and memory; ``shares`` what an epoch would show of each chosen account
    all_tweets  how long learning from every tweet would take
    too_few   why no run can be started with what is kept; empty where one can
    """

    base: str = ""
    preset: str = "fast"
    minutes: float = 2.0
    seed: int = 1
    track: str = "off"
    bases: list[str] = field(default_factory=list)
    presets: tuple[str, ...] = PRESETS
    advice: list[str] = field(default_factory=list)
    weights: dict[str, float] = field(default_factory=dict)
    own: dict[str, float] = field(default_factory=dict)
    shares: list[Share] = field(default_factory=list)
    all_tweets: str = ""
    too_few: str = ""

    def advised(
        self,
        advice: Sequence[str] = (),
        shares: Sequence[Share] = (),
        all_tweets: str = "",
        too_few: str = "",
    ) -> None:
        """What is expected now; without arguments nothing is."""
        self.advice, self.shares = list(advice), list(shares)
        self.all_tweets, self.too_few = all_tweets, too_few

    def overrides(self) -> dict[str, float]:
        """For `settings_for`: the settings of one's own; adapters keep their scale at any rank,
        huggingtweets' presets know no answers, and without adapters no base is held in 4 bits.
        """
        scale = {"lora_alpha": self.own["lora_rank"]} if "lora_rank" in self.own else {}
        own = self.own | scale
        if self.preset in AS_HUGGINGTWEETS:
            own.pop("answers", None)
        if self.preset in AS_HUGGINGTWEETS or self.base in FROM_NOTHING:
            own.pop("four_bit", None)
        return own

    def weights_of(self, handles: Sequence[str]) -> dict[str, float]:
        """The weights that count for these accounts; huggingtweets' presets know none."""
        if self.preset in AS_HUGGINGTWEETS or len(handles) < 2:
            return {}
        return {handle: self.weights[handle] for handle in handles if handle in self.weights}

    def weighed(self, handles: Sequence[str], weights: Mapping[str, float]) -> dict[str, float]:
        """All weights after other ones for these accounts; those of the others stay."""
        others = {one: weight for one, weight in self.weights.items() if one not in handles}
        return others | {one: weight for one, weight in weights.items() if weight != 1}

    def weights_in_short(self, handles: Sequence[str]) -> str:
        """``equal``, ``2:1``, or how many of many accounts have another weight than 1."""
        if self.preset in AS_HUGGINGTWEETS:
            return f"as {self.preset}"
        given = self.weights_of(handles)
        weights = [given.get(handle, 1.0) for handle in sorted(handles)]
        if len(set(weights)) < 2:
            return "equal"
        if len(weights) <= 4:
            return ":".join(f"{weight:.4g}" for weight in weights)
        return f"{len(given)} set"


@dataclass(frozen=True)
class SavedCounts:
    """What a recipe as it was saved keeps of the tweets in ``bench``."""

    recipe: Recipe
    bench: Workbench
    total: AccountStats


@dataclass(frozen=True)
class ReportWork:
    """A report in the making: its run, and what is done of the present phase, in [0, 1]."""

    run: str
    phase: str = "starting"
    done: float | None = None


@dataclass
class State:
    """``None`` or empty means "not known yet", which every section must be able to draw."""

    home: Home
    accounts: list[AccountRow] | None = None
    chosen: list[str] = field(default_factory=list)
    none_chosen: bool = False  # as it was left: none of the accounts that there are
    bench: Workbench | None = None
    saved_recipe: Recipe | None = None
    recipe: Recipe | None = None
    curation: Curation | None = None
    before: Curation | None = None
    saved: SavedCounts | None = None
    compared_with: Recipe | None = None
    comparison: Comparison | None = None
    runs: list[RunSummary] | None = None
    histories: dict[str, RunHistory] = field(default_factory=dict)
    sizes: dict[str, int] = field(
        default_factory=dict
    )  # bytes on the disk by run, as last measured
    report: ReportWork | None = None
    voice: str | None = None
    run_wanted: str | None = None  # that Train puts its cursor on when it comes into view
    importing: bool = False
    session: dict[str, str] = field(default_factory=dict)  # where the app was left (read_session)
    typed: dict[str, str] = field(default_factory=dict)  # in Add tweets, of what is under way
    # role → column of files that were brought in, for the next time they are
    mappings: dict[Path, dict[str, str]] = field(default_factory=dict)
    sampled: bool = False
    new_run: NewRun = field(default_factory=NewRun)
    corpus_busy: CorpusBusy | None = None  # another program holds the corpus; it is tried again
    theme: str = ""  # the one that was chosen; empty for mynah's own
    keymap: dict[str, str] = field(default_factory=dict)  # the person's own, by id of the action
    settings: dict[str, Any] = field(default_factory=dict)  # as read, to be kept when written
    config: dict[str, Value] = field(default_factory=dict)  # what a person has set, by name
    config_problem: str = ""  # why none of it holds

    def remember_columns(
        self, paths: Sequence[Path], mappings: Mapping[Path, dict[str, str]]
    ) -> None:
        """What was said of the columns of ``paths``; those without a word are as guessed."""
        self.mappings = {p: m for p, m in self.mappings.items() if p not in paths} | {**mappings}

    @property
    def live_run(self) -> RunSummary | None:
        """The newest run that is at work; else the newest that is about to be, or waits."""
        at_work = ("starting", "running", "stopping")
        going = [run for run in self.runs or [] if run.state in (*at_work, "queued")]
        return next((run for run in going if run.state in at_work), going[0] if going else None)

    def run_named(self, run: str) -> RunSummary | None:
        """The run with this id."""
        return next((one for one in self.runs or [] if one.run == run), None)

    @property
    def ready_run(self) -> RunSummary | None:
        """The newest run that has a model to talk to."""
        return next((run for run in self.runs or [] if run.has_model), None)

    @property
    def saved_total(self) -> AccountStats | None:
        """What the recipe as it was saved keeps; None when that is not counted yet."""
        saved = self.saved
        known = saved is not None and saved.bench is self.bench
        return saved.total if saved and known and saved.recipe == self.saved_recipe else None

    def remember(self) -> None:
        """Write the few things that outlive the app; losing them must never hurt."""
        kept = self.settings | {
            "chosen": self.chosen,
            # not read yet: the one of before
            "recipe": self.saved_recipe.name if self.saved_recipe else self.settings.get("recipe"),
            "sampled": self.sampled,
        }
        if self.theme:
            kept["theme"] = self.theme
        kept.pop("none_chosen", None)
        if not self.chosen and (self.accounts or (self.accounts is None and self.none_chosen)):
            kept["none_chosen"] = True
        if not self.home.root.exists() and not self.chosen and not self.theme:
            return  # somebody only looked in: leave no trace
        with suppress(OSError):
            write_text_whole(self.home.settings, json.dumps(kept, indent=2) + "\n")

    def recall(self) -> str:
        """Read them back, and what is set in config.toml, which goes first; the recipe's name.

        A damaged file counts as none.
        """
        recipe = self._recall()
        self.config, self.config_problem = known_config(self.home)
        for name in ("app.theme", "train.preset", "train.minutes"):
            self._hold(name)
        return recipe

    def take_setting(self, name: str) -> None:
        """Read config.toml again, of which ``name`` was changed or taken out."""
        self.config, self.config_problem = known_config(self.home)
        self._hold(name)

    def _hold(self, name: str) -> None:
        """What is set holds from now on; without it what ships, but of the theme the last one."""
        value, as_shipped = self.config.get(name), NewRun()
        if name == "app.theme":
            self.theme = str(value or self.theme)
        elif name == "train.preset":
            self.new_run.preset = str(value or as_shipped.preset)
        elif name == "train.minutes":
            self.new_run.minutes = float(value or as_shipped.minutes)

    def recipe_to_keep(self) -> dict[str, str]:
        """The changes of the recipe that are not saved, for the session; empty without any."""
        recipe = self.recipe
        if recipe is None:  # left before it was read: what was kept stays
            return {}
        if not recipe.changed:
            return {"recipe": "", "recipe_of": ""}
        from core.curation.recipe import recipe_toml

        return {"recipe": recipe_toml(recipe), "recipe_of": recipe.name}

    def recipe_kept(self, saved: Recipe) -> Recipe:
        """``saved`` with the changes that the session kept of it; itself where there are none."""
        from core.curation.recipe import recipe_from_toml

        kept = self.session.get("recipe", "")
        if not kept or self.session.get("recipe_of") != saved.name:
            return saved
        try:
            changed = recipe_from_toml(kept, saved.name, "The recipe of before")
        except MynahError:  # damaged, or of a version that knows other rules
            return saved
        return replace(changed, saved_hash=saved.saved_hash)

    def keys_set(self) -> dict[str, Any]:
        """The person's own keys, in the form of settings.json: those of config.toml go first."""
        before = self.settings.get(KEYMAP)
        own = {
            name.removeprefix(f"{KEYMAP}."): keys
            for name, keys in self.config.items()
            if name.startswith(f"{KEYMAP}.")
        }
        if not own:
            return self.settings
        return {KEYMAP: (before if isinstance(before, dict) else {}) | own}

    def _recall(self) -> str:
        try:
            kept = parse_json(self.home.settings.read_text(encoding="utf-8"))
            self.chosen = [str(handle) for handle in kept.get("chosen", [])]
            self.none_chosen = kept.get("none_chosen") is True
            self.sampled = bool(kept.get("sampled"))
            self.theme = str(kept.get("theme") or "")
            self.settings = dict(kept)
            return str(kept.get("recipe") or "standard")
        except (OSError, ValueError, AttributeError, TypeError):
            return "standard"


# ── where the app was left ───────────────────────────────────────────────────────────────────

# The section in view, the text of the query, the prompt; a recipe with changes that are not saved,
# as TOML, and the name of the one that was changed.
_SESSION: Final = ("section", "query", "prompt", "recipe", "recipe_of")
# Characters; a longer text is not kept.
_LONGEST_KEPT: Final = 100_000


def read_session(home: Home) -> dict[str, str]:
    """What was written; nothing where the file is damaged or not there."""
    try:
        kept = parse_json(home.session.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {name: kept[name] for name in _SESSION if isinstance(kept.get(name), str)}


def write_session(home: Home, session: Mapping[str, str]) -> None:
    """Keeps it for the next start; losing it must never hurt.

    In a home that does not exist yet nothing is kept: looking around leaves no trace.
    """
    if not home.root.is_dir():
        return
    kept = {name: text for name, text in session.items() if len(text) <= _LONGEST_KEPT}
    with suppress(OSError):
        write_text_whole(home.session, json.dumps(kept, indent=2) + "\n", private=True)


def forget_session(home: Home) -> None:
    with suppress(OSError):
        home.session.unlink(missing_ok=True)
