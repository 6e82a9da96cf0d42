"""``mynah share``: one sample as a picture, PNG or SVG, that says on it and in it what it is."""

from __future__ import annotations

import html
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from core.errors import InputRefused, MynahError
from core.home import Home
from core.publish.escaping import one_line
from core.publish.facts import RunFacts
from core.runs.folder import Run

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

Theme = Literal["light", "dark"]
LABEL: Final = "AI-generated"
# What IPTC calls media made by a trained model; readers of XMP know it.
_SOURCE_TYPE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

# Pixels.
_WIDTH: Final = 1200
_MARGIN: Final = 72
_SIZE: Final = 44
_LINE: Final = 62
_SMALL: Final = 28
_MOST_CHARACTERS: Final = 1_000
# Background, frame, the model's words, the prompt, what is small, the label's own background.
_COLOURS: Final[dict[Theme, tuple[str, str, str, str, str, str]]] = {
    "light": ("#ffffff", "#d0d7de", "#1f2328", "#656d76", "#656d76", "#fff1d6"),
    "dark": ("#0d1117", "#30363d", "#e6edf3", "#8b949e", "#8b949e", "#3b2e0a"),
}
_LABEL_COLOURS: Final[dict[Theme, str]] = {"light": "#7a4a00", "dark": "#f0c060"}
# Found by their names where the system has them; each has letters that the one before lacks.
_FONTS: Final = (
    "NotoSans-Regular.ttf", "DejaVuSans.ttf", "segoeui.ttf", "Arial Unicode.ttf", "arial.ttf",
    "Helvetica.ttc", "NotoSansCJK-Regular.ttc", "NotoEmoji-Regular.ttf", "seguisym.ttf",
)  # fmt: skip


@dataclass(frozen=True)
class Shareable:
    """A text of a run's model, which a person may have ``edited``; it begins with ``prompt``."""

    prompt: str
    text: str
    edited: bool = False


@dataclass(frozen=True)
class Picture:
    """``missing``: characters that no font here has, shown as a box in a PNG."""

    content: bytes
    missing: str = ""


def shareable(home: Home, run: Run) -> list[Shareable]:
    """What can be shared of a run: favourites, the newest first, then what it wrote while it
    learned, the last first. Copies of tweets are not among them.
    """
    from core.json_lines import read_json_lines
    from core.publish.facts import facts_of
    from core.runs.history import RunHistory
    from core.sampling.favourites import favourites
    from core.tracking.outgoing import Outgoing

    kept = [
        Shareable(one.prompt, one.text, one.edited)
        for one in reversed(favourites(home))
        if one.run == run.id and not one.copy.of_a_tweet
    ]
    history = RunHistory()
    history.take_samples(read_json_lines(run.samples))
    shown = Outgoing(facts_of(run).run).examples(history.samples).shown
    return kept + [Shareable("", sample.text) for sample in reversed(shown)]


def draw(facts: RunFacts, sample: Shareable, kind: str, theme: Theme = "light") -> Picture:
    """``kind`` is png or svg. Raises InputRefused for a text that is too long for a picture."""
    text = one_line(sample.text)
    if not text:
        raise InputRefused("There is nothing on that picture.", "The sample is empty.")
    if len(text) > _MOST_CHARACTERS:
        raise InputRefused(
            "That is too long for a picture.",
            f"It has {len(text):,} characters; {_MOST_CHARACTERS:,} fit.",
        )
    prompt = one_line(sample.prompt)
    typed = len(prompt) if text.startswith(prompt) else 0
    names = " & ".join(
        f"@{one.handle}" if one.name == one.handle else one_line(one.name) for one in facts.accounts
    )
    by = "a language model and edited by a person" if sample.edited else "a language model"
    made = _Layout(
        title=f"AI {'cyborg' if len(facts.accounts) > 1 else 'bot'} of {names}",
        lines=_wrapped(text, typed),
        note=f"written by {by}, not by {names} · made with mynah",
        run=facts.run.id,
        theme=theme,
    )
    return made.svg() if kind == "svg" else made.png()


_Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""
_Part = tuple[str, bool]
"""A piece of a line, and whether it was typed by a person."""


