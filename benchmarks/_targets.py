"""What speed was promised, as data, and what of it a run has reached.

Every promise is a ratio of two times of one run, so it holds or fails on any machine; it says
little where the spread is large.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks._question import Sizes
from benchmarks._times import Measured, Times

OURS = "everystep"
TORCH = ("torch",)
KERAS = ("Keras on",)


@dataclass(frozen=True)
class Target:
    """A promise.

    Args:
        workload: in words.
        question: where it is measured.
        where: what the sizes of the case say.
        factor: how many times as long the other must take; for `at_most`, how many times as long
            as the other the peer may take; for a share, the part of the large product's rate.
        ahead_of: the beginning of the names of the others, of which the fastest counts; none: the
            large product.
        peer: whose time it is.
        first: whether the first calls are compared, and not the medians.
        at_most: whether the factor is the most that the peer may take of the other's time.
    """

    workload: str
    question: str
    where: Sizes
    factor: float
    ahead_of: tuple[str, ...] = ()
    peer: str = OURS
    first: bool = False
    at_most: bool = False


@dataclass(frozen=True)
class Verdict:
    """What a run says of a promise: the figure, None where it was not measured, and the spread."""

    target: Target
    against: str
    found: float | None
    spread: float = 0.0

    @property
    def reached(self) -> bool | None:
        if self.found is None:
            return None
        if self.target.at_most:
            return self.found <= self.target.factor
        return self.found >= self.target.factor


def _layers(cell: str, task: str) -> Sizes:
    return {"cell": cell, "task": task, "batch": 32, "steps": 50, "features": 128, "units": 256}


def _alone() -> Iterable[Target]:
    for task, keras in (("forward", 1.5), ("gradients", 1.8)):
        words = f"LSTM, {task}"
        where = _layers("LSTM", task)
        yield Target(words, "recurrent", where, 1.0, TORCH)
        yield Target(words, "recurrent", where, keras, KERAS)
        yield Target(words, "recurrent", where, 0.85)
    for task in ("forward", "gradients"):
        words = f"GRU, {task}"
        where = _layers("GRU", task)
        yield Target(words, "recurrent", where, 2.5, TORCH)
        yield Target(words, "recurrent", where, 2.5, KERAS)
        yield Target(words, "recurrent", where, 0.8)


def _rows() -> Iterable[Target]:
    for peer in ("resets 1 %", "resets 10 %", "gaps", "left padding", "right padding", "dropout"):
        for cell in ("LSTM", "GRU"):
            for task in ("forward", "gradients"):
                where = {"cell": cell, "task": task}
                words = f"{cell} with {peer}, {task}"
                yield Target(words, "rows", where, 1.1, ("plain",), peer, at_most=True)


TARGETS: tuple[Target, ...] = (
    *_alone(),
    Target("tagger, training step", "tagger", {"task": "train step"}, 1.0, TORCH),
    Target("tagger, training step", "tagger", {"task": "train step"}, 1.8, KERAS),
    Target("ragged tagger, random order", "ragged", {"order": "random"}, 3.0, TORCH),
    Target("ragged tagger, random order", "ragged", {"order": "random"}, 5.0, KERAS),
    Target("ragged tagger, sorted pools", "ragged", {"order": "sorted"}, 1.2, TORCH),
    Target("ragged tagger, sorted pools", "ragged", {"order": "sorted"}, 2.0, KERAS),
    *(
        Target(f"tagger of English, to {target} of dev", "accuracy", {"target": target}, *rest)
        for target in ("0.90", "0.94")
        for rest in ((2.0, TORCH), (3.0, KERAS))
    ),
    *_rows(),
    Target("LSTM, one row", "batch_one", {"cell": "LSTM", "units": 256}, 2.0, TORCH),
    *(
        Target(f"LSTM bfloat16, {task}", "bfloat16", {"cell": "LSTM", "task": task}, *rest)
        for task in ("forward", "gradients")
        for rest in ((1.6, ("everystep float32",)), (1.2, ("torch",)))
    ),
    *(
        Target(
            f"LSTM over characters, {task}", "characters", {"task": task}, factor, KERAS, first=f
        )
        for task in ("forward", "train step")
        for factor, f in ((4.0, False), (20.0, True))
    ),
)


def verdicts(results: Sequence[Measured], targets: Sequence[Target] = TARGETS) -> list[Verdict]:
    """Return what the results say of each promise.

    Where a case was measured more than once, the last time counts.
    """
    return [_verdict(target, results) for target in targets]


def _verdict(target: Target, results: Sequence[Measured]) -> Verdict:
    words = " or ".join(target.ahead_of) or "large product"
    for measured in reversed(results):
        ours = measured.of(target.peer)
        if measured.question != target.question or ours is None:
            continue
        if not target.where.items() <= measured.sizes.items():
            continue
        if not target.ahead_of:
            return Verdict(target, words, measured.share(ours), ours.spread)
        others = [times for times in measured.times if times.peer.startswith(target.ahead_of)]
        if others:
            return _against(target, ours, others)
    return Verdict(target, words, None)


def _against(target: Target, ours: Times, others: Sequence[Times]) -> Verdict:
    def taken(times: Times) -> float:
        return times.first if target.first else times.median

    best = min(others, key=taken)
    ratio = taken(best) / taken(ours)
    found = 1 / ratio if target.at_most else ratio
    return Verdict(target, best.peer, found, max(ours.spread, best.spread))


def show_targets(results: Sequence[Measured], console: Console) -> None:
    """Prints what was promised and what was reached."""
    table = Table() if console.is_terminal else Table(box=None, pad_edge=False)
    for name in ("workload", "next to", "promised", "found", "spread", "reached"):
        table.add_column(name, justify="left" if name in ("workload", "next to") else "right")
    for verdict in verdicts(results):
        target = verdict.target
        table.add_row(
            f"{target.workload}{', first call' if target.first else ''}",
            verdict.against,
            f"{'<=' if target.at_most else '>='} {target.factor:.2f}",
            "" if verdict.found is None else f"{verdict.found:.2f}",
            "" if verdict.found is None else f"{verdict.spread:.0%}",
            {True: "yes", False: "NO", None: "not measured"}[verdict.reached],
        )
    console.print(table)
