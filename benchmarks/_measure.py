"""Runs the peers of a question in turn and gathers their times.

Every round runs every peer once, in a new random order: whatever else the machine does then
falls on all of them alike, and the ratios hold even where the times do not.
"""

import math
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from benchmarks import _gemm
from benchmarks._process import PeerEndedError, Worker, workers_of
from benchmarks._question import Peer, Question, Sizes
from benchmarks._times import Measured, Times

# Thread pools keep spinning for a while after their work; the next peer waits until they rest.
PAUSE = 0.01
# A round more costs little where runs are short, and says much where they are long.
LEAST_ROUNDS = 5


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Args:
        rounds: how often each peer is timed in a case.
        seconds: after how long no new round begins, though `LEAST_ROUNDS` are always run where
            `rounds` allows as many.
    """

    rounds: int = 20
    seconds: float = math.inf


Told = Callable[[str], None]


def measure(
    question: Question, cases: Sequence[Sizes], effort: Effort, told: Told = lambda _: None
) -> Iterable[Measured]:
    """Runs cases of a question.

    Args:
        question: what to run.
        cases: the sizes to run it at.
        effort: how long to measure.
        told: called with a line for people whenever something begins.

    Yields:
        For each case its times, in the order of the question's peers.

    Raises:
        PeerEndedError: the process of the first peer ended. Where another one ends, it is left out
            from then on, and the results name it.
    """
    missing = {peer.name: reason for peer in question.peers if (reason := _absence(peer))}
    present = [peer for peer in question.peers if peer.name not in missing]
    ceilings = [peer for peer in _gemm.PEERS if not _absence(peer)]
    references = [question.reference] if question.reference else []
    with workers_of([*present, *ceilings, *references]) as workers:
        peers = workers[: len(present)]
        ceiling = workers[len(present) : len(present) + len(ceilings)]
        reference = workers[len(present) + len(ceilings) :]
        for sizes in cases:
            run = _Case(question, sizes, effort, missing, told)
            yield run.measured(peers, ceiling, reference)


def _absence(peer: Peer) -> str:
    absent = [name for name in peer.requires if find_spec(name) is None]
    return f"{', '.join(absent)} not installed" if absent else ""


class _Case:
    """One case on its way from building to results."""

    def __init__(
        self, question: Question, sizes: Sizes, effort: Effort, missing: dict[str, str], told: Told
    ) -> None:
        self.question = question
        self.sizes = sizes
        self.effort = effort
        self.missing = missing
        self.told = told

    def measured(
        self, peers: list[Worker], ceilings: list[Worker], references: list[Worker]
    ) -> Measured:
        alive = [w for w in peers if w.peer.name not in self.missing and w.peer.can(self.sizes)]
        wanted = [self._build(worker)["digest"] for worker in references]
        found = self._build_all(alive)
        alive = list(found)
        digests = wanted[0] if wanted else found[alive[0]]["digest"]
        times = {worker: self._times(worker, found[worker], digests) for worker in alive}
        products = {worker: self._build(worker)["flops"] for worker in ceilings}
        question, sizes = self.question, self.sizes
        took = self._rounds(ceilings if question.once else [*alive, *ceilings])
        for worker in alive:
            times[worker].seconds = took.get(worker, [times[worker].first])
        return Measured(
            question.name,
            sizes,
            list(times.values()),
            [f"{name}: {reason}" for name, reason in self.missing.items()],
            max(flops / min(took[worker]) for worker, flops in products.items()),
            None if question.flops is None else question.flops(sizes),
            None if question.amount is None else question.amount(sizes),
            question.unit,
        )

    def _build(self, worker: Worker) -> dict[str, Any]:
        self.told(f"building {worker.peer.name}")
        return worker.build(self.sizes)

    def _build_all(self, workers: list[Worker]) -> dict[Worker, dict[str, Any]]:
        found = {}
        for worker in workers:
            try:
                found[worker] = self._build(worker)
            except PeerEndedError:
                if worker is workers[0]:
                    raise
                self.missing[worker.peer.name] = f"ended at {dict(self.sizes)}"
        return found

    def _times(self, worker: Worker, answer: dict[str, Any], wanted: list[float]) -> Times:
        off = error(answer["digest"], wanted)
        agrees = None if off is None else off <= self.question.tolerance
        name, against = worker.peer.name, worker.peer.against
        return Times(name, answer["first"], off, agrees, against, facts=answer["facts"])

    def _rounds(self, workers: list[Worker]) -> dict[Worker, list[float]]:
        took: dict[Worker, list[float]] = {worker: [] for worker in workers}
        order, began = list(workers), time.perf_counter()
        for number in range(self.effort.rounds):
            spent = time.perf_counter() - began
            if number >= LEAST_ROUNDS and spent > self.effort.seconds:
                break
            self.told(f"round {number + 1} of {self.effort.rounds}")
            random.shuffle(order)
            for worker in order:
                time.sleep(PAUSE)
                took[worker].append(worker.run(self.question.warm))
        return took


def error(found: list[float], wanted: list[float]) -> float | None:
    """The largest distance of two digests, each array by its own size; None: nothing to compare."""
    if not found or not wanted:
        return None
    if len(found) != len(wanted):
        return math.inf
    # Arrays that are all but zero next to the others are taken by the size of those.
    floor = max(1e-30, 1e-6 * max(wanted[::2]))
    sizes = [max(floor, size) for size in wanted[::2] for _ in range(2)]
    off = [abs(a - b) / size for a, b, size in zip(found, wanted, sizes, strict=True)]
    return math.inf if any(map(math.isnan, off)) else max(off)