def _wrapped(text: str, typed: int) -> list[list[_Part]]:
    """Lines no wider than the picture; a word that is wider than a line is broken."""
    room = _WIDTH - 2 * _MARGIN
    lines: list[list[_Part]] = [[]]
    width, at = 0.0, 0
    for word in _words(text):
        wide = _width(word, _SIZE)
        if width and width + _width(word.rstrip(), _SIZE) > room:
            lines.append([])
            width = 0.0
        pieces = [word] if wide <= room else list(word)
        for piece in pieces:
            wide = _width(piece, _SIZE)
            if width + wide > room and piece.strip() and width:
                lines.append([])
                width = 0.0
            # the prompt may end inside of a word
            cut = min(max(typed - at, 0), len(piece))
            for part, by_hand in ((piece[:cut], True), (piece[cut:], False)):
                if lines[-1] and lines[-1][-1][1] == by_hand:
                    lines[-1][-1] = (lines[-1][-1][0] + part, by_hand)
                elif part:
                    lines[-1].append((part, by_hand))
            width += wide
            at += len(piece)
    return lines


def _words(text: str) -> list[str]:
    """Words with the space after them."""
    parts = text.split(" ")
    return [part + " " for part in parts[:-1]] + [parts[-1]]


@dataclass(frozen=True)
class _Layout:
    """The same places for both kinds of picture."""

    title: str
    lines: list[list[_Part]]
    note: str
    run: str
    theme: Theme

    @property
    def height(self) -> int:
        return 2 * _MARGIN + 2 * _SMALL + 96 + _LINE * len(self.lines)

    @property
    def described(self) -> str:
        return f"{self.note}, run {self.run}"

    def png(self) -> Picture:
        from PIL import Image, ImageDraw
        from PIL.PngImagePlugin import PngInfo

        ground, frame, words, prompt, small, label = _COLOURS[self.theme]
        image = Image.new("RGB", (_WIDTH, self.height), ground)
        pen = ImageDraw.Draw(image)
        box = (16, 16, _WIDTH - 16, self.height - 16)
        pen.rounded_rectangle(box, radius=24, outline=frame, width=3)
        x, y = float(_MARGIN), float(_MARGIN)
        _write(pen, x, y, _fitting(self.title, _WIDTH - 2 * _MARGIN - self._label_width), _SMALL,
               small)  # fmt: skip
        left = _WIDTH - _MARGIN - self._label_width
        pen.rounded_rectangle((left, y - 8, _WIDTH - _MARGIN, y + 40), radius=10, fill=label)
        _write(pen, left + 16, y, LABEL, _SMALL, _LABEL_COLOURS[self.theme])
        y += _SMALL + 48
        for line in self.lines:
            x = float(_MARGIN)
            for text, typed in line:
                _write(pen, x, y, text, _SIZE, prompt if typed else words)
                x += _width(text, _SIZE)
            y += _LINE
        _write(pen, _MARGIN, y + 24, _fitting(self.note, _WIDTH - 2 * _MARGIN), _SMALL, small)
        about = PngInfo()
        about.add_itxt("Title", f"{LABEL}: {self.title}")
        about.add_itxt("Description", self.described)
        about.add_text("Software", "mynah")
        about.add_itxt("XML:com.adobe.xmp", _xmp(self.title))
        out = io.BytesIO()
        image.save(out, "PNG", pnginfo=about, optimize=True)
        every = self.title + self.note + "".join(text for line in self.lines for text, _ in line)
        missing = {character for character in every if _font_of(character, _SIZE) is None}
        return Picture(out.getvalue(), "".join(sorted(missing)))

    @property
    def _label_width(self) -> float:
        return _width(LABEL, _SMALL) + 32

    def svg(self) -> Picture:
        ground, frame, words, prompt, small, label = _COLOURS[self.theme]
        left, top = _WIDTH - _MARGIN - self._label_width, _MARGIN
        title = html.escape(_fitting(self.title, left - _MARGIN))
        rows = []
        y = top + _SMALL + 48 + _SIZE
        for line in self.lines:
            spans = "".join(
                f'<tspan fill="{prompt if typed else words}">{html.escape(text)}</tspan>'
                for text, typed in line
            )
            where = f'x="{_MARGIN}" y="{y}" font-size="{_SIZE}" xml:space="preserve"'
            rows.append(f"<text {where}>{spans}</text>")
            y += _LINE
        content = f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {self.height}" \
width="{_WIDTH}" height="{self.height}" font-family="system-ui, 'DejaVu Sans', sans-serif">
<title>{html.escape(f"{LABEL}: {self.title}")}</title>
<desc>{html.escape(self.described)}</desc>
<metadata>{_xmp(self.title)}</metadata>
<rect width="100%" height="100%" fill="{ground}"/>
<rect x="16" y="16" width="{_WIDTH - 32}" height="{self.height - 32}" rx="24" fill="none" \
stroke="{frame}" stroke-width="3"/>
<text x="{_MARGIN}" y="{top + _SMALL}" font-size="{_SMALL}" fill="{small}">{title}</text>
<rect x="{left:.0f}" y="{top - 8}" width="{self._label_width:.0f}" height="48" rx="10" \
fill="{label}"/>
<text x="{left + 16:.0f}" y="{top + _SMALL}" font-size="{_SMALL}" \
fill="{_LABEL_COLOURS[self.theme]}">{LABEL}</text>
{chr(10).join(rows)}
<text x="{_MARGIN}" y="{y - _SIZE + 24 + _SMALL}" font-size="{_SMALL}" fill="{small}">\
{html.escape(_fitting(self.note, _WIDTH - 2 * _MARGIN))}</text>
</svg>
"""
        return Picture(content.encode("utf-8"))


def _xmp(title: str) -> str:
    """Says to machines that a model made this."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<Iptc4xmpExt:DigitalSourceType>{_SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>"
        f"<dc:title>{html.escape(f'{LABEL}: {title}')}</dc:title>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )


