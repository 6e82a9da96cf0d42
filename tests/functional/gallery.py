"""Every widget with invented data, to look at: ``python -m tests.functional.gallery [theme]``."""

from __future__ import annotations

import math
import sys

from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical

from tui.sample.sample_list import Sample, SampleList
from tui.themes import ANSI_DARK
from tui.train.loss_plot import LossPlot
from tui.widgets.choice_field import Choice, ChoiceField
from tui.widgets.diff_text import DiffText
from tui.widgets.field import ButtonField, InfoField, SwitchField
from tui.widgets.field_form import FieldForm
from tui.widgets.job_status import JobStatus
from tui.widgets.key_footer import FooterKey, KeyFooter
from tui.widgets.mini_bars import MiniBars
from tui.widgets.panel import Panel
from tui.widgets.progress_line import ProgressLine
from tui.widgets.row_list import Column, ListRows, RowCells, RowList
from tui.widgets.typed_field import NumberField

TEXTS = (
    ("●", "success", "The fog came in like a committee: slowly, and with no agenda."),
    ("↻", "muted", "RT @harbour: All ferries run on the winter timetable from Monday."),
    ("○", "muted", "ok"),
    ("↳", "secondary", "@milly it was the other gull, the one with the grudge"),
    ("●", "success", "今日は灯台の掃除をした。猫が手伝った (手伝っていない)。 [bold]not markup[/]"),
    ("▲", "warning", "escape \x1b[31m and \u202eoverride\u202c are shown, not obeyed 👩‍🚀🇩🇪"),
)


class Tweets:
    """A million rows that are made up when they are asked for."""

    def __init__(self, count: int = 1_000_000) -> None:
        self.count = count
        self.asked: list[int] = []

    def __len__(self) -> int:
        return self.count

    def row(self, index: int) -> RowCells:
        self.asked.append(index)
        sign, style, text = TEXTS[index % len(TEXTS)]
        return [(f"{index + 2} h", "muted"), (sign, style), (text, "")]


def tweet_columns() -> list[Column]:
    return [
        Column("when", width=8, align="right"),
        Column("", width=1),
        Column("tweet", flex=1),
    ]


def losses(count: int) -> tuple[list[float], list[float]]:
    """A falling, noisy curve."""
    steps = [float(step) for step in range(1, count + 1)]
    ys = [
        3.4 + 2.1 * math.exp(-step / (count / 5)) + 0.18 * math.sin(step * 12.9898) ** 3
        for step in steps
    ]
    return steps, ys


def fill_plot(plot: LossPlot, count: int = 212) -> None:
    steps, ys = losses(count)
    plot.set_series("train", steps, ys, role="train")
    held = steps[24::25]
    plot.set_series("held out", held, [3.55 + 1.6 * math.exp(-s / 50) for s in held], role="valid")
    plot.x_end = 340


