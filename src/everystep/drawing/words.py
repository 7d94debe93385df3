"""Numbers and findings in words, the same in tables and on pages."""

from __future__ import annotations

from math import prod

from everystep.drawing.report import Design, Label, WeightUse

_TIMES = " \N{MULTIPLICATION SIGN} "


def percent(share: float) -> str:
    """Write a share as per cent; only all of it is written as 100.

    >>> percent(0.4567), percent(1.0), percent(0.99999)
    ('45.7 %', '100 %', '99.9 %')
    """
    return "100 %" if share == 1 else f"{min(share * 100, 99.9):.1f} %"


def number_of(count: int, thing: str) -> str:
    """Write how many there are of a thing.

    >>> number_of(1, "step"), number_of(1234, "step")
    ('1 step', '1,234 steps')
    """
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def sharing(design: Design) -> str:
    """Say whether output steps share weights, from how many of them use one value."""
    uses = most_uses(design)
    return f"shared by {uses} steps" if uses > 1 else f"own for each of {len(design['depends'])}"


def most_uses(design: Design) -> int:
    """Return how many output steps use one value of the weights."""
    return max(weight["used_by"] for weight in design["weights"])


def reading(design: Design) -> str:
    """Say which input steps an output step reads."""
    own_only = all(
        does == (row == column)
        for row, line in enumerate(design["depends"])
        for column, does in enumerate(line)
    )
    everything = all(all(line) for line in design["depends"])
    return "itself alone" if own_only else "every step" if everything else "some steps"


def any_steps(design: Design) -> str:
    """Say whether a design takes any number of steps."""
    return "yes" if design["any_steps"] else f"no, {len(design['depends'])} only"


def counted(weights: list[WeightUse]) -> str:
    """Write how a number of parameters comes about, largest weight first.

    >>> bias, kernel = ({"path": "", "shape": [size], "used_by": 4} for size in (5, 15))
    >>> counted([bias, kernel])
    '15 + 5'
    """
    ordered = sorted(weights, key=lambda weight: -prod(weight["shape"]))
    return " + ".join(_TIMES.join(map(str, weight["shape"])) for weight in ordered)


def most_helped(labels: list[Label], count: int = 5) -> list[Label]:
    """Return the labels that gain most by reading backward too, the largest gain first."""
    gains = sorted(labels, key=lambda label: label["forward"] - label["bidirectional"])
    return [label for label in gains[:count] if label["bidirectional"] > label["forward"]]


def gain(label: Label) -> str:
    """Write how many points a label gains by reading backward too."""
    return f"{100 * (label['bidirectional'] - label['forward']):+.1f}"
