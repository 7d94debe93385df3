"""How often a fault was made, and how often nothing was lost by it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

MOST_CALLS = 1000
"""More calls than anything makes that is tried."""


@dataclass
class Tally:
    """The tries of one fault.

    Args:
        fault: the fault, in words.
        tries: how often it was made.
        failures: what was lost, one line a try.
        skipped: why the fault cannot be made here, or nothing.
    """

    fault: str
    tries: int = 0
    failures: list[str] = field(default_factory=list)
    skipped: str = ""

    @property
    def survived(self) -> int:
        """How many tries lost nothing."""
        return self.tries - len(self.failures)

    @contextmanager
    def trying(self, case: str) -> Iterator[None]:
        """Count a try; an error in the block, of whatever kind, says that it was not survived."""
        self.tries += 1
        try:
            yield
        except Exception as error:
            self.failures.append(f"{case}: {type(error).__name__}: {error}")

    def at_each_call(self, case: str, fails: Callable[[int], bool], every: int = 1) -> None:
        """Try with the first call that fails, the second and so on, until there is none more.

        Args:
            case: what is tried.
            fails: tries it, given the number of the call; returns whether there was that call.
            every: how many calls the next try is behind the one before.
        """
        for at in range(1, MOST_CALLS, every):
            with self.trying(f"{case}, call {at}"):
                if not fails(at):
                    self.tries -= 1
                    return
        self.failures.append(f"{case}: still calls after {MOST_CALLS}")

    def add(self, other: "Tally") -> None:
        """Count the tries of a part."""
        self.tries += other.tries
        self.failures += other.failures


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def expect(holds: object, words: str) -> None:
    """Raise an error that says what does not hold."""
    if not holds:
        raise AssertionError(words)
