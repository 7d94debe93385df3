"""The faults that are made on purpose, each with what makes them."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from tests.faults.tally import Tally, say

IN_PROCESS = ("disks", "full", "clocks", "data", "folders", "saves")
"""Modules whose faults can be made in any process."""
WITH_PROCESSES = ("endings", "killed", "moments")
"""Modules that fork, and so want a process without threads of others."""


LONG = ("commands", "native_calls")
"""Modules for whose faults tests have no time."""
COMMANDS = ("bad_arguments", "flat_memory", "same_bits")
"""Modules with a command of their own, which takes long and counts what came of it in JSON."""


def made(module: str, quick: bool) -> list[Tally]:
    """Make the faults of a module: all of them, or those that tests have time for."""
    if module in COMMANDS:
        return _counted(f"tests.faults.{module}")
    make: Callable[[bool], list[Tally]] = import_module(f"tests.faults.{module}").made
    return make(quick)


def _counted(module: str) -> list[Tally]:
    """Run the command of a module."""
    command = [sys.executable, "-m", module, "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        rows = json.loads(ended.stdout)
    except ValueError:
        raise RuntimeError(f"{' '.join(command)} gives no counts: {ended.stderr}") from None
    return [
        Tally(row["fault"], row["tries"], [f"see {module}"] * (row["tries"] - row["survived"]))
        for row in rows
    ]


def as_json(tallies: Sequence[Tally]) -> str:
    """Return the counts as plain data."""
    rows = [
        {
            "fault": each.fault,
            "tries": each.tries,
            "survived": each.survived,
            **({"skipped": each.skipped} if each.skipped else {}),
            **({"failures": each.failures} if each.failures else {}),
        }
        for each in tallies
    ]
    return json.dumps(rows, indent=1)


def show(tallies: Sequence[Tally]) -> None:
    """Print the counts: a table on a terminal, columns in a pipe."""
    rows = [("fault", "tries", "survived")]
    rows += [(each.fault, str(each.tries), each.skipped or str(each.survived)) for each in tallies]
    if sys.stdout.isatty():
        _draw(rows)
    else:
        width = max(len(row[0]) for row in rows)
        for row in rows:
            say(f"{row[0]:{width}}  {row[1]:>6}  {row[2]:>8}")
    for each in tallies:
        for line in each.failures:
            say(f"NOT SURVIVED: {line}")


def _draw(rows: Sequence[tuple[str, str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(rows[0][0])
    for name in rows[0][1:]:
        table.add_column(name, justify="right")
    for row in rows[1:]:
        table.add_row(*row)
    Console().print(table)
