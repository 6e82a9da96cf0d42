"""The one form in which a tweet stands before its answer: to learn answers, and to ask for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from core.errors import InputRefused

# As mail and Markdown quote: most bases have read it, in every language. The answer begins a line
# of its own, so that its first token is the one that a tweet begins with.
FORM: Final = "> {tweet}\n"
_TWEET: Final = "{tweet}"
# Tokens of a tweet that is answered; it leaves at least as much of a row to the answer.
MOST_TOKENS: Final = 128


@dataclass(frozen=True, kw_only=True)
class Answering:
    """How a run has learned to answer; it stands in run.json.

    form        what stands between the mark and the answer; ``{tweet}`` is the tweet answered
    most_tokens of that at most: a longer tweet is cut at its end
    learned, held_out   how many training and held-out tweets are answers
    tweets      of the run in all
    """

    form: str = FORM
    most_tokens: int = MOST_TOKENS
    learned: int = 0
    held_out: int = 0
    tweets: int = 0

    @classmethod
    def within(cls, row_tokens: int, *, learned: int, held_out: int, tweets: int) -> Answering:
        """For rows of so many tokens."""
        most = min(MOST_TOKENS, row_tokens // 2)
        return cls(most_tokens=most, learned=learned, held_out=held_out, tweets=tweets)

    @property
    def in_words(self) -> str:
        """What the run learns as answers: two sentences."""
        return (
            f"{answers_in_words(self.learned + self.held_out, self.tweets)} They are learned as "
            "answers to it, and the others by themselves."
        )

    def text(self, tweet: str) -> str:
        """``tweet``, on one line, in the form."""
        return self.form.replace(_TWEET, " ".join(tweet.split()))

    def ids(self, tweet: str, encode: Callable[[str], list[int]]) -> list[int]:
        """What stands between the mark and the answer, at most ``most_tokens`` ids.

        ``encode`` gives a text's ids without any mark. A tweet without words gives none.
        """
        words = " ".join(tweet.split())
        while words:
            ids = encode(self.text(words))
            if len(ids) <= self.most_tokens:
                return ids
            # fewer characters each time, about as many as fit
            fit = len(words) * self.most_tokens // len(ids)
            words = words[: min(fit, len(words) - 1)].rstrip()
        return []

    @property
    def chat_template(self) -> str:
        """The same as a chat template of Hugging Face and llama.cpp, with the mark before it.

        Of a conversation the last tweet is answered. Both know these words of Jinja.
        """
        before, after = (_in_jinja(part) for part in self.form.split(_TWEET))
        tweet = "messages[-1]['content'].strip().split('\\n') | join(' ')"
        return "{{ bos_token + '" + before + "' + (" + tweet + ") + '" + after + "' }}"

    @property
    def go_template(self) -> str:
        """The same for Ollama, which puts the mark before it; the tweet stands as it is typed."""
        return self.form.replace(_TWEET, "{{ .Prompt }}")


def answers_in_words(answers: int, kept: int) -> str:
    """How many of the kept tweets can be learned as answers: one sentence."""
    verb = "answers" if answers == 1 else "answer"
    return (
        f"{answers:,} of the {kept:,} kept tweets {verb} a tweet of somebody else that is in the "
        "corpus."
    )


def _in_jinja(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")


def not_learned(whose: str) -> InputRefused:
    """For who asks a run that has learned plain tweets for an answer."""
    return InputRefused(
        f"{whose} has not learned to answer.",
        "It learned tweets by themselves, not with the tweets that they answer.",
        "Train with --answers (in the app: Train, more, learn answers), or leave the tweet out.",
    )
