"""Models as graphs, drawn by Hypothesis and made in any library with Keras's names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import numpy as np

BATCH, STEPS, UNITS = 2, 4, 3


@dataclass(frozen=True)
class Step:
    """One call in a graph: which layer, and the numbers of the results that it takes."""

    kind: str
    layer: str
    sources: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """A graph of layers that all give (batch, STEPS, UNITS), so that any fits to any."""

    inputs: int
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]

    def make(self, room: Any) -> Any:
        """The model in a library that has Keras's names."""
        results = [room.Input((STEPS, UNITS), name=f"in_{n}") for n in range(self.inputs)]
        layers: dict[str, Any] = {}
        for step in self.steps:
            given = [results[source] for source in step.sources]
            if step.kind in OPERATORS:
                results.append(OPERATORS[step.kind](*given))
                continue
            if step.layer not in layers:
                layers[step.layer] = MAKERS[step.kind](room, step.layer)
            several = step.kind in SEVERAL
            results.append(layers[step.layer](given) if several else layers[step.layer](*given))
        used = results[: self.inputs]
        return room.Model(used, [results[number] for number in self.outputs], name="whole")

    def data(self) -> list[Any]:
        """An array for each input."""
        random = np.random.default_rng(len(self.steps))
        shape = (BATCH, STEPS, UNITS)
        return [random.normal(size=shape).astype("float32") for _ in range(self.inputs)]


MAKERS: dict[str, Any] = {
    "dense": lambda room, name: room.layers.Dense(UNITS, "tanh", name=name),
    "lstm": lambda room, name: room.layers.LSTM(UNITS, return_sequences=True, name=name),
    "mask": lambda room, name: room.layers.Masking(name=name),
    "nested": lambda room, name: _nested(room, name),
    "row": lambda room, name: room.Sequential(
        [room.Input((STEPS, UNITS)), room.layers.Dense(UNITS, name=f"{name}_inside")], name=name
    ),
}


SEVERAL: dict[str, Any] = {
    "add": lambda room, name: room.layers.Add(name=name),
    "attend": lambda room, name: room.layers.Attention(name=name),
}
"""Layers that take a list."""

MAKERS |= SEVERAL

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "plus": lambda one, other: one + other,
    "scale": lambda one, other: (1 - one * 0.5) / 2 - abs(other),
    "turn": lambda one, other: one[:, ::-1] @ np.eye(UNITS, dtype="float32") ** 2,
    "choose": lambda one, other: one * (other > 0) + (other <= 0) * other**3,
}


def _nested(room: Any, name: str) -> Any:
    one = room.Input((STEPS, UNITS), name=f"{name}_in")
    inside = room.layers.Dense(UNITS, name=f"{name}_inside")
    return room.Model(one, inside(inside(one)), name=name)


@st.composite
def plans(draw: st.DrawFn, kinds: tuple[str, ...], most: int = 8) -> Plan:
    """A graph with shared layers, in which every input and some results may go nowhere."""
    inputs = draw(st.integers(1, 3))
    steps: list[Step] = []
    for number in range(draw(st.integers(1, most))):
        kind = draw(st.sampled_from(kinds))
        shared = [step.layer for step in steps if step.kind == kind]
        new = f"{kind}_{number}"
        layer = draw(st.sampled_from([new, *shared])) if shared else new
        count = 2 if kind in OPERATORS or kind in SEVERAL else 1
        sources = tuple(draw(st.integers(0, inputs + number - 1)) for _ in range(count))
        steps.append(Step(kind, layer, sources))
    count = inputs + len(steps)
    outputs = draw(st.lists(st.integers(inputs, count - 1), min_size=1, max_size=3, unique=True))
    return Plan(inputs, tuple(steps), tuple(outputs))
