"""Shows what was measured: tables for people."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks._times import Measured, Times

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


def show(measured: Measured, console: Console) -> None:
    """Prints one case: rich on a terminal, plain text in a pipe."""
    console.print(f"\n{measured.question}: {_words(measured)}", highlight=False)
    rate = measured.gemm_rate / 1e9
    console.print(f"large product in the same run: {rate:.0f} GFLOP/s", highlight=False)
    counted = (f"{measured.unit} a second",) if measured.amount is not None else ()
    told = tuple(name for name, fact in measured.times[0].facts.items() if _is_number(fact))
    table = _table(console, ("peer",), (*COLUMNS[1:], *counted, *told))
    for times in measured.times:
        facts = (f"{times.facts[name]:.4g}" if name in times.facts else "" for name in told)
        table.add_row(*_row(measured, times), *facts)
    console.print(table)
    _show_missing(measured, console)


def _is_number(fact: object) -> bool:
    return type(fact) in (int, float)


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
            *(_ratio(measured, measured.of(other.peer)) for other in others),
            "NO" if any(times.agrees is False for times in rest) else "yes",
        )
    console.print(table)
    _show_missing(results[0], console)


def _words(measured: Measured) -> str:
    return ", ".join(f"{name} {value}" for name, value in measured.sizes.items())


def _table(console: Console, words: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table() if console.is_terminal else Table(box=None, pad_edge=False)
    for name in (*words, *numbers):
        table.add_column(name, justify="left" if name in words else "right", no_wrap=True)
    return table


def _show_missing(measured: Measured, console: Console) -> None:
    if measured.missing:
        console.print(f"left out: {'; '.join(measured.missing)}", highlight=False)


def _row(measured: Measured, times: Times) -> Iterable[str]:
    share, rate = measured.share(times), measured.rate(times)
    cells = [
        times.peer,
        f"{times.median * 1e3:.2f}",
        f"{times.least * 1e3:.2f}",
        f"{times.spread:.0%}",
        _ratio(measured, times),
        "" if share is None else f"{share:.0%}",
        f"{times.first * 1e3:.0f}",
        {True: "yes", False: "NO", None: ""}[times.agrees],
    ]
    return cells if rate is None else [*cells, f"{rate:,.0f}"]


def _ratio(measured: Measured, times: Times | None) -> str:
    ratio = None if times is None else measured.ratio(times)
    return "" if ratio is None else f"{ratio:.2f}"
