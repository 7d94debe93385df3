"""Which output steps are made by the same weights: one set, one name, one colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from everystep.drawing.explained import Connected
from everystep.drawing.palette import WEIGHT_COLOURS
from everystep.drawing.places import numbered

_LETTERS: Final = "WVUTSRQP"


@dataclass(frozen=True)
class WeightSet:
    """The weights that make some output steps.

    Args:
        name: its name in pictures, such as `"W"`, or `"W₂"` for a step's own weights.
        class_: the class of its colour.
        places: the output steps that it makes, counted through all outputs.
        own: whether some of the weights make no other output step.
    """

    name: str
    class_: str
    places: tuple[int, ...]
    own: bool


def weight_sets(data: Connected) -> list[WeightSet]:
    """Tell apart the sets of weights that make the output steps.

    A set is what a step uses of weights whose values serve several steps, and, where it uses values
    that serve it alone, itself.

    Args:
        data: what was found out.

    Returns:
        The sets in the order of the first output step that each makes; steps that use no weight
        have none.
    """
    places: dict[tuple[frozenset[str], int | None], list[int]] = {}
    for place in range(sum(port["steps"] for port in data["outputs"])):
        used = [weight for weight in data["weights"] if weight["steps"][place]]
        common = frozenset(weight["path"] for weight in used if weight["shared"])
        own = place if any(not weight["shared"] for weight in used) else None
        if used:
            places.setdefault((common, own), []).append(place)
    families = list(dict.fromkeys((common, own is None) for common, own in places))
    sets = []
    for number, ((common, own), made) in enumerate(places.items()):
        letter = _letter(families.index((common, own is None)))
        alone = sum(each[0] == common and each[1] is not None for each in places) == 1
        name = letter if own is None or alone else numbered(letter, _step(data, own))
        colour = f"w{number % WEIGHT_COLOURS}"
        sets.append(WeightSet(name, colour, tuple(made), own is not None))
    return sets


def _letter(number: int) -> str:
    return _LETTERS[number] if number < len(_LETTERS) else f"W{number}"


def _step(data: Connected, place: int) -> int:
    """Return which step of its output a place is."""
    for port in data["outputs"]:
        if place < port["steps"]:
            return place
        place -= port["steps"]
    return place


def sets_in_words(data: Connected) -> list[str]:
    """Say in one line for each kind of set what its weights make.

    Args:
        data: what was found out.
    """
    sets = weight_sets(data)
    if not sets:
        return ["no weights"]
    outputs = sum(port["steps"] for port in data["outputs"])
    lines = []
    for each in sets:
        if each.own or outputs == 1:
            continue
        count = len(each.places)
        steps = "1 step" if count == 1 else f"{count} steps"
        lines.append(f"one {each.name} makes {'all ' if count == outputs else ''}{steps}")
    own = [each for each in sets if each.own]
    if len(own) > 1:
        lines.append(f"{own[0].name} to {own[-1].name}: each step its own")
    elif own and outputs > 1:
        lines.append(f"{own[0].name}: one step's own")
    return lines or [f"one {sets[0].name}"]
