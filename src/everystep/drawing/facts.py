"""What an explanation says, as short facts in words: the same in terminals, pictures and pages."""

from __future__ import annotations

from typing import Final, NamedTuple

from everystep.drawing.comparison_words import counted, sharing
from everystep.drawing.explained import Explained, Map, Rows
from everystep.drawing.reads import reads_of
from everystep.drawing.words import number_of


class Fact(NamedTuple):
    """One fact.

    Args:
        term: what is asked.
        value: the answer.
        reason: why, or more of it; "" if there is no more to say.
    """

    term: str
    value: str
    reason: str = ""


_VERDICTS: Final = {
    "inert": "changes nothing",
    "leaks": "leaks",
    "refused": "refused",
    "unknown": "not settled",
}


def facts_of(data: Explained) -> list[Fact]:
    """Say what is known of a layer, model or function, most telling facts first.

    Args:
        data: what was found out.
    """
    maps = data["maps"]
    length = "yes" if data["any_length"] else f"no, {data['steps']} steps only"
    cost = data["cost"]
    return [
        Fact("a step reads", reads_of(data), _unsettled(maps)),
        Fact("step-wise", _all(maps, "stepwise")),
        Fact("causal", _all(maps, "causal")),
        Fact("looks back", _far([each["lookback"] for each in maps])),
        Fact("looks ahead", _far([each["lookahead"] for each in maps])),
        Fact("any length", length, data["any_length_reason"]),
        Fact("weights", sharing(data["weights"])),
        Fact("parameters", f"{data['parameters']:,}", counted(data["weights"])),
        Fact(
            "a step costs",
            f"{cost['multiply_adds']:,.0f} multiply-adds",
            f"{cost['bytes']:,.0f} bytes to move",
        ),
        *(
            Fact("kernel", f"{each['kernel']}, {each['path']}", each["why"])
            for each in data["kernels"]
        ),
        _rows("padding", data["padding"]),
        _rows("packing", data["packing"]),
        *(
            Fact("not known", name, "taken to read all that it is given")
            for name in data["unknown"]
        ),
        *(Fact("taken for granted", each) for each in data["assumptions"]),
    ]


def _all(maps: list[Map], which: str) -> str:
    holds = [each["stepwise"] if which == "stepwise" else each["causal"] for each in maps]
    return "yes" if all(holds) else "no" if not any(holds) or len(holds) == 1 else "in part"


def _far(steps: list[int | None]) -> str:
    known = [each for each in steps if each is not None]
    if len(known) < len(steps):
        return "without bound"
    return number_of(max(known, default=0), "step")


def _unsettled(maps: list[Map]) -> str:
    """Say whether both bounds agree, and where they do not."""
    apart = sum(
        does and not seen
        for each in maps
        for row, shown in zip(each["depends"], each["witnessed"], strict=True)
        for does, seen in zip(row, shown, strict=True)
    )
    if not apart:
        return "exact: what is not ruled out has been seen"
    return f"not exact: {number_of(apart, 'pair')} not ruled out and not seen"


def _rows(term: str, found: Rows) -> Fact:
    pair = found["pair"]
    where = f"output step {pair[0]} reads step {pair[1]}: " if pair else ""
    return Fact(term, _VERDICTS[found["verdict"]], where + found["reason"])
