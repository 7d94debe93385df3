"""How a cell is run over the steps of rows: its own fast way, or step after step for any cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeGuard

import jax
import jax.numpy as jnp

from everystep.core.randomness import Noise
from everystep.core.registry import deserialize, serialize
from everystep.core.scope import Scope, current_scope
from everystep.errors import ShapeError, StateError
from everystep.kernels import run_steps
from everystep.kinds import Kind, reject
from everystep.layers import symbolic
from everystep.layers.arguments import cast_tree
from everystep.layers.layer import Layer


@dataclass(frozen=True)
class Reading:
    """How rows are read.

    Args:
        segments: the sequence of each step, 0 for padding, or None.
        packed: whether a row may hold several sequences.
        reverse: whether from the last step to the first.
        zero_output_for_mask: whether padding gives zeros, or repeats the output before it.
    """

    segments: Any = None
    packed: bool = False
    reverse: bool = False
    zero_output_for_mask: bool = False


class Run(NamedTuple):
    """What a cell gave: the outputs of all steps, the last output, and the last states."""

    outputs: Any
    last: Any
    states: Any


class Loop(NamedTuple):
    """Which loop runs a cell over the steps.

    Args:
        kernel: the twin of the kernels' recurrent loop that runs it, such as `"xla"`; or `"steps"`,
            one call of the cell after another.
        why: why it is not the fastest that there is; "" where it is.
    """

    kernel: str
    why: str


class LoopedCell(Layer):
    """The base of cells that know a faster way over all steps than one call after another."""

    knows_loop: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # What a subclass computes otherwise, the loop of its base does not know.
        if {"call", "get_initial_state"} & vars(cls).keys():
            cls.knows_loop = "over_steps" in vars(cls)

    def over_steps(self, sequences: Any, states: Any, reading: Reading, training: bool) -> Run:
        """Run the cell over all steps of the rows."""
        raise NotImplementedError

    def which_loop(self) -> Loop:
        """Which loop `over_steps` takes."""
        raise NotImplementedError


def over_steps(cell: Any, sequences: Any, states: Any, reading: Reading, training: bool) -> Run:
    """Run any cell over all steps of the rows.

    Shapes: sequences `(batch, steps, ...)`, states a tree of `(batch, ...)`.

    Raises:
        ShapeError: the cell gives states of other shapes than it was given.
        StateError: the cell changes a weight or adds a loss at each step.
    """
    if knows_loop(cell):
        return cell.over_steps(sequences, states, reading, training)
    outer = current_scope()
    # One key for all steps: whatever the cell draws, it draws the same at every step.
    drawn = outer is not None and outer.noise is not None
    noise = Noise(cell.random_key(), 0) if drawn else None

    def step(inputs: Any, before: Any) -> tuple[Any, Any]:
        with Scope(training=training, noise=noise, parent=outer).active() as scope:
            output, new = cell(inputs, before)
        _refuse_traces(cell, scope)
        return output, new

    return Run(
        *run_steps(
            step,
            sequences,
            states,
            segments=reading.segments,
            zero_output_for_mask=reading.zero_output_for_mask,
            packed=reading.packed,
            reverse=reading.reverse,
        )
    )


def knows_loop(cell: Any) -> TypeGuard[LoopedCell]:
    """Whether a cell knows a faster way over all steps than one call after another."""
    return isinstance(cell, LoopedCell) and cell.knows_loop


def chosen_loop(cell: Any) -> Loop:
    """Return which loop `over_steps` takes for a cell.

    Example:
        >>> import everystep as es
        >>> from everystep.kernels import only
        >>> with only("xla"):
        ...     cells = es.layers.LSTMCell(4), es.layers.GRUCell(4, reset_after=False)
        ...     [chosen_loop(cell).kernel for cell in cells]
        ['xla', 'steps']
    """
    if knows_loop(cell):
        return cell.which_loop()
    return Loop(
        "steps",
        f"the kernels do not know the equation of {type(cell).__name__}, so its call runs at each "
        "step",
    )


def _refuse_traces(cell: Layer, scope: Scope) -> None:
    if scope.updates or scope.losses:
        left = "changes a weight" if scope.updates else "adds a loss"
        raise StateError(
            f"cell '{cell.path}' ({type(cell).__name__}) {left} at each step, which would be lost: "
            "keep what changes from step to step in the cell's states, and give activity "
            "regularizers to the layer around"
        )


def first_states(cell: Any, batch: Any) -> list[Any]:
    """Return the states before the first step, in a list: the cell's own, or zeros."""
    return listed(own_states(cell, batch))


