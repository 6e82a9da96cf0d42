"""Reading many given texts with a decoder: how likely each is, and what it goes on with by itself.

Texts stand in a tree of tokens, so that nothing is padded in the products, and what several texts
begin with is read once: a fifth to two fifths of the beginnings of one author's tweets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import torch
from torch.nn import functional

from core.runs.memory import LOGITS
from core.sampling.decoding.decoder import LeanDecoder

# Nodes of a tree that are read at once, about: on two cores more are not faster.
_NODES: Final = {"cpu": 1024, "cuda": 32_768}
# Attention is padded to the longest text of a tree: its places for each node, at most.
_PADDING: Final = 8
# Of what may follow a text so many tokens are tried first, then so many more, then all.
_TRIED: Final = (1, 3, None)

Report = Callable[[int], None]


class PackedReader:
    """A model with the weights of a `LeanDecoder`."""

    def __init__(self, decoder: LeanDecoder) -> None:
        self._decoder = decoder

    def nats(self, rows: Sequence[Sequence[int]], report: Report) -> list[float]:
        """Of each row of ids: the nats of all but the first. ``report`` gets how many are done."""
        found: dict[int, float] = {}
        for batch in self._batches(rows):
            found.update(zip(batch, self._nats([rows[at] for at in batch]), strict=True))
            report(len(found))
        return [found[at] for at in range(len(rows))]

    def followed(
        self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]], report: Report
    ) -> list[int]:
        """Of each (ids read, ids that follow): how many follow as the likeliest ones."""
        found: dict[int, int] = {}
        for batch in self._batches([first for first, _ in pairs]):
            found.update(zip(batch, self._followed([pairs[at] for at in batch]), strict=True))
            report(len(found))
        return [found[at] for at in range(len(pairs))]

    def _batches(self, rows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        """Numbers of rows; those that begin alike are neighbours."""
        most = _NODES.get(self._decoder.device.type, _NODES["cpu"])
        batch: list[int] = []
        nodes = longest = 0
        before: Sequence[int] = ()
        for number in sorted(range(len(rows)), key=lambda number: list(rows[number])):
            row = rows[number]
            fresh = len(row) - _shared(before, row)
            wide = max(longest, len(row)) * (len(batch) + 1)
            if batch and (nodes + fresh > most or wide > _PADDING * most):
                yield batch
                batch, nodes, longest, fresh = [], 0, 0, len(row)
            batch.append(number)
            nodes += fresh
            longest = max(longest, len(row))
            before = row
        if batch:
            yield batch

    @torch.inference_mode()
    def _nats(self, rows: Sequence[Sequence[int]]) -> list[float]:
        tree = _Tree(self._decoder)
        paths = tree.read([([], row[:-1]) for row in rows])
        device = self._decoder.device
        nodes = torch.tensor([node for path in paths for node in path], device=device)
        targets = torch.tensor([token for row in rows for token in row[1:]], device=device)
        sizes = torch.tensor([len(path) for path in paths], device=device)
        row_of = torch.repeat_interleave(torch.arange(len(rows), device=device), sizes)
        sums = torch.zeros(len(rows), device=device)
        for begin, logits in self._logits(tree.states):
            here = ((nodes >= begin) & (nodes < begin + len(logits))).nonzero().flatten()
            own = nodes[here] - begin
            nats = logits.logsumexp(-1)[own] - logits[own, targets[here]]
            sums.index_add_(0, row_of[here], nats)
        return [float(nats) for nats in sums.tolist()]

    @torch.inference_mode()
    def _followed(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[int]:
        tree = _Tree(self._decoder)
        found = [0] * len(pairs)
        paths: dict[int, list[int]] = {row: [] for row in range(len(pairs))}
        for most in _TRIED:
            wanted = {row: pairs[row][1][found[row] :][:most] for row in paths}
            # Before the first token that is wanted stands the text, before the others they stand.
            unread = {
                row: pairs[row][1][found[row] - 1 :][: len(ids)] if paths[row] else pairs[row][0]
                for row, ids in wanted.items()
            }
            grown = tree.read([(paths[row], ids) for row, ids in unread.items()])
            paths = dict(zip(unread, grown, strict=True))
            nodes = {row: paths[row][-len(ids) :] for row, ids in wanted.items()}
            likeliest = self._likeliest(tree, nodes.values())
            for row, ids in wanted.items():
                same = [
                    likeliest[node] == token for node, token in zip(nodes[row], ids, strict=True)
                ]
                right = same.index(False) if False in same else len(same)
                found[row] += right
                if right < len(same) or found[row] == len(pairs[row][1]):
                    del paths[row]
        return found

    def _likeliest(self, tree: _Tree, nodes: Iterable[Sequence[int]]) -> dict[int, int]:
        """The likeliest token after each of these nodes."""
        asked = sorted({node for some in nodes for node in some})
        found: list[int] = []
        for _, logits in self._logits(tree.states[asked]):
            found += logits.argmax(-1).tolist()
        return dict(zip(asked, found, strict=True))

    def _logits(self, states: torch.Tensor) -> Iterator[tuple[int, torch.Tensor]]:
        """Parts of the logits after ``states``, each with the number of its first."""
        device, vocabulary = self._decoder.device.type, self._decoder.vocabulary
        size = max(1, LOGITS.get(device, LOGITS["cpu"]) // (4 * vocabulary))
        for begin in range(0, len(states), size):
            yield begin, self._decoder.logits(states[begin : begin + size])


class _Tree:
    """The tokens of some texts, each once after the same ones before it.

    states   (nodes, width) of the tokens that were read, as `LeanDecoder.logits` takes them
    """

    def __init__(self, decoder: LeanDecoder) -> None:
        self._decoder = decoder
        self._nodes: dict[tuple[int, int], int] = {}  # by the node before and the token
        self._cache: list[torch.Tensor] = []  # by layer: (nodes, keys and values)
        self.states = torch.empty(0)

    def read(self, rows: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[list[int]]:
        """Each row is a path of nodes and ids after it; the paths with these ids."""
        known = len(self._nodes)
        ids: list[int] = []
        places: list[int] = []
        paths: list[list[int]] = []
        fresh: list[tuple[list[int], int]] = []  # paths that end with so many new nodes
        for path, more in rows:
            grown, before = list(path), len(ids)
            for token in more:
                key = (grown[-1] if grown else -1, token)
                node = self._nodes.setdefault(key, known + len(ids))
                if node == known + len(ids):
                    ids.append(token)
                    places.append(len(grown))
                grown.append(node)
            paths.append(grown)
            if len(ids) > before:
                fresh.append((grown, len(ids) - before))
        if ids:
            self._read(ids, places, fresh)
        return paths

    def _read(
        self, ids: Sequence[int], places: Sequence[int], rows: Sequence[tuple[list[int], int]]
    ) -> None:
        decoder = self._decoder
        device = decoder.device
        longest = max(len(path) for path, _ in rows)
        most = max(count for _, count in rows)
        seen = torch.tensor(
            [path + [0] * (longest - len(path)) for path, _ in rows], device=device
        )  # (rows, longest)
        counts = torch.tensor([count for _, count in rows], device=device)
        # The new nodes of a path are its last ones, and are numbered from row to row.
        step = torch.arange(most, device=device)
        own = step < counts[:, None]  # (rows, most)
        asking = torch.where(own, (counts.cumsum(0) - counts)[:, None] + step, 0)
        lengths = torch.tensor([len(path) for path, _ in rows], device=device)
        last = (lengths - counts)[:, None] + step
        mask = (torch.arange(longest, device=device) <= last[:, :, None])[:, None]
        kept: list[torch.Tensor] = []

        def attend(query: torch.Tensor, both: torch.Tensor) -> torch.Tensor:
            before = self._cache[len(kept) : len(kept) + 1]
            both = torch.cat((*before, both))  # a copy, which does not keep the queries, too
            kept.append(both)
            keys, values = both[seen].view(*seen.shape, 2, decoder.key_heads, -1).unbind(2)
            made = functional.scaled_dot_product_attention(
                query[asking].view(*asking.shape, decoder.heads, -1).transpose(1, 2),
                keys.transpose(1, 2),
                values.transpose(1, 2),
                attn_mask=mask,
                enable_gqa=True,
            )
            return made.transpose(1, 2).flatten(2)[own]

        states = decoder.forward(
            torch.tensor(ids, device=device), torch.tensor(places, device=device), attend
        )
        self._cache = kept
        self.states = torch.cat((self.states, states)) if len(self.states) else states


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many ids two rows begin with together."""
    at = 0
    while at < min(len(one), len(other)) and one[at] == other[at]:
        at += 1
    return at
