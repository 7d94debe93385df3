"""All labellings of the sequences in rows, one by one, in double precision: the truth on chains."""

from itertools import product
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from everystep.kernels.chain import FORBIDDEN, Chain


class Case(NamedTuple):
    """A chain, and labels of which some are not known."""

    emissions: Any
    moves: Any
    ends: Any
    segments: Any
    packed: bool
    labels: Any
    known: Any

    def chain(self) -> Chain:
        segments = None if self.segments is None else jnp.asarray(self.segments)
        emissions, moves, ends = map(jnp.asarray, (self.emissions, self.moves, self.ends))
        return Chain(emissions, moves, ends, segments, self.packed)


class Paths(NamedTuple):
    """All labellings of one sequence, and how probable each is."""

    all: Any
    scores: Any
    shares: Any


def random_case(
    seed: int, shape: Any, segments: Any, packed: bool, constrained: bool, dtype: Any = np.float32
) -> Case:
    random = np.random.default_rng(seed)
    size = shape[-1]
    emissions = 2 * random.normal(size=shape).astype(dtype)
    moves = 2 * random.normal(size=(size + 1, size)).astype(dtype)
    ends = 2 * random.normal(size=size).astype(dtype)
    if constrained:
        moves[1:, 1:][random.random((size, size - 1)) < 0.5] = FORBIDDEN
        ends[1:][random.random(size - 1) < 0.5] = FORBIDDEN
    labels = random.integers(0, size, shape[:-1])
    return Case(emissions, moves, ends, segments, packed, labels, random.random(shape[:-1]) < 0.7)


def sequences(case: Case) -> list[tuple[int, list[int]]]:
    """The row and the real steps of each sequence."""
    found: list[tuple[int, list[int]]] = []
    batch, steps, _ = case.emissions.shape
    ids = np.ones((batch, steps), int) if case.segments is None else case.segments
    for row in range(batch):
        last = 0
        for step in np.flatnonzero(ids[row]):
            if last == 0 or (case.packed and ids[row, step] != last):
                found.append((row, []))
            found[-1][1].append(int(step))
            last = ids[row, step]
    return found


def paths_of(case: Case, row: int, steps: list[int]) -> Paths:
    size = case.emissions.shape[-1]
    ways = np.array(list(product(range(size), repeat=len(steps))))
    emissions, moves, ends = (
        np.where(each == FORBIDDEN, -np.inf, each.astype(np.float64))
        for each in (case.emissions[row, steps], case.moves, case.ends)
    )
    scores = moves[size, ways[:, 0]] + ends[ways[:, -1]]
    scores += sum(emissions[place, ways[:, place]] for place in range(len(steps)))
    scores += sum(moves[ways[:, place - 1], ways[:, place]] for place in range(1, len(steps)))
    shares = np.exp(scores - scores.max())
    return Paths(ways, scores, shares / shares.sum())


def wanted_marginals(case: Case) -> Any:
    found = np.zeros(case.emissions.shape)
    for row, steps in sequences(case):
        paths = paths_of(case, row, steps)
        for place, step in enumerate(steps):
            np.add.at(found[row, step], paths.all[:, place], paths.shares)
    return found


def wanted_surprises(case: Case, known: Any) -> Any:
    """How much less probable the known labels up to a step are than those before it."""
    found = np.zeros(case.labels.shape)
    for row, steps in sequences(case):
        paths = paths_of(case, row, steps)
        shares = paths.shares
        for place, step in enumerate(steps):
            if known[row, step]:
                left = np.where(paths.all[:, place] == case.labels[row, step], shares, 0)
                found[row, step] = np.log(shares.sum()) - np.log(left.sum())
                shares = left
    return found


def likely_labels(case: Case, seed: int) -> Any:
    """Labels of a path drawn for each sequence, so that none needs what is forbidden."""
    random, labels = np.random.default_rng(seed), case.labels.copy()
    for row, steps in sequences(case):
        paths = paths_of(case, row, steps)
        labels[row, steps] = paths.all[random.choice(len(paths.all), p=paths.shares)]
    return labels


def real_steps(case: Case) -> Any:
    return np.ones(case.labels.shape, bool) if case.segments is None else case.segments != 0
