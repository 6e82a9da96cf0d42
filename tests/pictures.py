"""Take the README's pictures: the real app, the sample authors, a real fine-tune.

    python -m tests.pictures [--minutes 2] [--base smollm2] [--out datasets/pictures]

One SVG per section. Train is taken while it learns, Sample with what came of it: both show what
happened here, so a new picture differs from the last one in its losses and sentences.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
from pathlib import Path

from textual.pilot import Pilot

from core.home import Home
from core.workflow.data import import_paths, sample_archives
from tests.functional.walk import settled, until
from tui.app import MynahApp
from tui.widgets.field_form import FieldForm

SIZE = (112, 32)
VOICE = "keeper_of_the_light"
# how much of the training is over when its picture is taken
TAKEN_AT = 0.7
QUERY = """\
-- what is left of each year
SELECT handle, year(created_at) AS year, count(*) AS tweets,
       count(*) FILTER (kept) AS kept
FROM tweets JOIN curated USING (handle, tweet_id)
WHERE recipe = 'standard'
GROUP BY ALL ORDER BY year DESC, kept DESC
"""


def take(pilot: Pilot[None], out: Path, name: str) -> None:
    """Write the screen as SVG; without the web fonts, so that looking at it loads nothing."""
    app = pilot.app
    app.clear_notifications()
    svg = app.export_screenshot(title="mynah")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"^[ \t]+$", "", svg, flags=re.MULTILINE)
    out.joinpath(f"{name}.svg").write_text(svg, encoding="utf-8")
    print(out / f"{name}.svg")


async def before_training(app: MynahApp, pilot: Pilot[None], out: Path) -> None:
    await settled(pilot)
    await pilot.press(*"jjjjjjj")
    await settled(pilot)
    take(pilot, out, "data")
    await pilot.press("2", "w", *"jj")
    await settled(pilot)
    take(pilot, out, "filter")
    from textual.widgets import TextArea

    await pilot.press("3")
    await settled(pilot)
    app.screen.query_one(TextArea).load_text(QUERY)
    await pilot.press("f5")
    await settled(pilot)
    take(pilot, out, "query")


async def training(app: MynahApp, pilot: Pilot[None], out: Path, base: str, minutes: float) -> None:
    app.choose([VOICE])
    await pilot.press("escape", "4")
    await settled(pilot)
    new_run = app.state.new_run
    new_run.base, new_run.minutes = base, minutes
    app.new_run_changed.publish(new_run)
    app.training.ask_advice()
    await settled(pilot)
    await pilot.press("s")
    limit = minutes * 60 + 300

    def learned() -> float:
        runs = app.state.runs
        return app.state.histories[runs[0].run].done if runs else 0.0

    await until(pilot, lambda: learned() > TAKEN_AT, limit)
    await pilot.pause(1.5)
    take(pilot, out, "train")
    await until(pilot, lambda: app.state.runs and app.state.runs[0].state == "finished", limit)


async def sampling(app: MynahApp, pilot: Pilot[None], out: Path) -> None:
    await pilot.press("5")
    await settled(pilot)
    form = app.screen.query_one("#voice-form", FieldForm)
    for key, value in {"count": 8, "max_tokens": 60, "seed": 7}.items():
        field = form.field(key)
        field.value = value  # type: ignore[attr-defined]
        field.changed()
    await pilot.press("g")
    await until(pilot, lambda: app.sampling.busy)
    await until(pilot, lambda: not app.sampling.busy, 300)
    await settled(pilot)
    take(pilot, out, "sample")


async def walk(home: Home, out: Path, base: str, minutes: float) -> None:
    app = MynahApp(home)
    async with app.run_test(size=SIZE) as pilot:
        await before_training(app, pilot, out)
        await training(app, pilot, out, base, minutes)
        await sampling(app, pilot, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--base", default="smollm2")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "datasets/pictures")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mynah-pictures-") as folder:
        home = Home.at(folder)
        import_paths(home, sample_archives())
        asyncio.run(walk(home, given.out, given.base, given.minutes))


if __name__ == "__main__":
    main()