def own_states(cell: Any, batch: Any) -> Any:
    """Return the states before the first step; a single one may come without a list around it."""
    own = getattr(cell, "get_initial_state", None)
    if own is None:
        return _zeros(cell.state_size, batch, cell.compute_dtype)
    return cast_tree(own(batch_size=batch), cell.compute_dtype)


def _zeros(size: Any, batch: Any, dtype: str) -> Any:
    if isinstance(size, list | tuple):
        return [_zeros(one, batch, dtype) for one in size]
    return jnp.zeros((batch, size), dtype)


def listed(states: Any) -> list[Any]:
    """Return states as a list, a single one in a list of its own."""
    return list(states) if isinstance(states, list | tuple) else [states]


def like(states: Any, new: Any) -> Any:
    """Return new states in a list if the old ones came in one, else the single one alone."""
    new = listed(new)
    return new if isinstance(states, list | tuple) else new[0]


def state_sizes(cell: Any) -> list[Any]:
    """Return the size of each state, a list of sizes where a state is a list of states."""
    return listed(cell.state_size)


def output_size(cell: Any) -> Any:
    """Return the size of a cell's output: what it says, or that of its first state, as in Keras."""
    own = getattr(cell, "output_size", None)
    return state_sizes(cell)[0] if own is None else own


def checked_states(layer: Layer, given: Any, cell: Any, batch: Any) -> list[Any]:
    """Return states in the cell's own tree, or raise the error that says which one does not fit."""
    expected = jax.eval_shape(lambda: first_states(cell, batch))
    wanted, tree = jax.tree.flatten(expected)
    found = [jnp.asarray(leaf) for leaf in jax.tree.leaves(given)]
    who = f"layer '{layer.path}' ({type(layer).__name__})"
    if len(found) != len(wanted):
        raise ShapeError(f"{who} has {len(wanted)} states, but initial_state holds {len(found)}")
    for number, (state, own) in enumerate(zip(found, wanted, strict=True)):
        if state.shape != own.shape:
            raise ShapeError(
                f"{who}: initial_state[{number}] must have shape (batch, units) = "
                f"{tuple(own.shape)}, not {tuple(state.shape)}"
            )
    states: list[Any] = jax.tree.unflatten(tree, found)
    return states


def build_cell(cell: Any, input_shape: Any) -> None:
    """Build a cell for a step's inputs; one without a `build` is run once, on shapes alone."""
    if cell.built:
        return
    if type(cell).build is not Layer.build:
        cell.build(input_shape)
        return
    inputs = symbolic.struct((1, *input_shape[1:]), cell.input_dtype)
    symbolic.trace_specs(cell, inputs, jax.eval_shape(lambda: first_states(cell, 1)))


def _cell(value: Any) -> Any:
    made = deserialize(value) if isinstance(value, dict) else value
    if not isinstance(made, Layer) or getattr(made, "state_size", None) is None:
        reject(value)
    return made


def _cells(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple) or not value:
        reject(value)
    return [_cell(one) for one in value]


CELL = Kind(
    "a cell, which is a layer with a state_size, such as LSTMCell(64), or a list of cells",
    _cell,
    serialize,
    refused=(3, None, "no such cell", len),
)
CELLS = Kind(
    "a list of cells, such as [LSTMCell(64), LSTMCell(64)]",
    _cells,
    serialize,
    refused=(3, None, [], "no such cells", [3]),
)
