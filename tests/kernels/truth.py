"""The recurrent loop once more, as plainly as it can be written: NumPy, float64, step by step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from everystep.kernels import (
    GRUGates,
    LayerNormGRUGates,
    LayerNormLSTMGates,
    LSTMGates,
    PeepholeLSTMGates,
    ResetBeforeGRU,
    SimpleRNNGates,
)

Array = npt.NDArray[Any]
Cell = Callable[..., list[Array]]


def sigmoid(values: Array) -> Array:
    return 1 / (1 + np.exp(-values))


def lstm(x: Array, r: Array, states: list[Array]) -> list[Array]:
    units = states[0].shape[0]
    i, f, g, o = (x + r).reshape(4, units)
    c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def gru(x: Array, r: Array, states: list[Array]) -> list[Array]:
    units = states[0].shape[0]
    (xz, xs, xg), (rz, rs, rg) = x.reshape(3, units), r.reshape(3, units)
    z, s = sigmoid(xz + rz), sigmoid(xs + rs)
    return [z * states[0] + (1 - z) * np.tanh(xg + s * rg)]


def reset_before(x: Array, product: Callable[[Array], Array], h: Array, kept: Array) -> list[Array]:
    """What the product gives of `kept`, a part of h, and then of the part that the gate leaves."""
    (xz, xs, xg), (rz, rs, _) = x.reshape(3, -1), product(kept).reshape(3, -1)
    z, s = sigmoid(xz + rz), sigmoid(xs + rs)
    return [z * h + (1 - z) * np.tanh(xg + product(s * kept).reshape(3, -1)[2])]


def simple(x: Array, r: Array, states: list[Array]) -> list[Array]:
    return [np.tanh(x + r)]


def peephole(x: Array, r: Array, states: list[Array], peepholes: Array) -> list[Array]:
    units = states[0].shape[0]
    (i, f, g, o), (p_i, p_f, p_o) = (x + r).reshape(4, units), peepholes.reshape(3, units)
    c = sigmoid(f + p_f * states[1]) * states[1] + sigmoid(i + p_i * states[1]) * np.tanh(g)
    return [sigmoid(o + p_o * c) * np.tanh(c), c]


# Large, because finite differences of a division by next to nothing tell little.
EPSILON = 0.5


def normal(values: Array) -> Array:
    result: Array = (values - values.mean()) / np.sqrt(values.var() + EPSILON)
    return result


def normal_lstm(x: Array, r: Array, states: list[Array], *parameters: Array) -> list[Array]:
    gain_x, gain_r, bias, gain_c, bias_c = parameters
    shares = gain_x * normal(x) + gain_r * normal(r) + bias
    i, f, g, o = shares.reshape(4, -1)
    c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(gain_c * normal(c) + bias_c), c]


def normal_gru(x: Array, r: Array, states: list[Array], *parameters: Array) -> list[Array]:
    def share(values: Array, gain: Array, bias: Array) -> Array:
        gates, candidate = np.split(values, [2 * states[0].shape[0]])
        result: Array = gain * np.concatenate([normal(gates), normal(candidate)]) + bias
        return result

    gain_x, gain_r, bias_x, bias_r = parameters
    return gru(share(x, gain_x, bias_x), share(r, gain_r, bias_r), states)


CELLS: dict[str, tuple[Any, Cell]] = {
    "lstm": (LSTMGates(), lstm),
    "gru": (GRUGates(), gru),
    "reset before": (ResetBeforeGRU(), reset_before),
    "simple": (SimpleRNNGates(), simple),
    "peephole": (PeepholeLSTMGates(), peephole),
    "normal lstm": (LayerNormLSTMGates(epsilon=EPSILON), normal_lstm),
    "normal gru": (LayerNormGRUGates(epsilon=EPSILON), normal_gru),
}


@dataclass
class Case:
    """Arrays for one run, drawn from a seed; call `run` for the truth."""

    cell: str
    batch: int = 3
    steps: int = 5
    features: int = 2
    units: int = 4
    seed: int = 0
    dtype: Any = np.float32
    arrays: dict[str, Any] = field(init=False)
    initial: tuple[Array, ...] = field(init=False)

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        shares = self.gates.blocks * self.units
        shapes = {
            "inputs": (self.batch, self.steps, self.features),
            "kernel": (self.features, shares),
            "recurrent_kernel": (self.units, shares),
            "bias": (shares,),
            "recurrent_bias": (shares,),
            "recurrent_dropout": (self.batch, self.units),
        }

        def draw(shape: tuple[int, ...]) -> Array:
            return random.normal(size=shape).astype(self.dtype)

        self.arrays = {name: draw(shape) for name, shape in shapes.items()}
        self.arrays["parameters"] = tuple(
            draw((blocks * self.units,)) for blocks in self.gates.parameter_blocks
        )
        states = range(self.gates.state_count)
        self.initial = tuple(draw((self.batch, self.units)) for _ in states)

    @property
    def gates(self) -> Any:
        return CELLS[self.cell][0]


def run(
    case: Case,
    *,
    segments: Array | None = None,
    zero_output_for_mask: bool = False,
    packed: bool = False,
    reverse: bool = False,
) -> tuple[Array, list[Array]]:
    """Outputs and last states, row after row and step after step."""
    arrays = jax.tree.map(lambda array: array.astype(np.float64), case.arrays)
    ids = np.ones((case.batch, case.steps), int) if segments is None else segments
    outputs = np.zeros((case.batch, case.steps, case.units))
    last = [np.zeros((case.batch, case.units)) for _ in case.initial]
    for row in range(case.batch):
        states = [state[row].astype(np.float64) for state in case.initial]
        before = 0
        for step in reversed(range(case.steps)) if reverse else range(case.steps):
            here = ids[row, step]
            if here:
                if packed and before and before != here:
                    states = [np.zeros(case.units) for _ in states]
                x = arrays["inputs"][row, step] @ arrays["kernel"] + arrays["bias"]
                hidden = states[0] * arrays["recurrent_dropout"][row]

                def product(part: Array) -> Array:
                    share: Array = part @ arrays["recurrent_kernel"] + arrays["recurrent_bias"]
                    return share

                if case.cell == "reset before":
                    states = reset_before(x, product, states[0], hidden)
                else:
                    states = CELLS[case.cell][1](x, product(hidden), states, *arrays["parameters"])
                before = here
            outputs[row, step] = 0 if zero_output_for_mask and not here else states[0]
        for found, state in zip(last, states, strict=True):
            found[row] = state
    return outputs, last
