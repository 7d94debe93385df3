"""Shows what was measured: a table for people, JSON for machines."""

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks._measure import Measured

COLUMNS = (
    "peer",
    "median ms",
    "least ms",
    "spread",
    "ratio",
    "of product",
    "first call ms",
    "same",
)
PACKAGES = ("everystep", "jax", "jaxlib", "keras", "torch", "numpy")


def show(measured: Measured, console: Console) -> None:
    """Prints one case: rich on a terminal, plain text in a pipe."""
    sizes = ", ".join(f"{name} {value}" for name, value in measured.sizes.items())
    console.print(f"\n{measured.question}: {sizes}", highlight=False)
    rate = measured.gemm_rate / 1e9
    console.print(f"large product in the same run: {rate:.0f} GFLOP/s", highlight=False)
    table = _table(console, ("peer",), COLUMNS[1:])
    for row in _rows(measured):
        table.add_row(*row)
    console.print(table)
    _show_missing(measured, console)


def show_together(results: Sequence[Measured], console: Console) -> None:
    """Prints all cases of a question in one table: the first peer's time, the others' ratios."""
    if not results:
        return
    sizes, others = tuple(results[0].sizes), results[0].times[1:]
    numbers = [f"{results[0].times[0].peer} ms", "spread", *(other.peer for other in others)]
    table = _table(console, sizes, (*numbers, "same"))
    for measured in results:
        first, *rest = measured.times
        table.add_row(
            *(str(value) for value in measured.sizes.values()),
            f"{first.median * 1e3:.3f}",
            f"{first.spread:.0%}",
            *(f"{measured.ratio(times):.2f}" for times in rest),
            "NO" if any(times.agrees is False for times in rest) else "yes",
        )
    console.print(table)
    _show_missing(results[0], console)


def _table(console: Console, words: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table() if console.is_terminal else Table(box=None, pad_edge=False)
    for name in (*words, *numbers):
        table.add_column(name, justify="left" if name in words else "right", no_wrap=True)
    return table


def _show_missing(measured: Measured, console: Console) -> None:
    if measured.missing:
        console.print(f"left out, not installed: {', '.join(measured.missing)}", highlight=False)


def _rows(measured: Measured) -> Iterable[list[str]]:
    for times in measured.times:
        share = measured.share(times)
        yield [
            times.peer,
            f"{times.median * 1e3:.2f}",
            f"{times.least * 1e3:.2f}",
            f"{times.spread:.0%}",
            f"{measured.ratio(times):.2f}",
            "" if share is None else f"{share:.0%}",
            f"{times.first * 1e3:.0f}",
            {True: "yes", False: "NO", None: ""}[times.agrees],
        ]


def as_json(results: Iterable[Measured]) -> dict[str, Any]:
    """All results and what they were measured with, as numbers in seconds."""
    return {
        "machine": {"processor": platform.processor(), "cores": os.cpu_count()},
        "versions": {name: _version(name) for name in PACKAGES},
        "results": [
            {
                "question": measured.question,
                "sizes": dict(measured.sizes),
                "gemm_flops_per_second": measured.gemm_rate,
                "flops": measured.flops,
                "missing": measured.missing,
                "peers": [
                    {
                        "name": times.peer,
                        "median": times.median,
                        "least": times.least,
                        "spread": times.spread,
                        "ratio": measured.ratio(times),
                        "share_of_gemm": measured.share(times),
                        "first_call": times.first,
                        "agrees": times.agrees,
                        "seconds": times.seconds,
                    }
                    for times in measured.times
                ],
            }
            for measured in results
        ],
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
