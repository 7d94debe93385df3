"""How well labels that were said fit the labels that are true."""

from __future__ import annotations

from typing import Any

import numpy as np

from everystep.cli.demonstration.corpus import Data, Ids
from everystep.corpora import NAME_ROLES, ROLES
from everystep.drawing.report import Label

Array = np.ndarray[Any, Any]


def accuracy(said: Ids, true: Ids) -> float:
    """Return the share of steps whose label is right.

    >>> accuracy([np.array([1, 2]), np.array([3])], [np.array([1, 0]), np.array([3])]).__round__(2)
    0.67
    """
    return float(np.mean(np.concatenate(said) == np.concatenate(true)))


def name_accuracy(said: Ids, true: Ids, data: Data) -> float:
    """Return the share of right labels among the names: where there is something to decide."""
    every = np.concatenate(true)
    is_name = np.isin(every, data.roles.encode(NAME_ROLES))
    return float(np.mean((np.concatenate(said) == every)[is_name])) if is_name.any() else 0.0


def by_label(said: dict[str, Ids], data: Data) -> list[Label]:
    """Return for each label how many of its steps get it, most frequent labels first.

    Args:
        said: what the forward and what the bidirectional model say on the test sequences.
        data: the corpus.

    Returns:
        The labels that the test sequences have.
    """
    true = np.concatenate(data.pairs(data.corpus.test)[1])
    answers = {name: np.concatenate(one) for name, one in said.items()}
    counted = [data.roles.encode(data.baseline.label(one.symbols)) for one in data.test]
    answers["by_token"] = np.concatenate(counted)
    answers["majority"] = np.full_like(true, data.roles.encode([data.baseline.overall])[0])
    right = {name: answer == true for name, answer in answers.items()}
    found = []
    for label_id, name in enumerate(data.roles.entries):
        steps = true == label_id
        if not steps.any():
            continue
        shares = {each: float(np.mean(one[steps])) for each, one in right.items()}
        found.append(
            Label(
                name=name,
                meaning=ROLES[name],
                steps=int(steps.sum()),
                majority=shares["majority"],
                by_token=shares["by_token"],
                forward=shares["forward"],
                bidirectional=shares["bidirectional"],
            )
        )
    return sorted(found, key=lambda label: -label["steps"])
