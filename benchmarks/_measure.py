"""Runs the peers of a question in turn and gathers their times.

Every round runs every peer once, in a new random order: whatever else the machine does then
falls on all of them alike, and the ratios hold even where the times do not.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import _gemm
from benchmarks._question import Peer, Question, Sizes

GEMM = Peer("matrix product", "benchmarks._gemm:build")
# Thread pools keep spinning for a while after their work; the next peer waits until they rest.
PAUSE = 0.01
ROOT = Path(__file__).parents[1]


@dataclass
class Times:
    """All times of one peer in one case, in seconds."""

    peer: str
    first: float
    agrees: bool | None
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def least(self) -> float:
        return min(self.seconds)

    @property
    def spread(self) -> float:
        """Distance of the quartiles, relative to the median."""
        if len(self.seconds) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.seconds, n=4)
        return (high - low) / self.median


@dataclass
class Measured:
    """One case of a question with the times of all its peers, and what they are compared to."""

    question: str
    sizes: Sizes
    times: list[Times]
    missing: list[str]
    gemm_rate: float
    """Floating-point operations a second of a large product; from the least time."""
    flops: float | None

    def ratio(self, times: Times) -> float:
        """How many times as long as the first peer, by medians."""
        return times.median / self.times[0].median

    def share(self, times: Times) -> float | None:
        """The part of the large product's rate that the peer's best run reached."""
        return None if self.flops is None else self.flops / times.least / self.gemm_rate


class Worker:
    """A peer in a process of its own."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks._worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **peer.environment},
            cwd=ROOT,
        )

    def ask(self, **command: Any) -> dict[str, Any]:
        """Sends one command and waits for its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError(f"the peer {self.peer.name!r} ended; its error stands above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Ends the process: it stops where its commands stop."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def measure(
    question: Question, rounds: int, progress: Callable[[Sizes], None] = lambda _: None
) -> list[Measured]:
    """Runs all cases of a question.

    Args:
        question: what to run.
        rounds: how often each peer is timed in a case.
        progress: called with the sizes of each case before it runs.

    Returns:
        One entry for each case, its times in the order of the question's peers.

    Raises:
        RuntimeError: the process of a peer ended.
    """
    present = [peer for peer in question.peers if all(find_spec(name) for name in peer.requires)]
    missing = [peer.name for peer in question.peers if peer not in present]
    workers: list[Worker] = []
    try:
        workers += [Worker(peer) for peer in (*present, GEMM)]
        results = []
        for sizes in question.cases:
            progress(sizes)
            results.append(_measure_case(question, sizes, workers, missing, rounds))
        return results
    finally:
        for worker in workers:
            worker.close()


def _measure_case(
    question: Question, sizes: Sizes, workers: Sequence[Worker], missing: list[str], rounds: int
) -> Measured:
    built = [
        worker.ask(do="build", build=worker.peer.build, sizes=dict(sizes)) for worker in workers
    ]
    wanted = built[0]["digest"]
    times = {
        worker: Times(worker.peer.name, answer["first"], _agrees(question, answer, wanted))
        for worker, answer in zip(workers, built, strict=True)
    }
    order = list(workers)
    for _ in range(rounds):
        random.shuffle(order)
        for worker in order:
            time.sleep(PAUSE)
            times[worker].seconds.append(worker.ask(do="run")["seconds"])
    gemm = times.pop(workers[-1])
    return Measured(
        question.name,
        sizes,
        list(times.values()),
        missing,
        _gemm.FLOPS / gemm.least,
        None if question.flops is None else question.flops(sizes),
    )


def _agrees(question: Question, answer: dict[str, Any], wanted: list[float]) -> bool | None:
    """Whether a peer's results are the first one's; None where there is nothing to compare."""
    found = answer["digest"]
    if not found or not wanted:
        return None
    scale = max(1e-30, *(abs(number) for number in wanted))
    near = (abs(a - b) <= question.tolerance * scale for a, b in zip(found, wanted, strict=False))
    return len(found) == len(wanted) and all(near)
