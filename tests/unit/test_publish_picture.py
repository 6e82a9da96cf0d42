"""Pictures of samples: what stands on them, what they say to machines, any text."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from core.errors import InputRefused
from core.home import Home
from core.models.generation import MAX_TOKENS
from core.publish.facts import Account, RunFacts, facts_of
from core.publish.picture import LABEL, Shareable, draw, kind_of, shareable
from core.runs.folder import Run
from core.sampling.favourites import keep_favourite
from core.sampling.request import Copy, SampleRequest
from tests.unit.cli import mynah
from tests.unit.test_publish_card import BAD_NAMES, with_model
from tests.unit.toy_runs import create_toy

SVG = "{http://www.w3.org/2000/svg}"
TRAINED = "digitalsourcetype/trainedAlgorithmicMedia"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return with_model(create_toy(tmp_path))


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> RunFacts:
    return facts_of(with_model(create_toy(tmp_path_factory.mktemp("picture"))))


def words_of(svg: bytes) -> list[tuple[str, str]]:
    """Colour and text of each piece of the sample."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own
    return [(one.get("fill") or "", one.text or "") for one in root.iter(f"{SVG}tspan")]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_svg_tells_prompt_and_continuation_apart(facts: RunFacts, theme: str) -> None:
    sample = Shareable("My dre", "My dream is <b>bold</b> & 🌊")
    content = draw(facts, sample, "svg", theme).content  # type: ignore[arg-type]
    (typed, prompt), (own, rest) = words_of(content)
    assert (prompt, rest) == ("My dre", "am is <b>bold</b> & 🌊")
    assert typed != own
    text = content.decode()
    assert f">{LABEL}</text>" in text
    assert "AI bot of The Keeper" in text
    assert "written by a language model, not by" in text
    assert TRAINED in text
    by_two = draw(facts, replace(sample, edited=True), "svg", theme).content  # type: ignore[arg-type]
    assert "written by a language model and edited by a person, not by" in by_two.decode()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_png_says_in_its_metadata_what_it_is(facts: RunFacts, theme: str) -> None:
    made = draw(facts, Shareable("", "the lamp is lit 日"), "png", theme)  # type: ignore[arg-type]
    image = Image.open(io.BytesIO(made.content))
    image.load()
    assert image.format == "PNG"
    assert image.info["Title"] == "AI-generated: AI bot of The Keeper"
    assert "not by The Keeper" in image.info["Description"]
    assert facts.run.id in image.info["Description"]
    assert TRAINED in image.info["XML:com.adobe.xmp"]
    corner = image.getpixel((2, 2))
    assert isinstance(corner, tuple)
    assert (sum(corner[:3]) > 600) == (theme == "light")
    assert len(set(image.convert("L").tobytes())) > 20, "there is something on it"


def test_long_texts_are_wrapped(facts: RunFacts) -> None:
    short = Image.open(io.BytesIO(draw(facts, Shareable("", "a b"), "png").content))
    words = "w" * 120 + " and more words than fit on one line of a picture " * 3
    content = draw(facts, Shareable("", words), "svg").content
    assert "".join(text for _, text in words_of(content)) == " ".join(words.split())
    long = Image.open(io.BytesIO(draw(facts, Shareable("", words), "png").content))
    assert long.width == short.width
    assert long.height > short.height + 200
    with pytest.raises(InputRefused, match="too long"):
        draw(facts, Shareable("", "x" * 1001), "png")
    with pytest.raises(InputRefused, match="empty"):
        draw(facts, Shareable("", " \n "), "png")


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_break_no_picture(facts: RunFacts, name: str) -> None:
    some = replace(facts, accounts=[Account("keeper", name)])
    sample = Shareable(name, name)
    words_of(draw(some, sample, "svg").content)
    Image.open(io.BytesIO(draw(some, sample, "png").content)).load()


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=60), st.integers(0, 60))
@example("what no SVG can hold: \ufffe \uffff", 4)
def test_any_text_can_be_drawn(facts: RunFacts, text: str, typed: int) -> None:
    sample = Shareable(text[:typed], "x" + text)
    made = draw(facts, sample, "svg")
    assert words_of(made.content)
    assert made.content.decode().count(LABEL) >= 2


def test_favourites_come_first_and_copies_not_at_all(run: Run, tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    asked = SampleRequest(prompt="My dream", max_tokens=MAX_TOKENS)
    for text, verdict in (("My dream is old", "new"), ("a copy of it", "verbatim"),
                          ("My dream is new", "new")):  # fmt: skip
        keep_favourite(home, run.id, text, asked, Copy(verdict, 3, None))  # type: ignore[arg-type]
    keep_favourite(home, "another-run", "elsewhere", asked, Copy("new", 0, None))
    lines = [
        {"kind": "sample", "step": step, "text": f"thought {step} of a gull"} for step in (1, 2)
    ]
    run.samples.write_text("".join(json.dumps(line) + "\n" for line in lines))
    texts = [one.text for one in shareable(home, run)]
    assert texts == ["My dream is new", "My dream is old", "thought 2 of a gull",
                     "thought 1 of a gull"]  # fmt: skip
    listed = mynah("share", "latest", "--list", "--json", home=tmp_path).json()
    assert [one["text"] for one in listed] == texts
    path = tmp_path / "one.svg"
    told = mynah("share", "latest", "--index", "2", "-o", path, "--json", home=tmp_path).json()
    assert told == {"path": str(path)}
    assert "thought 2" in path.read_text()
    assert "thought 1" not in path.read_text()
    assert "no sample 9" in mynah("share", "latest", "--index", "9", home=tmp_path, code=3).err
    assert kind_of(Path("x.PNG")) == "png"
    with pytest.raises(InputRefused, match=r"png or \.svg"):
        kind_of(Path("x.gif"))


def test_a_picture_in_the_terminal(facts: RunFacts) -> None:
    import base64
    import re

    from tui.cli.runs.share import in_terminal

    png = draw(facts, Shareable("", "My dream is quiet"), "png").content
    blocks = in_terminal(png, 60, {"TERM": "xterm"}).splitlines()
    width, height = Image.open(io.BytesIO(png)).size
    assert len(blocks) == pytest.approx(60 * height / width / 2, abs=1)
    assert {re.sub(r"\x1b\[[0-9;]*m", "", line) for line in blocks} == {"▀" * 60}
    assert "48;2;255;255;255m" in blocks[len(blocks) // 2]
    kitty = in_terminal(png, 60, {"KITTY_WINDOW_ID": "1"})
    parts = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", kitty)
    assert base64.b64decode("".join(part for _, part in parts)) == png
    assert [head[-3:] for head, _ in parts] == ["m=1"] * (len(parts) - 1) + ["m=0"]
    inline = in_terminal(png, 60, {"TERM_PROGRAM": "iTerm.app"})
    assert base64.b64decode(inline.partition(":")[2].rstrip("\a")) == png
    assert "▀" in in_terminal(png, 60, {"TERM_PROGRAM": "iTerm.app", "TMUX": "1"})
