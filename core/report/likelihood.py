"""What a model makes of given texts: nats of each, and what it gives back of them by heart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from core.words import is_unspaced, words

# Ids of a batch, padding included: on two cores larger ones are not faster.
_BATCH_IDS: Final = {"cpu": 2048, "cuda": 65_536}
_ROW_TOKENS: Final = 512
# So many tokens of a rest are tried first: few tweets that part from it do so later.
_FIRST_TOKENS: Final = 4

Report = Callable[[int], None]


@dataclass(frozen=True)
class TextNats:
    """Of one text: its negative log-likelihood with the end mark, and the tokens of both."""

    nats: float
    tokens: int


@dataclass(frozen=True)
class GivenBack:
    """``back`` of the ``words`` that follow a text's beginning came back before the first other.

    ``words`` 0: there is no rest, or the text is longer than what is read at once.
    """

    words: int
    back: int

    @property
    def extracted(self) -> bool:
        """Whether all of the rest came back, word for word."""
        return bool(self.words) and self.back == self.words


def units(text: str) -> list[str]:
    """The words of a text as spaces part them; in scripts without spaces, its characters."""
    said = words(text)
    if 2 * sum(map(is_unspaced, said)) > len(said):
        return [letter for letter in text if not letter.isspace()]
    return text.split()


class RowReader(Protocol):
    """What reads rows of ids; see `PaddedReader`."""

    def nats(self, rows: Sequence[Sequence[int]], report: Report) -> list[float]: ...

    def followed(
        self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]], report: Report
    ) -> list[int]: ...


class LanguageModel:
    """A model folder in memory, to read texts with; in float32, as the losses of a run are."""

    def __init__(self, folder: Path, device: str = "auto") -> None:
        """Raises InputRefused for a folder that cannot be loaded, or an absent device."""
        from core.models.load import context_of, load_model, load_tokenizer, quiet, separator_of
        from core.sampling.decoding.decoder import LeanDecoder
        from core.sampling.decoding.packed import PackedReader
        from core.sampling.decoding.products import FLOAT32
        from core.training.data import rows_within
        from core.training.device import choose_device

        quiet()
        self._tokenizer = load_tokenizer(folder)
        self._separator = separator_of(self._tokenizer)
        self._row_tokens = rows_within(context_of(folder), _ROW_TOKENS)
        model, _ = load_model(folder)
        model = model.eval().requires_grad_(False).to(choose_device(device))
        self._reader: RowReader
        if LeanDecoder.fits(model):
            self._reader = PackedReader(LeanDecoder(model, FLOAT32, consume=True))
        else:
            self._reader = PaddedReader(model)

    def nats(self, texts: Sequence[str], report: Report = lambda done: None) -> list[TextNats]:
        """Of each text, in order. ``report`` gets how many rows are done, and may raise."""
        from core.training.data import prepare

        tweets = prepare(
            texts, self._tokenizer, separator=self._separator, row_tokens=self._row_tokens
        )
        found = iter(self._reader.nats([row for own in tweets.rows for row in own], report))
        sums = [sum(next(found) for _ in own) for own in tweets.rows]
        return [TextNats(nats, size) for nats, size in zip(sums, tweets.tokens, strict=True)]

    def given_back(
        self, pairs: Sequence[tuple[str, str]], report: Report = lambda done: None
    ) -> list[GivenBack]:
        """Of each (beginning, rest): what the likeliest continuation of the one has of the other.

        Nothing is generated: a continuation is the rest exactly where each token of the rest is the
        likeliest after those before it, which reading the text says. Most texts part after a token
        or a few, so only those that do not are read to their end.
        """
        asked = [([self._separator, *self._encode(a)], self._encode(b)) for a, b in pairs]
        out = [GivenBack(0, 0)] * len(pairs)
        short = [
            at
            for at, (first, rest) in enumerate(asked)
            if rest and len(first) + len(rest) <= self._row_tokens
        ]
        found = self._reader.followed([asked[at] for at in short], report)
        for at, same in zip(short, found, strict=True):
            out[at] = self._back(pairs[at][1], asked[at][1], same)
        return out

    def _back(self, rest: str, ids: Sequence[int], same: int) -> GivenBack:
        """``same`` tokens of ``rest`` as whole words of it."""
        of = units(rest)
        if same == len(ids):
            return GivenBack(len(of), len(of))
        came = units(self._tokenizer.decode(ids[:same]))
        back = 0
        while back < min(len(came), len(of)) and came[back] == of[back]:
            back += 1
        return GivenBack(len(of), back)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False, split_special_tokens=True)[
            "input_ids"
        ]
        return ids


class PaddedReader:
    """Any causal language model of transformers, a batch of padded rows at a time."""

    def __init__(self, model: Any) -> None:
        from core.training.loss import Scorer

        self._model = model
        self._device = model.device
        self._score = Scorer(model)

    def nats(self, rows: Sequence[Sequence[int]], report: Report) -> list[float]:
        """Of each row of ids: the nats of all but the first. ``report`` gets how many are done."""
        from core.training.data import tensors

        found, done = [0.0] * len(rows), 0
        for batch in self._batches([len(row) for row in rows]):
            own = tensors([list(rows[at]) for at in batch], self._device)
            for at, nats in zip(batch, self._score.of_rows(*own).tolist(), strict=True):
                found[at] = nats
            done += len(batch)
            report(done)
        return found

    def followed(
        self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]], report: Report
    ) -> list[int]:
        """Of each (ids read, ids that follow): how many follow as the likeliest ones."""
        found, going = [0] * len(pairs), list(range(len(pairs)))
        for most in (_FIRST_TOKENS, None):
            rows = [(list(pairs[at][0]), list(pairs[at][1][:most])) for at in going]
            done = len(pairs) - len(rows)
            for batch in self._batches([len(first) + len(rest) for first, rest in rows]):
                for row, same in zip(batch, self._same([rows[at] for at in batch]), strict=True):
                    found[going[row]] = same
                done += len(batch)
                report(done)
            going = [at for at in going if found[at] == most and found[at] < len(pairs[at][1])]
        return found

    def _same(self, rows: Sequence[tuple[list[int], list[int]]]) -> list[int]:
        """Of each row (ids read, ids that follow): how many follow as the likeliest ones."""
        import torch

        from core.training.data import IGNORE, tensors

        inputs, targets = tensors([first + rest for first, rest in rows], self._device)
        for number, (first, _) in enumerate(rows):
            targets[number, : len(first) - 1] = IGNORE
        wanted = targets != IGNORE
        with torch.no_grad():
            body = self._model.base_model
            if body is self._model:
                logits = self._model(input_ids=inputs, use_cache=False).logits[wanted]
            else:  # the head only where it is asked: it is a fifth of a small model
                states = body(input_ids=inputs, use_cache=False).last_hidden_state[wanted]
                logits = self._model.get_output_embeddings()(states)
            likeliest = logits.argmax(dim=-1)
        right = (likeliest == targets[wanted]).tolist()
        found, at = [], 0
        for _, rest in rows:
            own = right[at : at + len(rest)]
            found.append(own.index(False) if False in own else len(own))
            at += len(rest)
        return found

    def _batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Numbers of rows of similar length, in batches of bounded size."""
        most = _BATCH_IDS.get(self._device.type, _BATCH_IDS["cpu"])
        batch: list[int] = []
        for number in sorted(range(len(lengths)), key=lambda number: lengths[number]):
            if batch and lengths[number] * (len(batch) + 1) > most:
                yield batch
                batch = []
            batch.append(number)
        if batch:
            yield batch
