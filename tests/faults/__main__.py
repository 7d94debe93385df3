"""Faults of disks, clocks and processes: how many were made, and how many lost nothing.

python -m tests.faults [disks moments ...] [--quick] [--json]
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.faults.table import COMMANDS, IN_PROCESS, LONG, WITH_PROCESSES, as_json, made, show
from tests.faults.tally import say


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return 1 if any fault was not survived."""
    # Those that fork come first, while there are no threads of JAX.
    quick = (*WITH_PROCESSES, *IN_PROCESS)
    modules = (*quick, *LONG, *COMMANDS)
    parser = argparse.ArgumentParser("python -m tests.faults", description=__doc__)
    parser.add_argument("modules", nargs="*", help=f"of {', '.join(modules)}")
    parser.add_argument("--quick", action="store_true", help="those that tests have time for")
    parser.add_argument("--json", action="store_true", help="print one list of objects")
    given = parser.parse_args(arguments)
    if unknown := set(given.modules) - set(modules):
        parser.error(f"no faults are called {', '.join(unknown)}")
    # Hundreds of processes run the same programs, which are compiled once for all of them.
    os.environ.setdefault(
        "JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[2] / ".jax_cache")
    )
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    tallies = []
    asked = given.modules or (quick if given.quick else modules)
    for module in filter(asked.__contains__, modules):
        if not given.json:
            sys.stderr.write(f"... {module}\n")
        tallies += made(module, given.quick)
    if given.json:
        say(as_json(tallies))
    else:
        show(tallies)
    return int(any(each.failures for each in tallies))


if __name__ == "__main__":
    sys.exit(main())
