"""What a benchmark asks, as plain data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Sizes = Mapping[str, int | str]
"""One line of the benchmark: named numbers, and words for what is done."""


@dataclass(frozen=True)
class Peer:
    """One way to do the work.

    Args:
        name: as printed.
        build: "package.module:function". In a process of its own, the function gets the sizes and
            returns a callable without arguments that does the work once, waits until it is done
            and returns its results as arrays.
        environment: variables of that process, such as KERAS_BACKEND.
        requires: packages without which the peer is left out.
    """

    name: str
    build: str
    environment: Mapping[str, str] = field(default_factory=dict)
    requires: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """One comparison: the first peer is ours, every ratio is taken to it.

    Args:
        name: the word that the command line takes.
        text: the question in one sentence.
        peers: who does the work.
        cases: the sizes to do it at.
        flops: floating-point operations of the matrix products of a case, or None.
        tolerance: how far the peers' results may lie apart, relative.
        together: whether all cases are shown in one table, a line each.
    """

    name: str
    text: str
    peers: tuple[Peer, ...]
    cases: tuple[Sizes, ...]
    flops: Callable[[Sizes], float] | None = None
    tolerance: float = 1e-3
    together: bool = False
