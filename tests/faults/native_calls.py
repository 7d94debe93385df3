"""The native code survives whatever it is called with: an answer or an error, never a crash.

python -m tests.faults.native_calls [--minutes 3] [--seed 1] [--json]
"""

from __future__ import annotations

import argparse
import json
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from tests.faults.native_cases import foreign_cases, looped_cases, stepping_cases
from tests.faults.table import as_json, show
from tests.faults.tally import Tally, expect

SECONDS = 30
"""How long a call may take; a machine that others use too is slow, but no call is."""
KINDS = {
    "a foreign function of XLA with arrays of any shape and type": foreign_cases(),
    "the stepper's classes in any order, with any arrays": stepping_cases().map(
        lambda case: (case, False)
    ),
    "the recurrent loop with arrays of any shape, type and layout": looped_cases().map(
        lambda case: (case, False)
    ),
}


class Caller:
    """Another process that makes the calls, started anew where one has ended it."""

    def __init__(self) -> None:
        self._process: Any = None

    def ask(self, case: dict[str, Any]) -> dict[str, str]:
        """Return what came of a call.

        Raises:
            AssertionError: the process has ended or hangs; the message has the case.
        """
        if self._process is None:
            command = [sys.executable, "-m", "tests.faults.native_worker"]
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        process = self._process
        written = json.dumps(case)
        process.stdin.write(f"{written}\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], SECONDS)
        line = process.stdout.readline() if ready else ""
        if not line:
            self.close()
            how = f"ended with {process.returncode}" if ready else f"hung for {SECONDS} s"
            raise AssertionError(f"the process {how} in {written}")
        answer: dict[str, str] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._process = None


def survives(caller: Caller, case: dict[str, Any], must_refuse: bool) -> None:
    """Raise an AssertionError unless a call gives or refuses what it should."""
    answer = caller.ask(case)
    if must_refuse:
        expect("refused" in answer, f"what does not fit was taken: {json.dumps(case)}")
    elif case["kind"] == "foreign" and "refused" in answer:
        # Sizes that are too large for indices, or for NumPy, are all that may be wrong with it.
        words = ("of size", "2^31 steps", "2^44 numbers", "array is too big")
        expect(any(each in answer["refused"] for each in words), f"{answer}: {json.dumps(case)}")


def tally(kind: str, examples: int, seed: int, caller: Caller) -> Tally:
    """Make so many calls of a kind."""
    found = Tally(kind)

    @seeded(seed)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(KINDS[kind])
    def run(drawn: tuple[dict[str, Any], bool]) -> None:
        with found.trying(kind):
            survives(caller, *drawn)

    run()
    return found


def made(quick: bool, minutes: float = 3, seed: int = 1) -> list[Tally]:
    """Make few calls of each kind, or as many as there is time for."""
    caller = Caller()
    found = {kind: Tally(kind) for kind in KINDS}
    ends = time.monotonic() + 60 * minutes
    try:
        while True:
            for kind, total in found.items():
                total.add(tally(kind, 25 if quick else 200, seed, caller))
            seed += 1
            if quick or time.monotonic() > ends:
                return list(found.values())
    finally:
        caller.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return 1 if any call was not survived."""
    parser = argparse.ArgumentParser("python -m tests.faults.native_calls", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3, help="how long to make calls")
    parser.add_argument("--seed", type=int, default=1, help="where the calls come from")
    parser.add_argument("--json", action="store_true", help="print one list of objects")
    given = parser.parse_args(arguments)
    tallies = made(False, given.minutes, given.seed)
    if given.json:
        sys.stdout.write(f"{as_json(tallies)}\n")
    else:
        show(tallies)
    return int(any(each.failures for each in tallies))


if __name__ == "__main__":
    sys.exit(main())
