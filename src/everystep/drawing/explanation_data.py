"""What the script of a page knows: who reads what, and by which weights, as plain data."""

from __future__ import annotations

from itertools import accumulate

from everystep.drawing.explained import Explained, Port
from everystep.drawing.explanation_parts import (
    Part,
    call_names,
    input_names,
    output_names,
    short_path,
    weights_of,
)
from everystep.drawing.receptive_field import chain_of


def part_data(data: Explained, part: Part) -> dict[str, object]:
    """Write what the script needs to know of a part.

    Args:
        data: what was found out.
        part: the part.
    """
    read = part.read
    outputs, inputs = ([port["name"] for port in read[side]] for side in ("outputs", "inputs"))
    sizes = [port["steps"] for port in read["outputs"]]
    whole = part.layer is None
    return {
        "outputs": _named(output_names(data) if whole else outputs, read["outputs"]),
        "inputs": _named(input_names(data) if whole else inputs, read["inputs"]),
        "maps": [
            {
                "output": outputs.index(each["output"]),
                "input": inputs.index(each["input"]),
                "depends": each["depends"],
                "witnessed": each["witnessed"] if whole else None,
            }
            for each in read["maps"]
        ],
        "weights": [
            {
                "path": short_path(each["path"], data),
                "shared": each["shared"],
                "steps": _by_output(each["steps"], sizes),
            }
            for each in read["weights"]
        ],
        "ends": part.ends,
        "starts": part.starts,
        "whole": whole,
    }


def _named(names: list[str], ports: list[Port]) -> list[dict[str, object]]:
    return [{"name": name, "steps": port["steps"]} for name, port in zip(names, ports, strict=True)]


def _by_output(steps: list[bool], sizes: list[int]) -> list[list[bool]]:
    """Part what is said of the steps of each output in turn.

    >>> _by_output([True, False, True], [2, 1])
    [[True, False], [True]]
    """
    ends = list(accumulate(sizes))
    return [steps[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def calls_data(data: Explained) -> dict[str, object]:
    """Write what the script needs to know of the unrolled model.

    Args:
        data: what was found out.
    """
    names = call_names(data)
    inputs = [names[-1 - number] for number in range(len(data["inputs"]))]
    return {
        "inputs": _named(inputs, data["inputs"]),
        "calls": [
            {
                "name": names[number],
                "sources": layer["sources"],
                "depends": layer["depends"],
                "steps": layer["steps"],
                "chain": chain_of(data, layer),
                "weights": [
                    {
                        "path": short_path(each["path"], data),
                        "shared": each["shared"],
                        "steps": each["steps"],
                    }
                    for each in weights_of(data, layer)
                ],
            }
            for number, layer in enumerate(data["layers"])
        ],
    }
