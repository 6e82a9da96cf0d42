"""The blind test: which of two texts is real? Open this to prepare one, to keep answers, to score.

Each question has a tweet that the model never saw and a text that the model wrote, both cleaned in
the same way, of similar length, in an order that follows from the seed. Copies of training tweets,
and texts that were cut off, are not asked about. An answer is kept as it is given, in
``blind.jsonl`` of the run: ids, no texts.
"""

from __future__ import annotations

import html
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, Literal

from core.dataset.frozen import load_frozen
from core.errors import InputRefused, Interrupted
from core.json_lines import append_json_lines, read_json_lines
from core.numbers import percent, plural
from core.progress import Cancelled, Progress, Reporter
from core.report.conclusions import who
from core.report.intervals import Estimate, share
from core.runs.folder import Run
from core.safe_text import with_known_characters
from core.sampling.request import SampleRequest
from core.sampling.store import StoredSample, sample_and_store
from core.sampling.voices import tuned_voice
from core.words import words

QUESTIONS: Final = 20
# So many texts are drawn for each question, to choose those of similar length from.
_DRAWN_EACH: Final = 1.6
_FEWEST_WORDS: Final = 3
# Two lengths are similar within this share of the longer one, or so many characters.
_SIMILAR_SHARE: Final = 0.3
_SIMILAR_LETTERS: Final = 12

_LINK: Final = re.compile(r"(?i)https?://\S+|\b(?:t\.co|pic\.twitter\.com)/\w+|\[link\]")
_NAME: Final = re.compile(r"(?<![\w@/.])[@＠]\w+")


@dataclass(frozen=True)
class Question:
    """Two texts; ``real_first``: the first is the tweet."""

    tweet_id: str
    sample_id: str
    real: str
    generated: str
    real_first: bool

    @property
    def texts(self) -> tuple[str, str]:
        """In the order in which they are shown."""
        return (self.real, self.generated) if self.real_first else (self.generated, self.real)

    def is_right(self, pick: Literal[1, 2]) -> bool:
        """Whether the real one was picked."""
        return (pick == 1) == self.real_first


@dataclass(frozen=True)
class BlindTest:
    """The questions of one sitting. There may be fewer than were asked for: ``fewer`` says why."""

    run: Run
    who: str
    seed: int
    model_hash: str
    questions: list[Question]
    fewer: str = ""

    def answer(self, number: int, pick: Literal[1, 2]) -> bool:
        """Keeps the answer to question ``number`` (from 0) and returns whether it is right.

        It is not kept where the run was deleted meanwhile.
        """
        question = self.questions[number]
        right = question.is_right(pick)
        line = {
            "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "model_hash": self.model_hash,
            "seed": self.seed,
            "number": number,
            "tweet_id": question.tweet_id,
            "sample_id": question.sample_id,
            "real_first": question.real_first,
            "picked": pick,
            "right": right,
        }
        if self.run.exists:
            append_json_lines(_file(self.run), [line])
        return right


@dataclass(frozen=True)
class BlindResult:
    """Answers to blind tests: how many of ``answers`` were right; each sitting has its seed."""

    who: str
    right: int
    answers: int
    sittings: int = 1

    @property
    def estimate(self) -> Estimate:
        """The share of right answers, with Wilson's interval; 0.5 is chance."""
        return share([True] * self.right + [False] * (self.answers - self.right))

    @property
    def verdict(self) -> str:
        """``no better than chance``: what the interval says."""
        ends = self.estimate.interval
        if ends and ends[0] > 0.5:
            return "better than chance, so the model's texts can be told from real ones"
        if ends and ends[1] < 0.5:
            return "worse than chance, so the model's texts pass for the real ones"
        return "no better than chance"

    def in_words(self, person: str = "You") -> str:
        """``You picked the real one in 11 of 20 questions (guessing: half; 95 % interval 34 % to
        74 %): no better than chance.``
        """
        ends = self.estimate.interval
        if ends is None:
            return "No question was answered."
        return (
            f"{person} picked the real one in {self.right} of {self.answers} "
            f"{'question' if self.answers == 1 else 'questions'} (guessing: half; 95 % interval "
            f"{percent(ends[0])} to {percent(ends[1])}): {self.verdict}."
        )

    def for_a_report(self) -> str:
        """The same for somebody who was not there."""
        tests = "one blind test" if self.sittings == 1 else f"{self.sittings} blind tests"
        return (
            f"In {tests}, people were shown a text of the model beside an unseen tweet of "
            f"{self.who}. {self.in_words('They')}"
        )

    def to_json(self) -> dict[str, Any]:
        """As a measure of ``mynah report``."""
        return {
            **self.estimate.to_json(),
            "of": {"chance": {"value": 0.5, "n": None, "interval": None}},
            "group": "blind",
            "unit": "share",
            "title": "told from real tweets by people",
            "right": self.right,
            "sittings": self.sittings,
            "meaning": self.for_a_report(),
        }


