"""What one output step reads, followed back through all layers to the inputs."""

from __future__ import annotations

from typing import Literal

from everystep.drawing.explained import Explained, LayerRead

Chain = Literal["", "forward", "backward", "both"]


def chain_of(data: Explained, layer: LayerRead) -> Chain:
    """Say in which direction a recurrent layer hands its state from step to step.

    Its map tells: a triangle is what a state handed on forward or backward reads, a full square
    what states in both directions read. Layers that are not recurrent may have such maps too.

    Args:
        data: what was found out.
        layer: one of its layers.

    Returns:
        The direction, or "" for a layer without such a state, or with steps that it does not show.
    """
    path = layer["path"]
    recurrent = any(
        not data["layers"] or each["path"] == path or each["path"].startswith(f"{path}/")
        for each in data["kernels"]
    )
    if not recurrent or layer["steps"] < 2:
        return ""
    for depends in layer["depends"]:
        size = range(len(depends))
        if len(depends[0]) != len(depends):
            continue
        if all(depends[t][s] for t in size for s in size):
            return "both"
        if all(depends[t][s] == (s <= t) for t in size for s in size):
            return "forward"
        if all(depends[t][s] == (s >= t) for t in size for s in size):
            return "backward"
    return ""


def receptive_field(
    layers: list[LayerRead], chains: list[Chain], number: int, step: int
) -> dict[int, set[int]]:
    """Follow back what a layer's step reads.

    Args:
        layers: all layers.
        chains: how each hands on its state.
        number: the number of the layer.
        step: one of its steps.

    Returns:
        The steps of each layer, and of each input (as -1 - k), that have a part in it. Steps whose
        state is handed on have one.
    """
    field: dict[int, set[int]] = {number: {step}}
    for reader in range(number, -1, -1):
        wanted = field.get(reader, set())
        layer = layers[reader]
        for source, depends in zip(layer["sources"], layer["depends"], strict=True):
            read = {s for t in wanted for s, does in enumerate(depends[t]) if does}
            if read:
                field.setdefault(source, set()).update(read)
        field[reader] = _handed_on(wanted, chains[reader], layer["steps"])
    return {each: steps for each, steps in field.items() if steps}


def _handed_on(steps: set[int], chain: Chain, count: int) -> set[int]:
    if not steps or not chain:
        return steps
    first = min(steps) if chain == "backward" else 0
    last = max(steps) if chain == "forward" else count - 1
    return set(range(first, last + 1))
