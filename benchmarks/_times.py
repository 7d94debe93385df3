"""What was measured, as plain data, and what follows from it."""

import statistics
from dataclasses import dataclass, field
from typing import Any

from benchmarks._question import Sizes


@dataclass
class Times:
    """All times of one peer in one case, in seconds."""

    peer: str
    first: float
    error: float | None
    """The largest relative distance of its results from those that are right; None: none known."""
    agrees: bool | None
    against: str = ""
    """The peer that it is compared with; "" for the first."""
    seconds: list[float] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """What the peer itself says of its first run."""

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
    """The peers that were left out, each with the reason."""
    gemm_rate: float
    """Floating-point operations a second of the fastest large product; from the least time."""
    flops: float | None
    amount: float | None = None
    """How much of what people count is done in one run, such as real steps."""
    unit: str = ""

    def of(self, peer: str) -> Times | None:
        """Return the times of a peer, or None where it did not take part."""
        return next((times for times in self.times if times.peer == peer), None)

    def ratio(self, times: Times) -> float | None:
        """How many times as long as the peer it is compared with, by medians."""
        other = self.of(times.against) if times.against else self.times[0]
        return None if other is None else times.median / other.median

    def share(self, times: Times) -> float | None:
        """The part of the large product's rate that the peer's best run reached."""
        return None if self.flops is None else self.flops / times.least / self.gemm_rate

    def rate(self, times: Times) -> float | None:
        """How much of what is counted a second, by the median."""
        return None if self.amount is None else self.amount / times.median