def blind_result(run: Run, seed: int | None = None) -> BlindResult | None:
    """All answers on the model that the run has now (those of one sitting with ``seed``); None
    where there are none.
    """
    lines = [line for line in read_json_lines(_file(run)) if isinstance(line.get("right"), bool)]
    if not lines:
        return None
    current = tuned_voice(run).hash()
    lines = [line for line in lines if line.get("model_hash") == current]
    if seed is not None:
        lines = [line for line in lines if line.get("seed") == seed]
    if not lines:
        return None
    right = sum(line["right"] for line in lines)
    sittings = len({str(line.get("seed")) for line in lines})
    return BlindResult(_name(run), right, len(lines), sittings)


def prepare_blind(
    run: Run,
    n: int = QUESTIONS,
    *,
    seed: int,
    device: str = "auto",
    progress: Callable[[Progress], None] | None = None,
    cancelled: Cancelled | None = None,
) -> BlindTest:
    """Draws texts with the settings that a run is sampled with, stores them, and makes pairs.

    Raises InputRefused (no model, no held-out tweets, too few texts of similar length), MynahError
    when the sampling process dies, and Interrupted when ``cancelled`` says so.
    """
    reporter = Reporter(progress, cancelled, _stopped)
    held_out = load_frozen(run.dataset).valid
    tweets = [
        (str(tweet_id), cleaned)
        for tweet_id, text in held_out.select("tweet_id", "text").iter_rows()
        if len(words(cleaned := clean(text))) >= _FEWEST_WORDS
    ]
    if not tweets:
        raise InputRefused(
            f"There is no blind test of {run.id}.",
            "It held out no tweets, so there are none that the model never saw.",
            "Train again with a tenth of the tweets held out, as is usual.",
        )
    request = SampleRequest(n=round(n * _DRAWN_EACH) + 8, seed=seed)
    drawn = _draw(run, request, device, reporter)
    questions = pair(tweets, drawn, n, seed)
    if not questions:
        raise InputRefused(
            f"There is no blind test of {run.id}.",
            f"None of {len(drawn)} texts is whole, new, and as long as an unseen tweet.",
            "Train it for longer, or try another seed.",
        )
    fewer = why_fewer(len(questions), n, unseen=len(tweets), drawn=len(drawn))
    return BlindTest(run, _name(run), seed, drawn[0].model_hash, questions, fewer)


def why_fewer(found: int, wanted: int, *, unseen: int, drawn: int) -> str:
    """A sentence where there are fewer questions than ``wanted``, else empty."""
    if found >= wanted:
        return ""
    questions = f"{plural(found, 'question')}, not {wanted}"
    if found == unseen:
        return f"{questions}: the run held out no more tweets that have words."
    return (
        f"{questions}: of the {drawn} texts that it wrote this time no more were whole, new and "
        "about as long as an unseen tweet. Another test may have more."
    )


def _draw(run: Run, request: SampleRequest, device: str, reporter: Reporter) -> list[StoredSample]:
    voice = tuned_voice(run)
    drawn: list[StoredSample] = []
    with voice.sampler(device) as sampler:
        reporter.show("drawing", 0, request.n)
        for _, made in sample_and_store(voice, sampler, request):
            if made is not None:
                drawn.append(made)
            reporter.show("drawing", len(drawn), request.n)
    return sorted(drawn, key=lambda made: made.sample.index)


def pair(
    tweets: Sequence[tuple[str, str]], drawn: Sequence[StoredSample], n: int, seed: int
) -> list[Question]:
    """At most ``n`` questions of cleaned ``tweets`` (id, text), each with the text that is closest
    to it in length and was not used yet, if that is similar.
    """
    rng = random.Random(f"{seed}/blind")  # noqa: S311 - repeatable on purpose
    real_texts = {text.casefold() for _, text in tweets}
    texts: dict[str, str] = {}
    for made in drawn:
        text = clean(made.text)
        whole = made.sample.stopped in ("eos", "newline")
        new = not made.sample.copy.of_a_tweet
        if (
            whole
            and new
            and len(words(text)) >= _FEWEST_WORDS
            and text.casefold() not in real_texts
            and text not in texts.values()
        ):
            texts[made.id] = text
    questions: list[Question] = []
    for tweet_id, real in rng.sample(list(tweets), len(tweets)):
        if len(questions) == n or not texts:
            break
        closest = min(texts, key=lambda one: abs(len(texts[one]) - len(real)))
        longer = max(len(texts[closest]), len(real))
        apart = abs(len(texts[closest]) - len(real))
        if apart <= max(_SIMILAR_LETTERS, _SIMILAR_SHARE * longer):
            generated = texts.pop(closest)
            questions.append(Question(tweet_id, closest, real, generated, rng.random() < 0.5))
    return questions


def clean(text: str) -> str:
    """On one line, with the same word for every link and for every name."""
    text = _LINK.sub("[link]", html.unescape(with_known_characters(text)))
    return " ".join(_NAME.sub("@name", text).split())


def _name(run: Run) -> str:
    return who(sorted(run.record().handles))


def _file(run: Run) -> Path:
    return run.folder / "blind.jsonl"


def _stopped() -> Interrupted:
    return Interrupted("The blind test was stopped.", "No question was asked yet.")
