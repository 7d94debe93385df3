"""The controls of an explanation, which a script shows and reads."""

from __future__ import annotations

from everystep.drawing.explained import Explained
from everystep.drawing.explanation_parts import Part, parts_of
from everystep.drawing.marks import Mark, mark


def controls(by_steps: dict[int, Explained], shown: int) -> Mark:
    """Draw what chooses the number of steps, the part and the map that are seen.

    Args:
        by_steps: what was found out for each number of steps.
        shown: the one that is seen first.
    """
    data = by_steps[shown]
    parts = parts_of(data)
    return mark(
        "form",
        _steps(sorted(by_steps), data),
        _select("Layer", "part", [part.name for part in parts]) if len(parts) > 1 else None,
        [_maps(number, part) for number, part in enumerate(parts)],
        class_="controls",
        hidden=True,
    )


def _steps(numbers: list[int], data: Explained) -> Mark:
    return mark(
        "fieldset",
        mark("legend", "Steps"),
        [
            mark(
                "label",
                mark(
                    "input",
                    type="radio",
                    name="steps",
                    value=number,
                    checked=number == data["steps"],
                ),
                mark("span", str(number)),
            )
            for number in numbers
        ],
        None
        if data["any_length"]
        else mark("small", f"takes no other number: {data['any_length_reason']}"),
    )


def _maps(number: int, part: Part) -> Mark | None:
    names = [f"{each['output']} reads {each['input']}" for each in part.read["maps"]]
    if len(names) < 2:
        return None
    return _select("Map", f"map-{number}", names, data_of_part=number, hidden=number > 0)


def _select(label: str, name: str, options: list[str], **attributes: int | bool) -> Mark:
    return mark(
        "label",
        mark("span", label),
        mark(
            "select",
            [mark("option", option, value=number) for number, option in enumerate(options)],
            name=name,
        ),
        **attributes,
    )
