"""Figures of several runs that differ in their seed alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from everystep.drawing.figures import Spread
from everystep.errors import DataError


def over_runs(runs: Sequence[Mapping[str, Any]]) -> dict[str, Spread]:
    """Give mean and standard deviation of each figure over runs.

    Args:
        runs: the figures of each run, as `Scores.figures` gives them; what is no number, such as
            the table of labels, is left out, and so is what no run defines.

    Returns:
        What each figure is over the runs in which it is defined, by its name.

    Raises:
        DataError: there is no run.

    >>> over_runs([{"accuracy": 0.5}, {"accuracy": 0.75}])["accuracy"]
    {'mean': 0.625, 'deviation': 0.1767766952966369, 'smallest': 0.5, 'largest': 0.75, 'runs': 2}
    """
    if not runs:
        raise DataError("expected the figures of at least 1 run, got none")
    names = dict.fromkeys(name for run in runs for name in run)
    defined = {name: [run[name] for run in runs if _is_number(run.get(name))] for name in names}
    return {name: _spread(values) for name, values in defined.items() if values}


def flat(figures: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Give figures within figures names of their own, so that `over_runs` takes them too.

    >>> flat({"accuracy": 0.5, "labels": {"P": {"f1": 0.25}}})
    {'accuracy': 0.5, 'labels/P/f1': 0.25}
    """
    found: dict[str, Any] = {}
    for name, value in figures.items():
        inner = isinstance(value, Mapping)
        found |= flat(value, f"{before}{name}/") if inner else {f"{before}{name}": value}
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _spread(values: Sequence[float]) -> Spread:
    return {
        "mean": fmean(values),
        "deviation": stdev(values) if len(values) > 1 else None,
        "smallest": min(values),
        "largest": max(values),
        "runs": len(values),
    }
