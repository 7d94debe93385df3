"""The same seed gives the same bits, whatever a process finds around it.

python -m tests.faults.same_bits [--json]

XLA has as many threads as the process has cores, or as `set_xla_threads` says, and shares large
sums out among them. So there are two laws: with one thread, everything has the same bits on any
number of cores; and what has no such sums has them with any number of threads from 2 on.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from everystep.config import set_xla_threads
from everystep.kernels.extension import paths
from tests.faults.repeatable import PARTS
from tests.faults.tally import say

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Surroundings:
    """What a process finds around it.

    Args:
        threads: how many XLA is given.
        team: how many the native loop has.
        cores: on how many of the machine's cores the process may run; None for all.
        elsewhere: whether folder, language, seed of hashes and order of files are others.
        further: what else the environment says.
    """

    threads: int = 2
    team: int = 2
    cores: int | None = None
    elsewhere: bool = False
    further: dict[str, str] = field(default_factory=dict)

    def digests(self, parts: Iterable[str]) -> dict[str, str]:
        """Do what belongs to some parts in a process of its own; return a digest of each."""
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
            "EVERYSTEP_THREADS": str(self.team),
            # A program that another process has compiled would hide what is compiled here.
            "JAX_ENABLE_COMPILATION_CACHE": "false",
            "PYTHONHASHSEED": "1",
            **self.further,
        }
        command = [sys.executable, "-m", "tests.faults.same_bits", "--do", *parts]
        command += ["--threads", str(self.threads)]
        with tempfile.TemporaryDirectory() as folder:
            if self.elsewhere:
                other = {
                    "PYTHONHASHSEED": "2",
                    "LC_ALL": "C",
                    "PYTHONUTF8": "0",
                    "TZ": "Asia/Tokyo",
                }
                environment |= {**other, "PYTHONCOERCECLOCALE": "0", "TMPDIR": folder}
                command += ["--backwards"]
            if self.cores is not None:
                command += ["--cores", str(self.cores)]
            done = subprocess.run(
                command,
                env=environment,
                cwd=folder if self.elsewhere else ROOT,
                check=True,
                stdout=subprocess.PIPE,
            )
        found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
        return found


@dataclass(frozen=True)
class Fault:
    """What must make no difference.

    Args:
        before: what the first process finds around it.
        after: what each of the others does.
        parts: what they all do; see `repeatable.PARTS`.
    """

    before: Surroundings
    after: Sequence[Surroundings]
    parts: Sequence[str]

    def differences(self) -> tuple[int, list[str]]:
        """Return how many results there are, and which of them differ."""
        wanted = self.before.digests(self.parts)
        found = [(each, each.digests(self.parts)) for each in self.after]
        others = [f"{name} in {s}" for s, d in found for name in wanted if d[name] != wanted[name]]
        return len(wanted) * len(found), others


def faults() -> dict[str, Fault]:
    """Return what must make no difference, by name."""
    usual, alone = Surroundings(), Surroundings(threads=1)
    everything = "small", "catalogue", "large", "wide catalogue"
    ways = [{"EVERYSTEP_PATH": path} for path in paths()] + [{"EVERYSTEP_KERNEL": "xla"}]
    return {
        "another folder, language, seed of hashes, order of files": Fault(
            usual, [Surroundings(elsewhere=True)], ("small",)
        ),
        "one core instead of all": Fault(alone, [Surroundings(1, cores=1)], everything),
        "another number of threads in the native loop": Fault(
            usual, [Surroundings(team=team) for team in (1, 3, 7)], ("small", "large")
        ),
        "another number of threads in XLA": Fault(
            usual, [Surroundings(threads=threads) for threads in (3, 5, 16)], ("small", "catalogue")
        ),
        **{
            f"one core and thread instead of all, {' '.join(way.values())}": Fault(
                replace(alone, further=way), [Surroundings(1, 1, 1, further=way)], ("small",)
            )
            for way in ways
        },
    }


def cores() -> int | None:
    """On how many cores this process may run."""
    allowed = getattr(os, "sched_getaffinity", None)
    return os.cpu_count() if allowed is None else len(allowed(0))


@contextmanager
def listed(folder: Any, scan: Any) -> Iterator[Iterator[Any]]:
    """Go through a folder's entries, the last one first."""
    with scan(folder) as entries:
        yield iter(list(entries)[::-1])


def do(
    parts: Iterable[str],
    backwards: bool = False,
    cores: int | None = None,
    threads: int | None = None,
) -> dict[str, str]:
    """Do what belongs to some parts; return a digest of each."""
    if cores is not None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    if threads is not None:
        set_xla_threads(threads)
    if backwards:
        scan = os.scandir
        os.scandir = lambda folder=".": listed(folder, scan)  # type: ignore[assignment]
    works = ((part, name, work) for part in parts for name, work in PARTS[part]())
    return {f"{part}: {name}": hashlib.sha256(work()).hexdigest() for part, name, work in works}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print what came of each fault as JSON")
    parser.add_argument("--do", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--backwards", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--cores", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.do:
        say(json.dumps(do(given.do, given.backwards, given.cores, given.threads)))
        return 0
    told, wrong = [], []
    for name, fault in faults().items():
        tries, others = fault.differences()
        wrong += others
        told.append({"fault": name, "tries": tries, "survived": tries - len(others)})
        if not given.json:
            say(f"{name}: {tries - len(others)} of {tries} have the same bits")
    if given.json:
        say(json.dumps(told))
    for other in wrong:
        sys.stderr.write(f"other bits: {other}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
