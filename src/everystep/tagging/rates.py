"""Precision, recall and F1 from counts."""

from __future__ import annotations

from collections.abc import Collection

from everystep.drawing.figures import CountedRates, Rates


def share(part: float, whole: float) -> float | None:
    """Divide; None where there is nothing to have a share of.

    >>> share(1, 4), share(0, 0)
    (0.25, None)
    """
    return part / whole if whole else None


def counted_rates(correct: int, predicted: int, support: int) -> CountedRates:
    r"""Give the rates of one label or type of entity.

    $$\text{precision} = \frac{\text{correct}}{\text{predicted}} \quad
      \text{recall} = \frac{\text{correct}}{\text{support}} \quad
      F_1 = \frac{2\,\text{correct}}{\text{predicted} + \text{support}}$$

    Args:
        correct: how many were predicted and are there.
        predicted: how many were predicted.
        support: how many are there.

    Returns:
        Rates and counts; a rate of nothing is None.

    >>> counted_rates(1, 2, 1)["f1"]
    0.6666666666666666
    """
    return {
        "precision": share(correct, predicted),
        "recall": share(correct, support),
        "f1": share(2 * correct, predicted + support),
        "support": support,
        "predicted": predicted,
        "correct": correct,
    }


def micro(each: Collection[CountedRates]) -> Rates:
    """Give the rates of all labels counted together."""
    total = counted_rates(
        sum(one["correct"] for one in each),
        sum(one["predicted"] for one in each),
        sum(one["support"] for one in each),
    )
    return {"precision": total["precision"], "recall": total["recall"], "f1": total["f1"]}


def macro(each: Collection[CountedRates]) -> Rates:
    """Give the mean of the rates of all labels; one that is undefined counts as 0."""
    return {
        "precision": _mean([one["precision"] for one in each]),
        "recall": _mean([one["recall"] for one in each]),
        "f1": _mean([one["f1"] for one in each]),
    }


def _mean(rates: Collection[float | None]) -> float | None:
    return share(sum(rate or 0.0 for rate in rates), len(rates))
