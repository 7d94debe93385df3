"""What a benchmark asks, as plain data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Sizes = Mapping[str, int | str]
"""One line of the benchmark: named numbers, and words for what is done."""


def _itself(result: Any) -> Any:
    return result


def _nothing(_: Any) -> dict[str, Any]:
    return {}


def _always(_: Sizes) -> bool:
    return True


@dataclass(frozen=True)
class Work:
    """What a peer does, and what of it is compared with the other peers.

    Args:
        run: does the work once, waits until it is done and returns its results.
        comparable: brings the results into the order and form that all peers share; not timed.
        flops: floating-point operations of one run, where the peer itself chooses its sizes.
        facts: what of the first run's results is kept as it is; numbers are shown by their names.
    """

    run: Callable[[], Any]
    comparable: Callable[[Any], Any] = _itself
    flops: float | None = None
    facts: Callable[[Any], dict[str, Any]] = _nothing


@dataclass(frozen=True)
class Peer:
    """One way to do the work.

    Args:
        name: as printed.
        build: "package.module:function". In a process of its own, the function gets the sizes and
            returns the `Work`, or a callable that is all of it.
        environment: variables of that process, such as KERAS_BACKEND.
        requires: packages without which the peer is left out.
        settings: what is done otherwise than the case says, such as another dtype.
        against: the peer whose time this one's is compared with; "" for the first.
        can: whether the peer knows how to do a case; where not, it is left out there.
    """

    name: str
    build: str
    environment: Mapping[str, str] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    settings: Sizes = field(default_factory=dict)
    against: str = ""
    can: Callable[[Sizes], bool] = _always


@dataclass(frozen=True)
class Question:
    """One comparison: the first peer is ours, every ratio is taken to it unless a peer says so.

    Args:
        name: the word that the command line takes.
        text: the question in one sentence.
        peers: who does the work.
        cases: the sizes to do it at.
        flops: floating-point operations of the matrix products of a case, or None.
        tolerance: how far the peers' results may lie apart, relative.
        together: whether all cases are shown in one table, a line each.
        reference: who gives the results in double precision, which every peer is then held to;
            None to hold them to the first peer.
        amount: how much of what people count is done in one run, such as real steps, or None.
        unit: what is counted.
        growth: the size that grows from case to case, which pictures are drawn along; or "".
        warm: whether a run that is not counted goes ahead of the timed ones, since the peer before
            has emptied the caches; runs of seconds need none.
        once: whether the first run is all that is timed, since it takes minutes and starts afresh.
        quick: the sizes of a smoke run, instead of those of the cases.
        needs: returns why the question cannot be asked here, or "".
    """

    name: str
    text: str
    peers: tuple[Peer, ...]
    cases: tuple[Sizes, ...]
    flops: Callable[[Sizes], float] | None = None
    tolerance: float = 1e-3
    together: bool = False
    reference: Peer | None = None
    amount: Callable[[Sizes], float] | None = None
    unit: str = ""
    growth: str = ""
    warm: bool = True
    once: bool = False
    quick: Sizes = field(default_factory=dict)
    needs: Callable[[], str] = str

    def only(self, names: Sequence[str]) -> "Question":
        """Return the question for its first peer and those whose names begin with one of these."""
        first, *rest = self.peers
        kept = [peer for peer in rest if peer.name.startswith(tuple(names))]
        return replace(self, peers=(first, *kept))

    def quick_cases(self) -> tuple[Sizes, ...]:
        """Return the cases at the sizes of a smoke run, each once."""
        small = [{**case, **self.quick} for case in self.cases]
        return tuple(case for place, case in enumerate(small) if case not in small[:place])
