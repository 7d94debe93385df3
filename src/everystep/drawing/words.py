"""Numbers and findings in words, the same in tables and on pages."""

from __future__ import annotations

from everystep.drawing.report import Label


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


def most_helped(labels: list[Label], count: int = 5) -> list[Label]:
    """Return the labels that gain most by reading backward too, the largest gain first."""
    gains = sorted(labels, key=lambda label: label["forward"] - label["bidirectional"])
    return [label for label in gains[:count] if label["bidirectional"] > label["forward"]]


def gain(label: Label) -> str:
    """Write how many points a label gains by reading backward too."""
    return f"{100 * (label['bidirectional'] - label['forward']):+.1f}"
