"""Scores as text for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from everystep.drawing.figures import (
    CountedRates,
    Difference,
    Figures,
    MatchFigures,
    SignalFigures,
    Spread,
)
from everystep.drawing.plain_table import plain_table
from everystep.drawing.words import number_of

_SHARES: Final = {
    "accuracy": "accuracy",
    "accuracy_known": "on known words",
    "accuracy_unknown": "on unknown words",
    "entity_precision": "entity precision",
    "entity_recall": "entity recall",
    "entity_f1": "entity F1",
}
"""The figures that are shares, and what they are called."""

_RATES: Final = ("precision", "recall", "F1")
_CONFUSIONS: Final = 3
_ERRORS: Final = {"mean_ms": "error", "deviation_ms": "error's deviation"}


def figures_text(
    figures: Figures, width: int, intervals: Mapping[str, tuple[float, float]] | None = None
) -> str:
    """Write scores in lines of so many characters, the most frequent labels first.

    Args:
        figures: the scores.
        width: how many characters a line may have.
        intervals: the ends of the interval of a figure, by its name, of those that have one.

    Returns:
        The text.

    >>> rates = {"precision": 0.8, "recall": 1.0, "f1": 8 / 9}
    >>> label = {**rates, "support": 4, "predicted": 5, "correct": 4}
    >>> missed = {"precision": None, "recall": 0.0, "f1": 0.0, "support": 1, "predicted": 0,
    ...           "correct": 0}
    >>> print(figures_text({
    ...     "accuracy": 0.8, "accuracy_known": 1.0, "accuracy_unknown": None, "steps": 5,
    ...     "steps_known": 4, "steps_unknown": 1, "sentences": 2,
    ...     "labels": {"X": missed, "NOUN": label}, "macro": rates, "micro": rates,
    ...     "confusion": {"labels": ["X", "NOUN"], "counts": [[0, 1], [0, 4]]},
    ... }, 60, {"accuracy": (0.61, 0.92)}))
    accuracy         80.00 %  61.00 to 92.00 %  5 steps in 2 sentences
    on known words  100.00 %                    4 steps
    macro F1         88.89 %                    2 labels
    <BLANKLINE>
    label  steps  precision    recall       F1  taken for
    ─────────────────────────────────────────────────────
    NOUN       4    80.00 %  100.00 %  88.89 %
    X          1          -    0.00 %   0.00 %  NOUN 1
    """
    lines = _overall(figures, intervals or {})
    lines += _rates_table(("label", "steps"), figures["labels"], _taken(figures), width)
    lines += _rates_table(("entity", "entities"), figures.get("entities", {}), {}, width)
    if segments := figures.get("segments"):
        lines += ["", signals_text(segments, width)]
    return "\n".join(lines)


def percent(share: float | None) -> str:
    """Write a share as per cent, to two places; only all of it is written as 100.

    >>> percent(0.94631), percent(0.99999), percent(None)
    ('94.63 %', '99.99 %', '-')
    """
    if share is None:
        return "-"
    return f"{100 * share if share == 1 else min(100 * share, 99.99):.2f} %"


def _overall(figures: Figures, intervals: Mapping[str, tuple[float, float]]) -> list[str]:
    of: dict[str, str] = {
        "accuracy": f"{number_of(figures['steps'], 'step')} in "
        f"{number_of(figures['sentences'], figures.get('unit', 'sentence'))}",
        "accuracy_known": number_of(figures["steps_known"] or 0, "step"),
        "accuracy_unknown": number_of(figures["steps_unknown"] or 0, "step"),
        "entity_f1": f"{sum(each['support'] for each in figures.get('entities', {}).values()):,} "
        "entities",
    }
    found: Mapping[str, Any] = figures
    shown = [
        (words, percent(found[name]), _between(intervals.get(name)), of.get(name, ""))
        for name, words in _SHARES.items()
        if name == "accuracy" or found.get(name) is not None
    ]
    macro = percent(figures["macro"]["f1"])
    shown.append(("macro F1", macro, "", number_of(len(figures["labels"]), "label")))
    rooms = [max(len(cells[n]) for cells in shown) for n in range(3)]
    lines = []
    for words, value, between, rest in shown:
        middle = f"  {between:{rooms[2]}}" if rooms[2] else ""
        lines.append(f"{words:{rooms[0]}}  {value:>{rooms[1]}}{middle}  {rest}".rstrip())
    return lines


def _rates_table(
    heads: tuple[str, str],
    counted: Mapping[str, CountedRates],
    taken: Mapping[str, str],
    width: int,
) -> list[str]:
    """Return an empty line and the lines of a table; none where nothing was counted."""
    if not counted:
        return []
    rows = [
        (
            name,
            f"{each['support']:,}",
            *map(percent, (each["precision"], each["recall"], each["f1"])),
            *([taken[name]] if taken else []),
        )
        for name, each in sorted(counted.items(), key=lambda one: -one[1]["support"])
    ]
    numbers = (heads[1], *_RATES)
    all_heads = (heads[0], *numbers, *(["taken for"] if taken else []))
    return ["", *plain_table(all_heads, rows, width, right=numbers, whole=numbers)]


def _between(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f"{100 * ends[0]:.2f} to {percent(ends[1])}"


def _taken(figures: Figures) -> dict[str, str]:
    """Say of each label what its steps are most often taken for."""
    labels, counts = figures["confusion"]["labels"], figures["confusion"]["counts"]
    found = {}
    for here, row in zip(labels, counts, strict=True):
        wrong = [(times, said) for said, times in zip(labels, row, strict=True) if said != here]
        often = sorted((each for each in wrong if each[0]), key=lambda each: -each[0])
        found[here] = ", ".join(f"{said} {times:,}" for times, said in often[:_CONFUSIONS])
    return found


def spread_text(spreads: Mapping[str, Spread], width: int) -> str:
    """Write figures of several runs, in lines of so many characters.

    Shown are shares, F1 of labels, and of signals the errors of edges.

    >>> spread = {"mean": 0.9471, "deviation": 0.0012, "smallest": 0.9461, "largest": 0.9484,
    ...           "runs": 3}
    >>> print(spread_text({"accuracy": spread}, 70))
    figure       mean  deviation  smallest  largest  runs
    ─────────────────────────────────────────────────────
    accuracy  94.71 %     0.12 %   94.61 %  94.84 %     3
    """
    heads = ("figure", "mean", "deviation", "smallest", "largest", "runs")
    rows = []
    for name, each in spreads.items():
        words, written = _figure(name)
        if words:
            values = (each["mean"], each["deviation"], each["smallest"], each["largest"])
            rows.append((words, *map(written, values), str(each["runs"])))
    return "\n".join(plain_table(heads, rows, width, right=heads[1:]))


def differences_text(
    here: Mapping[str, Any],
    there: Mapping[str, Any],
    differences: Mapping[str, Difference],
    width: int,
) -> str:
    """Write by how much one system is better than another, in lines of so many characters.

    Args:
        here: the figures of the one.
        there: the figures of the other.
        differences: how much better the one is, by the names of figures.
        width: how many characters a line may have.

    >>> difference = {"value": 0.0104, "low": 0.0012, "high": 0.0195, "p_value": 0.0149}
    >>> print(differences_text({"accuracy": 0.9471}, {"accuracy": 0.9367},
    ...                        {"accuracy": difference}, 80))
    figure       here    there  difference   95 % interval       p
    ──────────────────────────────────────────────────────────────
    accuracy  94.71 %  93.67 %       +1.04  +0.12 to +1.95  0.0149
    """
    heads = ("figure", "here", "there", "difference", "95 % interval", "p")
    rows = [
        (
            words,
            percent(here[name]),
            percent(there[name]),
            f"{100 * each['value']:+.2f}",
            f"{100 * each['low']:+.2f} to {100 * each['high']:+.2f}",
            f"{each['p_value']:.4f}",
        )
        for name, words in _SHARES.items()
        if (each := differences.get(name)) is not None
    ]
    return "\n".join(plain_table(heads, rows, width, right=heads[1:]))


def _figure(name: str) -> tuple[str | None, Callable[[float | None], str]]:
    """Say what the figure of a name is called, None where it is not shown, and how it is written.

    A slash stands between the name of a figure and what it is of.
    """
    match name.split("/"):
        case [only]:
            return _SHARES.get(only), percent
        case ["labels", label, "f1"]:
            return f"F1 of {label}", percent
        case ["segments", "classes", of, "segment", "f1"]:
            return f"F1 of segments, {of}", percent
        case ["segments", "classes", of, edge, "mean_ms" | "deviation_ms" as figure]:
            return f"{of}, {edge} {_ERRORS[figure]}", _milliseconds
    return None, percent


def _milliseconds(time: float | None) -> str:
    return "-" if time is None else f"{time:.1f} ms"


def signals_text(figures: SignalFigures, width: int) -> str:
    """Write how well segments were found, in lines of so many characters.

    >>> edge = {"matched": 9, "missed": 1, "spurious": 0, "sensitivity": 0.9,
    ...         "positive_predictive_value": 1.0, "f1": 18 / 19, "mean_ms": -1.25,
    ...         "deviation_ms": 4.0}
    >>> found = {"onset": edge, "offset": edge, "segment": edge}
    >>> print(signals_text({"rate": 500.0, "tolerance_ms": 150.0, "signals": 1,
    ...                     "classes": {"P": found}}, 90))
    1 signal, 500 steps a second; an edge may be 150 ms off
    <BLANKLINE>
    class  of       matched  missed  spurious  sensitivity     PPV       F1      error ms
    ─────────────────────────────────────────────────────────────────────────────────────
    P      onset          9       1         0      90.00 %  100.00 %  94.74 %  -1.2 ± 4.0
    P      offset         9       1         0      90.00 %  100.00 %  94.74 %  -1.2 ± 4.0
    P      segment        9       1         0      90.00 %  100.00 %  94.74 %
    """
    heads = ("class", "of", "matched", "missed", "spurious", "sensitivity", "PPV", "F1", "error ms")
    rows = []
    for name, each in figures["classes"].items():
        edges = {"onset": each["onset"], "offset": each["offset"]}
        for of, edge in edges.items():
            error = _error(edge["mean_ms"], edge["deviation_ms"])
            rows.append((name, of, *_matches(edge), error))
        rows.append((name, "segment", *_matches(each["segment"]), ""))
    head = (
        f"{number_of(figures['signals'], 'signal')}, {figures['rate']:g} steps a second; an edge "
        f"may be {figures['tolerance_ms']:g} ms off"
    )
    return "\n".join([head, "", *plain_table(heads, rows, width, right=heads[2:], whole=heads[2:])])


def _matches(found: MatchFigures) -> tuple[str, ...]:
    counts = (found["matched"], found["missed"], found["spurious"])
    rates = (found["sensitivity"], found["positive_predictive_value"], found["f1"])
    return (*(f"{count:,}" for count in counts), *map(percent, rates))


def _error(mean: float | None, deviation: float | None) -> str:
    if mean is None:
        return "-"
    return f"{mean:.1f}" if deviation is None else f"{mean:.1f} ± {deviation:.1f}"
