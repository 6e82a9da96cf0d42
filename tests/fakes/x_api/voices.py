"""Where the invented accounts get their words: small grammars, and lines of the sample authors."""

from __future__ import annotations

import random
import re
from pathlib import Path

SAMPLES = Path(__file__).resolve().parents[2] / "samples"

_WORDS = {
    "found": """a left boot|a rope with opinions|eleven mussels|somebody's kite|a bottle, empty
        |a signed bottle, full|a door without its house
        |half an oar|a crab in a bad mood|a glove, waving|a very flat stone
        |a tennis ball that has seen things|the moon, briefly|one chess piece, a bishop
        |a tin of peaches|a shopping list in a language I don't read|a feather longer than my arm
        |a spoon|the same boot again|a bell that rings under water|nothing, in good condition""",
    "place": """the long groyne|the second headland|the wreck at low water|Salt Lane|the far buoy
        |the bench nobody sits on|the shingle below the chapel|the mouth of the Ebble|mile nineteen
        |the tea hut (closed)|the dunes behind Harrow Sands|the sluice|the last postbox|Cold Point
        |the caravan with the geraniums|the causeway|the place where the path gives up""",
    "weather": """fog|a wind with elbows|rain going sideways|rain going up|a hard clear light
        |sun, which nobody ordered|sleet|haze|the kind of cloud that leans|frost on the bladderwrack
        |drizzle in both directions|thunder, apologetic|a warm wind from someone else's country""",
    "creature": """a heron|the oystercatchers|a seal|two swans|the usual dog|a dog I don't know
        |a gull with a chip|a gull with my chip|a cormorant drying its sleeves|the starlings
        |a hare, on the beach, at noon|a jellyfish the size of a hat|forty knots (the birds)""",
    "person": """the man with the metal detector|the woman who swims|a boy with a bucket
        |the lifeboat secretary|two surveyors|my sister, by telephone|the vicar of Salt Lane
        |a tourist in city shoes|the ice-cream van|somebody's grandfather|the bird people""",
    "feeling": """I took it personally|I have thought about it since|I did not ask|we nodded
        |neither of us mentioned it|that was the whole conversation|it improved the day
        |my knees disagreed|I would do it again|nobody clapped|the tide had the last word
        |I wrote it in the book|it counts""",
    "rule": """never sit on a rock that looks comfortable|the sea is not late, you are early
        |pockets are a promise|every footpath is somebody's argument|carry string
        |do not name the gulls|turn back while you still want to go on|wet is a direction
        |count your boots before and after|the map was drawn on a sunny day""",
    "number": "two|three|four|seven|nine|eleven|twelve|fourteen|nineteen|twenty-two|thirty|forty",
    "sums": """salt & vinegar|wind < yesterday|knees > willpower|2 < 3 & 3 < 4|bread & dripping
        |<no signal>|tea & patience|tide <= boots|the &amp; sign on the chapel noticeboard""",
    "tag": "longshores|tidewatch|bootcount|shingle|mileNineteen|lowwater",
}
_SHAPES = """Found today: {found}.|{number} miles before breakfast. {weather}.
    |Walked to {place} and back. {feeling}.|At {place}: {creature}. {feeling}.
    |{creature} at {place} again.|Weather: {weather}.|Rule {number}: {rule}.
    |Met {person} near {place}, and was asked if I was lost. {feeling}.
    |Heard from {person}: there is {found} at {place}. I have set out.
    |Boots: {number}. Blisters: {number}. Regrets: still under {number}.
    |Low water at {number}. I was there. So was {creature}.
    |You learn things out here. For instance: {rule}.
    |{weather} from {place} onwards. {feeling}. #{tag}
    |Today's findings, in order: {found}; {found}; {found}.
    |I meant to turn round at {place}. And then: {creature}.
    |Heard at {place}: "{rule}". Said by {person}. {feeling}.
    |Log: {sums}. {feeling}.|{weather}. {weather}. Then, near {place}, {weather}.
    |{number} miles. {found}. Then {creature}.|Home. Sand in everything. {feeling}.
    |Is there a word for {weather} when it waits until you reach {place}?
    |{person}: "Nice day for it." It was {weather} at the time. #{tag}"""
_ANSWERS = """It was {found}, and I stand by it.|Only as far as {place}.|Yes. {weather}.
    |I asked {creature}. No comment.|As the saying goes: {rule}.|{number}, but I was younger.
    |Not since {place}.|Thank you. {feeling}.|You should have seen {creature}."""
