"""Which output steps are made by the same weights: one set, one name, one colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from everystep.drawing.explained import Connected
from everystep.drawing.palette import WEIGHT_COLOURS
from everystep.drawing.places import numbered
from everystep.drawing.words import number_of

_LETTERS: Final = "WVUTSRQP"


@dataclass(frozen=True)
class WeightSet:
    """The weights that make some output steps.

    Args:
        name: its name in pictures, such as `"W"`, or `"W₂"` for a step's own weights.
        class_: the class of its colour.
        places: the output steps that it makes, counted through all outputs.
        letter: the letter of its name, the same for the own weights of each step of an output.
        own: whether some of the weights make no other output step.
        common: whether some of the weights make other output steps too.
    """

    name: str
    class_: str
    places: tuple[int, ...]
    letter: str
    own: bool
    common: bool


def _common(data: Connected, place: int) -> frozenset[str]:
    """Return which weights an output step shares with others."""
    return frozenset(
        weight["path"] for weight in data["weights"] if weight["shared"] and weight["steps"][place]
    )


def weight_sets(data: Connected) -> list[WeightSet]:
    """Tell apart the sets of weights that make the output steps.

    A set is what a step uses of weights whose values serve several steps, and, where it uses values
    that serve it alone, itself. A step that uses a part of another one's set counts to that set, as
    the first step of a recurrent layer does, which has no state to multiply.

    Args:
        data: what was found out.

    Returns:
        The sets in the order of the first output step that each makes; steps that use no weight
        have none.
    """
    places: dict[tuple[frozenset[str], int | None, int | None], list[int]] = {}
    steps = _steps(data)
    commons = [_common(data, place) for place in range(len(steps))]
    # In the order of the steps, so that equals are chosen from alike in every run.
    kinds = list(
        dict.fromkeys((port, common) for (port, _), common in zip(steps, commons, strict=True))
    )
    for place, (port, step) in enumerate(steps):
        used = [weight for weight in data["weights"] if weight["steps"][place]]
        alone = any(not weight["shared"] for weight in used)
        if used:
            wider = [each for same, each in kinds if same == port and each >= commons[place]]
            key = (max(wider, key=len), port if alone else None, step if alone else None)
            places.setdefault(key, []).append(place)
    families = [(common, port) for common, port, _ in places]
    letters = {family: _letter(number) for number, family in enumerate(dict.fromkeys(families))}
    sets = []
    for number, ((common, output, own), made) in enumerate(places.items()):
        family = (common, output)
        letter = letters[family]
        several = families.count(family) > 1
        sets.append(
            WeightSet(
                name=letter if own is None or not several else numbered(letter, own),
                class_=f"w{number % WEIGHT_COLOURS}",
                places=tuple(made),
                letter=letter,
                own=own is not None,
                common=bool(common),
            )
        )
    return sets


def _letter(number: int) -> str:
    return _LETTERS[number] if number < len(_LETTERS) else f"W{number}"


def _steps(data: Connected) -> list[tuple[int, int]]:
    """Return all output steps, by the numbers of output and step."""
    return [
        (port, step) for port, each in enumerate(data["outputs"]) for step in range(each["steps"])
    ]


def sets_in_words(data: Connected) -> list[str]:
    """Say in one line for each letter which steps its weights make.

    Args:
        data: what was found out.
    """
    sets = weight_sets(data)
    outputs = len(_steps(data))
    if not sets:
        return ["no weights"]
    if outputs == 1:
        return [f"one {sets[0].name}"]
    lines = []
    for letter in dict.fromkeys(each.letter for each in sets):
        family = [each for each in sets if each.letter == letter]
        count = sum(len(each.places) for each in family)
        if len(family) > 1:
            part = "in part " if family[0].common else ""
            lines.append(f"{family[0].name} to {family[-1].name}: each step {part}its own")
        else:
            every = "all " if count == outputs else ""
            lines.append(f"one {letter} makes {every}{number_of(count, 'step')}")
    return lines