class Gallery(App[None]):
    """Data at the left, a run and its samples at the right."""

    CSS = """
    Screen { layout: vertical; }
    #top { height: 1; }
    #top ProgressLine { width: 1fr; padding: 0 1; }
    #body { height: 1fr; }
    #side { width: 34; }
    #accounts { height: 7; }
    #form { height: 1fr; }
    #accounts RowList { height: 1fr; }
    #tweets-panel { height: 1fr; }
    #tweet { height: 3; }
    #loss { height: 2fr; }
    #said { height: 1fr; }
    """

    def __init__(self, theme: str = "textual-dark") -> None:
        super().__init__()
        self.first_theme = theme

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield ProgressLine()
            yield JobStatus()
        with Horizontal(id="body"):
            with Vertical(id="side"):
                yield Panel(
                    RowList(
                        [Column(flex=1), Column(width=6, align="right")],
                        ListRows(
                            [
                                [("@keeper_of_light", ""), ("3,245", "muted")],
                                [("@second_breakfast", ""), ("3,190", "muted")],
                                [("@orbit_gran", ""), ("3,380", "muted")],
                            ]
                        ),
                        markable=True,
                        id="account-list",
                    ),
                    MiniBars(
                        [20, 90, 410, 880, 700, 520, 300, 180, 40],
                        [str(year) for year in range(2016, 2025)],
                    ),
                    title="Accounts",
                    status="3",
                    id="accounts",
                )
                yield Panel(
                    FieldForm(
                        InfoField("accounts", "accounts", value="@keeper_of_light"),
                        ChoiceField(
                            "base",
                            "base",
                            [
                                Choice("smollm2-135m", "SmolLM2-135M", "135 M, Apache-2.0"),
                                Choice("scratch", "from scratch", "a tiny one of its own"),
                            ],
                            help="The model that learns.",
                        ),
                        ChoiceField("preset", "preset", ["fast", "quality", "classic"]),
                        NumberField(
                            "minutes", "budget", value=2, minimum=1, unit="min", none_text="none"
                        ),
                        NumberField("lr", "rate", value=2e-4, decimals=None, factor=2),
                        NumberField(
                            "temperature",
                            "temperature",
                            value=1.0,
                            minimum=0,
                            maximum=2,
                            step=0.1,
                            decimals=1,
                            slider=True,
                        ),
                        SwitchField("retweets", "drop retweets", value=True),
                        SwitchField("replies", "drop replies"),
                        SwitchField("gone", "not here", disabled=True),
                        ButtonField("start", "Start"),
                    ),
                    title="New run",
                    id="form",
                )
            with Vertical(id="main"):
                yield Panel(
                    RowList(tweet_columns(), Tweets(), id="tweet-list"),
                    title="Tweets",
                    status="1,000,000 · newest first",
                    id="tweets-panel",
                )
                yield Panel(
                    DiffText(
                        [
                            ("see ", "same"),
                            ("https://t.co/abc ", "removed"),
                            ("now &", "same"),
                            ("amp;", "removed"),
                            (" then [b]again[/b]", "same"),
                            (" (added)", "added"),
                        ]
                    ),
                    title="Tweet",
                    status="edited",
                    id="tweet",
                )
                yield Panel(
                    LossPlot(),
                    title="Loss",
                    status="@keeper_of_light · SmolLM2-135M · LoRA · running",
                    id="loss",
                )
                yield Panel(
                    SampleList(),
                    title="Generated",
                    status="2 of 4 · 38 tok/s · esc stops",
                    id="said",
                )
        yield KeyFooter(
            [
                FooterKey("a", "Add tweets", "add"),
                FooterKey("/", "Search", "search"),
                FooterKey("enter", "Open", "open"),
                FooterKey("x", "Forget …", "forget"),
                FooterKey("^p", "Commands", "app.command_palette"),
            ],
            FooterKey("?", "Help", "app.bell", "Every key of this section"),
        )

    def on_mount(self) -> None:
        self.register_theme(ANSI_DARK)
        self.theme = self.first_theme
        self.animation_level = "none"
        fill_plot(self.query_one(LossPlot))
        prompt = "My dream is"
        said = self.query_one(SampleList)
        said.set_samples(
            [
                Sample(
                    f"{prompt} a quiet Tuesday with a working kettle.",
                    prompt,
                    stopped="eos",
                    verdict="new",
                    note="new",
                ),
                Sample(
                    f"{prompt} to be haunted by someone with better manners.",
                    prompt,
                    stopped="eos",
                    verdict="new",
                    note="new",
                    favourite=True,
                ),
                Sample(
                    f"{prompt} the same every winter: the lamp, the stair, the fog that comes up "
                    "and asks for the manager, and the gull that answers in my place",
                    prompt,
                    stopped="length",
                    verdict="near",
                    note="near, 7 words, 2019",
                ),
                Sample(prompt, prompt, live=True),
            ]
        )
        line = self.query_one(ProgressLine)
        line.start("Reading tweets.js", total=9_815, unit="tweets")
        line.advance_to(4_120, rate=2_100)
        self.query_one(JobStatus).show("keeper", fraction=0.63, detail="2.1k tok/s")
        accounts = self.query_one("#account-list", RowList)
        accounts.set_rows(accounts.rows, marks=[0, 2])
        self.query_one("#tweet-list").focus()


if __name__ == "__main__":
    Gallery(*sys.argv[1:2]).run()
