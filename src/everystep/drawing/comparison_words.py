"""A comparison in words: one row for each model, the same in terminals, pictures and pages."""

from __future__ import annotations

from math import prod
from typing import Final, NamedTuple

from everystep.drawing.explained import Compared, Comparison, Map, WeightUse

_TIMES = " \N{MULTIPLICATION SIGN} "


class ComparedWords(NamedTuple):
    """One model of a comparison in words; the fields are the columns of the table."""

    name: str
    parameters: str
    output_shape: str
    steps_talk: str
    shared: str
    any_length: str
    causal: str
    relation: str


COLUMNS: Final = ComparedWords(
    name="model",
    parameters="parameters",
    output_shape="output shape",
    steps_talk="steps talk",
    shared="shared",
    any_length="any length",
    causal="causal",
    relation="to the first",
)
"""The heads of the columns."""


SIGNS: Final = {"same": "=", "narrower": "⊂", "wider": "⊃", "different": "≠", "unknown": "?"}
"""The sign of each relation."""

_SHORT: Final = {
    "same": "same",
    "narrower": "narrower",
    "wider": "wider",
    "different": "different",
    "unknown": "not settled",
}


def comparison_words(data: Comparison) -> list[ComparedWords]:
    """Put a comparison into words.

    Args:
        data: what was found out.

    Returns:
        A row for each model, in their order.
    """
    first = data["models"][0]["name"]
    return [_words(each, first) for each in data["models"]]


def _words(each: Compared, first: str) -> ComparedWords:
    found = each["explained"]
    return ComparedWords(
        name=each["name"],
        parameters=f"{found['parameters']:,}",
        output_shape="; ".join(port["shape"] for port in found["outputs"]),
        steps_talk=steps_talk(found["maps"]),
        shared=shared(found["weights"]),
        any_length="yes" if found["any_length"] else "no",
        causal=causal(found["maps"]),
        relation=_SHORT[each["relation"]] if each["name"] != first else "the first",
    )


def relation_in_words(each: Compared, first: str) -> str:
    """Say what a model is to the first one.

    Args:
        each: the model, another one.
        first: the name of the first one.
    """
    return {
        "same": f"the same function as {first}",
        "narrower": f"narrower than {first}",
        "wider": f"wider than {first}",
        "different": f"different from {first}",
        "unknown": f"not settled against {first}",
    }[each["relation"]]


def steps_talk(maps: list[Map]) -> str:
    """Say whether an output step reads input steps of other places than its own."""
    if all(each["stepwise"] for each in maps):
        return "no"
    return "yes" if any(_seen_talking(each) for each in maps) else "not ruled out"


def _seen_talking(each: Map) -> bool:
    rows = each["witnessed"]
    square = all(len(row) == len(rows) for row in rows)
    return any(
        sum(row) > 1 or (square and any(row) and not row[step]) for step, row in enumerate(rows)
    )


def causal(maps: list[Map]) -> str:
    """Say whether no output step reads an input step behind its place."""
    return "yes" if all(each["causal"] for each in maps) else "no"


def shared(weights: list[WeightUse]) -> str:
    """Say whether values of all, some or none of the weights make several output steps."""
    does = [weight["shared"] for weight in weights]
    return "no" if not any(does) else "yes" if all(does) else "some"


def sharing(weights: list[WeightUse]) -> str:
    """Say whether output steps share weights, from how many of them use one value.

    >>> kernel = WeightUse(path="k", shape=[3, 5], steps=[True] * 4, used_by=4, shared=True)
    >>> sharing([kernel]), sharing([{**kernel, "used_by": 1, "shared": False}]), sharing([])
    ('shared by 4 steps', "each step's own", 'none')
    """
    if not weights:
        return "none"
    uses = {weight["used_by"] for weight in weights if weight["shared"]}
    if not uses:
        return "each step's own" if len(weights[0]["steps"]) > 1 else "used by the one step"
    words = f"shared by {' or '.join(map(str, sorted(uses)))} steps"
    return words if all(weight["shared"] for weight in weights) else f"some {words}"


def counted(weights: list[WeightUse], most: int = 3) -> str:
    """Write how a number of parameters comes about, the largest weights first.

    Args:
        weights: the weights.
        most: how many of them are written.

    >>> bias = WeightUse(path="b", shape=[5], steps=[True] * 4, used_by=4, shared=True)
    >>> kernel = WeightUse(path="k", shape=[15], steps=[True] * 4, used_by=4, shared=True)
    >>> counted([bias, kernel]), counted([bias, kernel], 1)
    ('15 + 5', '15 + …')
    """
    ordered = sorted(weights, key=lambda weight: -prod(weight["shape"]))
    written = [_TIMES.join(map(str, weight["shape"])) or "1" for weight in ordered[:most]]
    return " + ".join(written if len(weights) <= most else [*written, "\N{HORIZONTAL ELLIPSIS}"])
