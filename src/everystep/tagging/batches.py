"""Sentences in packed rows, with the spellings that a batch holds, each once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from everystep.sequences import (
    Batch,
    Batches,
    Ragged,
    Steps,
    packed_batches,
    plan_rows,
    row_shape,
)
from everystep.tagging.features import Encoded

UNKNOWN_WORD = 1
PORTIONS = 16
"""How many numbers of distinct spellings batches of one shape may have; each is compiled once."""
LEAST_PORTION = 64
"""Fewer spellings than this are not worth a program of their own."""
SPARE = 1.03
"""So many times the spellings of the fullest batch of the first epoch have room in all epochs."""


@dataclass(frozen=True)
class Rows:
    """The shape of the packed rows of a batch.

    Args:
        count: how many rows a batch has.
        length: how many steps a row has room for.
    """

    count: int
    length: int

    @classmethod
    def for_training(cls, lengths: Any, batch_size: int, least: int) -> Rows:
        """Return the rows that hold about so many sentences, each at least `least` steps long."""
        return cls(*row_shape(lengths, batch_size, least))


def _fullest(batches: Batches) -> int:
    """Return how many distinct spellings the batch with most of them has."""
    return max(len(np.unique(np.asarray(batch.steps.values))) for batch in batches)


def _portioned(spellings: int, cells: int) -> int:
    """Return one of few numbers, as many spellings or more, for batches of so many cells."""
    portion = max(-(-cells // PORTIONS), LEAST_PORTION)
    return portion * -(-spellings // portion)


def inputs_of(encoded: Encoded, batch: Batch, room: int, dropped: Any = None) -> dict[str, Any]:
    """Return what the network reads of one batch.

    Args:
        encoded: the sentences.
        batch: the numbers of their spellings, in packed rows.
        room: for how many distinct spellings there is room; for more if the batch has more.
        dropped: which steps' words are to be unknown, (rows, steps); none if None.
    """
    kinds = np.asarray(batch.steps.values)
    distinct, places = np.unique(kinds, return_inverse=True)
    words = encoded.words[kinds]
    if dropped is not None:
        words = np.where(dropped, UNKNOWN_WORD, words)
    rows = len(kinds)
    if len(distinct) > room:
        room = _portioned(len(distinct), kinds.size)
    of_a_row = -(-room // rows)
    spellings = np.zeros((rows * of_a_row, encoded.spellings.shape[1]), np.int32)
    spellings[: len(distinct)] = encoded.spellings[distinct]
    inputs = {
        "words": Steps(words, batch.steps.segments, packed=True),
        "spellings": spellings.reshape(rows, of_a_row, -1),
        "places": places.reshape(kinds.shape).astype(np.int32),
    }
    # Word dropout leaves these: what an unknown word has is its vector of the file.
    return (
        inputs if encoded.pretrained is None else inputs | {"pretrained": encoded.pretrained[kinds]}
    )


class TrainingBatches:
    """The batches of an epoch by number, packed in another random order for each epoch.

    A word that training saw n times is unknown with the chance a / (a + n), so that the vector of
    unknown words is learned from rare ones.

    Args:
        encoded: the sentences.
        labels: the id of each step's label.
        batch_size: about how many sentences a batch holds.
        word_dropout: the a above.
        least: the length that rows have at least.
        seed: where order and dropout come from.

    Source: for word dropout, Kiperwasser and Goldberg 2016, "Simple and Accurate Dependency Parsing
    Using Bidirectional LSTM Feature Representations", section 4, after Iyyer et al. 2015.
    """

    def __init__(
        self,
        encoded: Encoded,
        labels: Ragged,
        batch_size: int,
        word_dropout: float,
        least: int,
        seed: int,
    ) -> None:
        self._encoded, self._labels = encoded, labels
        self.rows = Rows.for_training(encoded.kinds.lengths, batch_size, least)
        self._chances = word_dropout / np.maximum(word_dropout + encoded.counts, 1e-9)
        self._seed, self.epoch = seed, 0
        self._batches = self._packed()
        # One number for all batches: each is compiled once, which takes as long as many steps.
        self._room = round(SPARE * _fullest(self._batches))

    def _packed(self) -> Batches:
        random = np.random.default_rng([self._seed, self.epoch])
        kinds = self._encoded.kinds
        order = random.permutation(len(kinds))
        plan = plan_rows(kinds.lengths, self.rows.length, order)
        return packed_batches(kinds, plan, self.rows.count, {"labels": self._labels})

    @property
    def fill(self) -> float:
        """The share of cells that are real steps."""
        return self._batches.fill

    def covered(self) -> dict[str, float]:
        """Return the shares of steps, and of distinct spellings, that have a vector of a file."""
        found = self._encoded.pretrained
        if found is None:
            return {}
        has, steps = found > UNKNOWN_WORD, self._encoded.kinds.values
        return {"steps": float(has[steps].mean()), "spellings": float(has[1:].mean())}

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, number: int) -> tuple[dict[str, Any], Any]:
        batch = self._batches[number]
        random = np.random.default_rng([self._seed, self.epoch, number])
        chances = self._chances[np.asarray(batch.steps.values)]
        dropped = random.random(chances.shape) < chances
        return inputs_of(self._encoded, batch, self._room, dropped), batch.aligned["labels"]

    def on_epoch_end(self) -> None:
        """Pack the next epoch."""
        self.epoch += 1
        self._batches = self._packed()


def prediction_batches(encoded: Encoded, rows: Rows) -> Iterator[tuple[dict[str, Any], Any]]:
    """Give the inputs of each batch, and the segments that say whose steps its cells are.

    A sentence longer than the rows makes them twice as long, or four times and so on, and as many
    times fewer, so that memory grows with the longest sentence alone.
    """
    lengths = encoded.kinds.lengths
    longest, length = int(lengths.max(initial=1)), rows.length
    while length < longest:
        length *= 2
    plan = plan_rows(lengths, length)
    most = max(rows.count * rows.length // length, 1)
    fewer = min(most, 1 << (max(len(plan), 1) - 1).bit_length())
    batches = packed_batches(encoded.kinds, plan, fewer)
    room = _portioned(_fullest(batches), fewer * length)
    for batch in batches:
        yield inputs_of(encoded, batch, room), batch.steps.segments
