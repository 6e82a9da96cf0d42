"""The app: five sections as modes; open this for how it starts, how it ends, and its own keys."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.actions import SkipAction
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.theme import Theme

from core.config import KEYMAP, set_config
from core.errors import InputRefused
from core.home import Home
from tui.actions import SECTIONS, bindings
from tui.data.handlers import LOOK_EVERY
from tui.filter.counting import RowSearch
from tui.handlers import StateApp
from tui.keymap import own_keys
from tui.palette import ActionProvider, Palette
from tui.state import forget_session, read_session, write_session
from tui.text.nothing_there import why_no_tweets
from tui.themes import THEMES, own_themes
from tui.train.following import LOOK_SECONDS

if TYPE_CHECKING:
    from core.children.warm import Warm
    from core.runs.summary import RunSummary
    from tui.section.screen import Section


# After the first frame; by then the tweets are read.
PREPARE_SECONDS: Final = 1.5


class MynahApp(StateApp):
    """mynah in the terminal."""

    TITLE = "mynah"
    CSS_PATH = Path(__file__).with_name("mynah.tcss")  # not relative: a subclass may live elsewhere
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[Any] = {ActionProvider}
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("app"),
        # also above a dialog, which keeps all keys without priority to itself
        Binding("ctrl+c", "help_quit", show=False, system=True, priority=True),
    ]
    HORIZONTAL_BREAKPOINTS = [
        (0, "-narrow"),
        (100, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]

    def __init__(
        self,
        home: Home,
        *,
        section: str | None = None,
        poll_seconds: float = LOOK_SECONDS,
        prepares: bool = False,
    ) -> None:
        """``section``: None begins where the app was left. ``prepares``: it imports the other
        sections once it has nothing else to do.
        """
        super().__init__(home)
        self._first_section = section
        self._poll_seconds = poll_seconds
        self._warm: Warm | None = None
        self._warm_wanted = False
        self._prepares = prepares
        self._ending = False
        self._sections: list[Section] = []
        self.reading.recipe_name = self.state.recall()
        self._damaged_themes = self._begin_with_theme()

    # ── start and end ────────────────────────────────────────────────────────────────────

    def _begin_with_theme(self) -> list[str]:
        """Take the chosen theme before anything is drawn; a sentence on each file that is no theme.

        A theme that is set later has all styles read again, twice: 0.05 s of the first frame.
        """
        own, damaged = own_themes(self.state.home.themes)
        for theme in (*THEMES, *own):
            self.register_theme(theme)
        chosen = self.state.theme
        name = chosen if chosen in self.available_themes else THEMES[0].name
        self.set_reactive(MynahApp.theme, name)
        self.stylesheet.set_variables(self.get_css_variables())
        dark = self.current_theme.dark
        classes = {f"-theme-{name}": True, "-dark-mode": dark, "-light-mode": not dark}
        self.update_classes(classes, update=False)  # there is nothing to style yet
        self._refresh_truecolor_filter(self.ansi_theme)
        return damaged

    def on_mount(self) -> None:
        for sentence in self._damaged_themes:
            self.notify(sentence, title="A theme is not used", severity="warning", timeout=15)
        if problem := self.state.config_problem:
            self.notify(problem, title="config.toml is not used", severity="warning", timeout=15)
        self.state.keymap, refused = own_keys(self.state.keys_set())
        self.set_keymap(self.state.keymap)
        for sentence in refused:
            self.notify(sentence, title="A key is left as it was", severity="warning", timeout=15)
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        for name in SECTIONS:
            self.add_mode(name, partial(self._make_section, name))
        before = self._section_of_before()  # with a section given, the rest is there again too
        self.section = self._first_section or before
        self.switch_mode(self.section)
        # a bar in the tab that nobody moves would tell of a run that may have ended
        self.app_suspend_signal.subscribe(self, lambda _: self.terminal.clear())
        # everything that imports Polars or DuckDB waits until the first frame is out
        self.call_after_refresh(self._after_first_frame)

    def _section_of_before(self) -> str:
        if self.state.config.get("app.restore") == "off":
            forget_session(self.state.home)
            return "data"
        self.state.session = read_session(self.state.home)
        before = self.state.session.get("section", "data")
        return before if before in SECTIONS else "data"

    def _keep_session(self) -> None:
        if self.state.config.get("app.restore") == "off":
            return
        session = self.state.session | {"section": self.section} | self.state.recipe_to_keep()
        for section in self._sections:
            session |= section.to_remember()
        write_session(self.state.home, session)

    def _make_section(self, name: str) -> Screen[None]:
        made = self._new_section(name)
        # Textual would read all styles anew for a new screen, twice, though none has changed: 0.1 s
        made._css_update_count = self._css_update_count
        self._sections.append(made)
        return made

    def _new_section(self, name: str) -> Section:
        """A section with its jobs; its modules are imported when it is first shown."""
        if name == "data":
            from tui.data.screen import DataSection

            return DataSection(
                self.importing, self.fetching, self.excluding, self.forgetting,
                self.reading.tweets_job, RowSearch(self),
            )  # fmt: skip
        if name == "filter":
            from tui.filter.screen import FilterSection

            return FilterSection(self.counting, RowSearch(self))
        if name == "query":
            from tui.query.screen import QuerySection

            return QuerySection(self.querying)
        if name == "train":
            from tui.train.screen import TrainSection

            self._warm_wanted = True
            self._warm_up_at_rest()
            return TrainSection(self.training)
        from tui.sample.screen import SampleSection

        return SampleSection(self.sampling)

    def _warm_up_at_rest(self) -> None:
        """While the person reads what Train shows, so that a run then starts at once; but not while
        one goes on: importing PyTorch takes some seconds of a core that learns.
        """
        if self._warm_wanted and self.state.runs is not None and self.state.live_run is None:
            self._warm_wanted = False
            self.run_worker(self._warm_up, thread=True)

    def _warm_up(self) -> None:
        from core.workflow.training import warm_up

        self._warm = warm_up()
        if self._ending:
            self._stop_jobs()

    def _after_first_frame(self) -> None:
        if self._ending:  # left with the first frame: nothing is to begin any more
            return
        self.reading.accounts()
        self.training.look_for_bases()
        self.following.begin(self._poll_seconds)
        self.set_interval(self._poll_seconds * LOOK_EVERY, self.look_at_corpus)
        self.runs_changed.subscribe(self, lambda _: self._warm_up_at_rest())
        if self._prepares:
            self.set_timer(PREPARE_SECONDS, lambda: self.run_worker(_prepare, thread=True))

    def on_app_focus(self) -> None:
        self.following.watch(True)

    def on_app_blur(self) -> None:
        self.following.watch(False)

    def _theme_changed(self, theme: Theme) -> None:
        if theme is THEMES[0] and self.state.theme not in self.available_themes:
            return  # in place of the one that was chosen and cannot be used now
        if theme.name != self.state.theme:
            self.state.theme = theme.name
            if self.state.config.get("app.theme"):  # or that one would be back at the next start
                self._set_theme(theme.name)
            self.state.remember()

    def _set_theme(self, name: str) -> None:
        try:
            set_config(self.state.home, "app.theme", name)
        except InputRefused as error:
            self.show_error(error)

    def setting_changed(self, name: str) -> None:
        """What was set on the page of settings holds at once."""
        state = self.state
        state.take_setting(name)
        if name == "app.theme":
            self.theme = state.theme if state.theme in self.available_themes else self.theme
        elif name.startswith("train."):
            self.new_run_changed.publish(state.new_run)
            self.training.ask_advice()
        elif name.startswith(KEYMAP):
            state.keymap, _ = own_keys(state.keys_set())
            self.set_keymap(state.keymap)

    async def action_quit(self) -> None:
        """Leave at once: a training goes on by itself, an import rolls back, the sampler ends."""
        self.state.remember()
        self._keep_session()
        self.exit()

    def exit(self, *args: Any, **options: Any) -> None:
        """As Textual's. The process ends when every thread has, so all jobs are stopped."""
        self._stop_jobs()
        super().exit(*args, **options)

    def on_unmount(self) -> None:
        """However it ends."""
        self._stop_jobs()

    def _stop_jobs(self) -> None:
        self._ending = True
        self.terminal.clear()
        if self._warm is not None:
            self._warm.end()
        for job in self.jobs:
            job.stop()
        self.sampling.close()

    # ── getting about ────────────────────────────────────────────────────────────────────

    def action_section(self, section: str) -> None:
        self.go(section)

    def action_turn(self, step: int) -> None:
        here = SECTIONS.index(self.section)
        self.go(SECTIONS[(here + step) % len(SECTIONS)])

    def action_panel(self, step: int) -> None:
        from tui.section.screen import Section

        if isinstance(self.screen, Section):
            self.screen.turn_panel(step)

    def action_plots(self) -> None:
        from tui.profile.screen import PlotsScreen

        self.push_screen(PlotsScreen(self.profiling))

    def action_sweeps(self) -> None:
        from tui.sweeps.screen import SweepsScreen

        def chosen(run: str | None) -> None:
            if run is not None:
                self.look_at(run)

        self.push_screen(SweepsScreen(self.looking_at_sweeps, self.training), chosen)

    def show_report(self, run: RunSummary) -> None:
        from tui.report.screen import ReportScreen

        self.push_screen(
            ReportScreen(run, self.reading_reports, self.making_reports, self.dropping_leaks)
        )

    def action_export(self) -> None:
        """Write the chosen accounts' tweets, under the recipe as it stands, for other tools."""
        from tui.export.screen import ExportScreen

        state = self.state
        if not state.chosen or state.curation is None or state.recipe is None:
            why = why_no_tweets(state) or "The tweets are still being read."
            self.notify(why, title="There is nothing to export yet")
        elif not isinstance(self.screen, ExportScreen):
            self.push_screen(ExportScreen(self.exporting))

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_help(self) -> None:
        from tui.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            from tui.widgets.search_field import SearchField

            searching = isinstance(self.focused, SearchField) and self.section != "train"
            vim = self.state.config.get("query.vim") == "on"
            self.push_screen(
                HelpScreen(self.section, self.state.keymap, searching=searching, vim=vim)
            )

    def action_settings(self) -> None:
        from tui.settings.screen import SettingsScreen

        if not isinstance(self.screen, SettingsScreen):
            self.push_screen(SettingsScreen(self.state.home))

    def action_trash(self) -> None:
        from tui.train.trash import TrashPage

        if not isinstance(self.screen, TrashPage):
            self.push_screen(TrashPage(self.training.keeping))

    def action_errors(self) -> None:
        from tui.dialogs.text import TextScreen

        text = "\n\n".join(self.failures) or "Nothing has gone wrong."
        self.push_screen(TextScreen("What went wrong", text))

    def action_help_quit(self) -> None:
        """ctrl+c copies where there is something to copy; else it says how one leaves."""
        selected = getattr(self.focused, "selected_text", "")
        if selected or self.screen.get_selected_text() is not None:
            raise SkipAction
        keys = self.state.keymap.get("app.quit", "ctrl+q")
        self.notify(f"{keys} quits.", title="Do you want to leave?")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        yield SystemCommand("Theme", "Change the colours", self.search_themes)
        yield SystemCommand("Screenshot", "Save this screen as SVG", self._save_picture)

    def _save_picture(self) -> None:
        try:
            path = self.save_screenshot(path=str(Path.cwd()))
        except OSError as error:
            self.show_error(error)
        else:
            self.notify(path, title="Saved")


def _prepare() -> None:
    """So that no key waits for an import, or for the garbage collector to look at all of them."""
    for name in SECTIONS:
        import_module(f"tui.{name}.screen")
    for name in ("ask", "decide", "text"):
        import_module(f"tui.dialogs.{name}")
    import_module("tui.help")
    gc.freeze()


def run_app(home: Home, *, section: str | None = None) -> int:
    """Open the app, where it was left without a ``section``. Returns when the person leaves it,
    with 0, or 1 when it broke.
    """
    app = MynahApp(home, section=section, prepares=True)
    app.run()
    gc.unfreeze()  # else DuckDB counts what is never collected as leaks, on the terminal
    return app.return_code or 0
