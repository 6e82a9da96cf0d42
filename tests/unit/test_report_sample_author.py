"""A report on a sample author and SmolLM2 tells model, base, author and parrot from each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_runs import at, surely_above

from core.home import Home
from core.models.catalogue import default_base
from core.report.report import make_report
from core.workflow.data import import_paths, sample_archives
from core.workflow.training import train
from tests.unit.toy_runs import follow

AUTHOR = "orbit_grandmother"


@pytest.mark.slow
def test_the_four_points_of_a_sample_author(tmp_path: Path) -> None:
    if default_base() != "smollm2":
        pytest.skip("the weights of SmolLM2 are not at hand")
    home = Home.at(tmp_path)
    import_paths(home, sample_archives())
    run = train(home, [AUTHOR], max_steps=24, eval_tokens=500, device="cpu")
    assert follow(run, limit=1800)[1] == "finished", run.log.read_text()
    found = make_report(home, run, n=30, device="cpu").to_json()
    # it has learned, and from the author: not only what the tweets are about
    assert surely_above(found["loss"], "base", "tuned")
    for name in ("sounds_like", "style"):
        for point in ("tuned", "held_out", "parrot"):
            assert surely_above(found[name], point, "base"), (name, point)
            assert surely_above(found[name], point, "impostors"), (name, point)
    # it does not copy, and whoever does is found out
    assert at(found["verbatim"], "parrot")["value"] > 0.9
    for point in ("tuned", "base", "held_out", "impostors"):
        assert surely_above(found["copied"], "parrot", point), point
        assert surely_above(found["novelty_3"], point, "parrot"), point
