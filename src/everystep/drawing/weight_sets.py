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
    places: dict[_Key, list[int]] = {}
    for place, key in enumerate(_keys(data)):
        if key is not None:
            places.setdefault(key, []).append(place)
    families = [key[:2] for key in places]
    letters = {family: _letter(number) for number, family in enumerate(dict.fromkeys(families))}
    sets = []
    for number, (key, made) in enumerate(places.items()):
        letter, own = letters[key[:2]], key[2]
        alone = families.count(key[:2]) == 1
        sets.append(
            WeightSet(
                name=letter if own is None or alone else numbered(letter, own),
                class_=f"w{number % WEIGHT_COLOURS}",
                places=tuple(made),
                letter=letter,
                own=own is not None,
                common=bool(key[0]),
            )
        )
    return sets


_Key = tuple[frozenset[str], int | None, int | None]
"""The weights that serve several steps, and for a step with own ones its output and its number."""


def _keys(data: Connected) -> list[_Key | None]:
    """Return which set makes each output step; None for no weights."""
    steps = _steps(data)
    used = [
        [weight for weight in data["weights"] if weight["steps"][place]]
        for place in range(len(steps))
    ]
    common = [frozenset(each["path"] for each in some if each["shared"]) for some in used]
    # In the order of the steps, so that equals are chosen from alike in every run.
    kinds = list(dict.fromkeys((port, some) for (port, _), some in zip(steps, common, strict=True)))
    keys: list[_Key | None] = []
    for place, (port, step) in enumerate(steps):
        wider = [some for other, some in kinds if other == port and some >= common[place]]
        own = any(not weight["shared"] for weight in used[place])
        key = (max(wider, key=len), port if own else None, step if own else None)
        keys.append(key if used[place] else None)
    return keys


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