def _fitting(text: str, room: float) -> str:
    """``text`` in small letters, cut with … where it is wider than ``room``."""
    if _width(text, _SMALL) <= room:
        return text
    while text and _width(text + "…", _SMALL) > room:
        text = text[:-1]
    return text + "…"


def _write(pen: Any, x: float, y: float, text: str, size: int, colour: str) -> None:
    for piece, font in _runs(text, size):
        pen.text((x, y), piece, font=font, fill=colour)
        x += font.getlength(piece)


def _width(text: str, size: int) -> float:
    return sum(font.getlength(piece) for piece, font in _runs(text, size))


def _runs(text: str, size: int) -> list[tuple[str, FreeTypeFont]]:
    """Pieces of ``text`` that one font has; a box for what none has."""
    runs: list[tuple[str, FreeTypeFont]] = []
    for character in text:
        font = _font_of(character, size)
        if font is None:
            character, font = ("" if _is_invisible(character) else "▯"), _fonts(size)[0]
        if runs and runs[-1][1] is font:
            runs[-1] = (runs[-1][0] + character, font)
        else:
            runs.append((character, font))
    return runs


def _is_invisible(character: str) -> bool:
    """Joins and variants, which stand between other characters."""
    return unicodedata.category(character) in ("Cf", "Mn", "Me")


@cache
def _font_of(character: str, size: int) -> FreeTypeFont | None:
    """The first font that has ``character``: one that has not draws what it does for U+FFFF."""
    if character == " ":
        return _fonts(size)[0]
    for font in _fonts(size):
        if bytes(font.getmask(character)) != bytes(font.getmask("\uffff")):
            return font
    return None


@cache
def _fonts(size: int) -> Sequence[FreeTypeFont]:
    from PIL import ImageFont

    found = []
    for name in _FONTS:
        try:
            found.append(ImageFont.truetype(name, size))
        except OSError:
            continue
    own = ImageFont.load_default(size)
    if isinstance(own, ImageFont.FreeTypeFont):
        found.append(own)
    if not found:
        raise MynahError("There is no font on this machine.", "", "An SVG needs none: -o FILE.svg")
    return found


def half_blocks(
    png: bytes, columns: int, most_lines: int | None = None
) -> list[list[tuple[_Colour, _Colour]]]:
    """A PNG as lines of cells, each with two pixels: the colour of its upper and of its lower half.

    It is ``columns`` wide, or narrower where it would have more than ``most_lines``.
    """
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        if most_lines is not None:
            columns = max(1, min(columns, 2 * most_lines * picture.width // picture.height))
        height = max(2, round(columns * picture.height / picture.width / 2) * 2)
        small = picture.convert("RGB").resize((columns, height), Image.Resampling.LANCZOS)
    flat = small.tobytes()
    colours = [(flat[at], flat[at + 1], flat[at + 2]) for at in range(0, len(flat), 3)]
    rows = [colours[at : at + columns] for at in range(0, len(colours), columns)]
    return [
        list(zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]


def kind_of(path: Path) -> str:
    """png or svg, by the name; raises InputRefused."""
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "svg"):
        raise InputRefused(f"{path.name} is no name of a picture.", "", "End it in .png or .svg.")
    return kind