_REMARKS = """This, but with {weather}.|I was there. {feeling}.|See also: {rule}.
    |{person} will want to know about this.|Confirmed at {place}."""
_LONG = """It is {number} miles from {place} to {place} if you believe the map."""
_MORE = """I met {person} and was told, twice: {rule}.|There was {weather}.
    |I found {found}, put it down, and found it again on the way back.|{feeling}.
    |By {place} I had seen {creature} and been seen by {creature}.
    |I ate {number} sandwiches, which is the number I had brought, & no more were to be found."""

_JAPANESE = {
    "何": "波|霧|かもめ|古い桟橋|濡れた靴|貝殻|北風|灯台の影|猫|干し魚|三日月|潮だまり",
    "時": "今朝|昼すぎ|夕方|夜明け前|雨のあと|満潮のとき|誰もいない時間|日曜日",
    "所": "防波堤|杉の宿|坂の上|郵便局の前|浜辺|石段|バス停|縁側",
    "心": "少し笑った|何も言わなかった|また明日|忘れないでおく|静かだった|お茶にした|遠かった",
}
_JAPANESE_SHAPES = """{時}、{所}で{何}を見た。{心}。|{何}と{何}。{心}。|{所}まで歩く。{何}ひとつ。
    |{時}の{何}は誰のものでもない。|「{何}ですか」と聞かれた。{心}。|{何}、{何}、それから{何}。
    |{時}。{所}の{何}に挨拶をした。{心}。|宿の猫が{何}を持ってきた。{心}。
    |{所}にて\n{何}ひとつ\n{心}"""

_MARK = re.compile(r"\{(link|photo|quote)[^}]*\}")


def _options(text: str) -> list[str]:
    return [" ".join(option.split()) for option in text.split("|")]


def _filled(rng: random.Random, shapes: str, words: dict[str, str]) -> str:
    shape = rng.choice(_options(shapes)).replace("\\n", "\n")
    text = re.sub(r"\{(\w+)\}", lambda match: rng.choice(_options(words[match[1]])), shape)
    return re.sub(r"(^|[.!?] )([a-z])", lambda match: match[1] + match[2].upper(), text)


class Walker:
    """Says what happened on a walk; three and a half thousand lines before it repeats much."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._said: set[str] = set()

    def _say(self, shapes: str) -> str:
        for _ in range(6):  # people repeat themselves too, so not for ever
            text = _filled(self._rng, shapes, _WORDS)
            if text not in self._said:
                break
        self._said.add(text)
        return text

    def line(self) -> str:
        return self._say(_SHAPES)

    def answer(self) -> str:
        return self._say(_ANSWERS)

    def remark(self) -> str:
        return self._say(_REMARKS)

    def long(self) -> str:
        """Between 281 and some 700 characters, in paragraphs."""
        text = self._say(_LONG)
        while len(text) < 300 or self._rng.random() < 0.6:
            joint = "\n\n" if self._rng.random() < 0.2 else " "
            text += joint + self._say(_MORE)
        return text


class Borrowed:
    """The lines of one sample author, in order: originals only, without marks for links."""

    def __init__(self, rng: random.Random, author: str) -> None:
        self._rng = rng
        lines = (SAMPLES / f"{author}.txt").read_text(encoding="utf-8").splitlines()
        self._lines = [
            _MARK.sub("", line).replace("\\n", "\n").strip()
            for line in lines
            if line and not line.startswith(("#", "@", "RT @", "NOTE:", "DELETED:"))
        ]
        self._lines = [line for line in self._lines if 0 < len(line) <= 240]
        self._at = rng.randrange(len(self._lines))

    def line(self) -> str:
        self._at = (self._at + 1) % len(self._lines)
        return self._lines[self._at]

    answer = remark = line

    def long(self) -> str:
        text = self.line()
        while len(text) < 300:
            text += " " + self.line()
        return text


class Poet:
    """Short lines in Japanese."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def line(self) -> str:
        shape = self._rng.choice(_options(_JAPANESE_SHAPES)).replace("\\n", "\n")
        return re.sub(
            r"\{(.)\}", lambda match: self._rng.choice(_JAPANESE[match[1]].split("|")), shape
        )

    answer = remark = line

    def long(self) -> str:
        text = self.line()
        while len(text) < 300:
            text += "\n" + self.line()
        return text
