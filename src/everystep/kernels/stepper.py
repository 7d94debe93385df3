"""Live sequences without XLA in between: a model as a list of operations, run by the extension.

Calling a compiled program takes several times as long as the arithmetic of one step. The operations
here go from NumPy arrays to NumPy arrays in one call; weights are packed once for all streams.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from everystep.kernels.asked import Asked, Fixed
from everystep.kernels.extension import extension, path
from everystep.kernels.native import NATIVE, number_of, numbers_of
from everystep.kernels.pointwise import same_function
from everystep.kernels.twins import choose, default_platform

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Embed:
    """The row of a table for each id: `table` is (ids, width)."""

    table: Any


@dataclass(frozen=True, eq=False)
class Multiply:
    """A product: `kernel` is (features, units), `bias` is (units,) or None."""

    kernel: Any
    bias: Any


@dataclass(frozen=True, eq=False)
class Activate:
    """A function of each number, or the softmax of each step."""

    function: Any


@dataclass(frozen=True, eq=False)
class Loop:
    """A recurrent cell, with the arrays of `recurrent`.

    Args:
        fixed: its equation, and what it gives at padding.
        kernel: the weights of the inputs, or None: the inputs are their share already.
        recurrent_kernel: the weights of the first state.
        bias: added to the inputs' share, or None.
        recurrent_bias: added to the recurrent share, or None.
        parameters: what the cell's equation has besides.
        last: whether it gives the output of the last step alone.
    """

    fixed: Fixed
    kernel: Any
    recurrent_kernel: Any
    bias: Any
    recurrent_bias: Any
    parameters: tuple[Any, ...] = ()
    last: bool = False

    @property
    def units(self) -> int:
        """The size of a state."""
        return int(self.recurrent_kernel.shape[0])


Operation = Embed | Multiply | Activate | Loop

LARGEST_TABLE = 2**26
"""How many numbers a table has at most that is made of another one; 256 MiB."""


def folded(operations: Sequence[Operation]) -> list[Operation]:
    """Do once to the rows of a table what would be done to each row that is read.

    An `Embed` and the product behind it are an `Embed` of a table that has been multiplied, and a
    `Loop` behind a table is a product and a loop without one. A step then reads the inputs' share,
    `shares` numbers, where it would read the whole kernel.

    Args:
        operations: the operations.

    Returns:
        Operations that give the same, up to rounding; those given where no table comes first, or
        where the new one would be larger than `LARGEST_TABLE`.

    Example:
        >>> table, kernel = np.eye(3, dtype="float32"), np.ones((3, 2), "float32")
        >>> [each.table.tolist() for each in folded([Embed(table), Multiply(2 * kernel, None)])]
        [[[2.0, 2.0], [2.0, 2.0], [2.0, 2.0]]]
    """
    match list(operations):
        case [Embed(table), Multiply(kernel, bias), *rest] if _fits(table, kernel):
            product = np.asarray(table) @ np.asarray(kernel)
            made = product if bias is None else product + np.asarray(bias)
            return folded([Embed(made), *rest])
        case [Embed(table), Loop(kernel=kernel) as loop, *rest] if _fits(table, kernel):
            apart: list[Operation] = [Multiply(kernel, None), replace(loop, kernel=None)]
            return folded([operations[0], *apart, *rest])
    return list(operations)


def _fits(table: Any, kernel: Any) -> bool:
    return kernel is not None and table.shape[0] * kernel.shape[1] <= LARGEST_TABLE


class Prepared:
    """A list of operations as the extension has it, shared by all streams of some weights.

    Args:
        operations: the operations, of which `why_not` knows nothing against any.
        features: of a step of the input; where that is an id, it does not matter.
    """

    def __init__(self, operations: Sequence[Operation], features: int) -> None:
        self._held = extension().module.Operations()
        operations = folded(operations)
        self.reads_ids = isinstance(operations[0], Embed)
        self.loops = [each for each in operations if isinstance(each, Loop)]
        self.last = any(loop.last for loop in self.loops)
        self.width = features
        for operation in operations:
            self._add(operation)

    def stepper(self, batch: int) -> "Stepper":
        """Return so many sequences at their start."""
        return Stepper(self, extension().module.Stepper(self._held, batch), batch)

    def _add(self, operation: Operation) -> None:
        if isinstance(operation, Embed):
            self._held.embed(_single(operation.table))
            self.width = operation.table.shape[1]
        elif isinstance(operation, Multiply):
            self._held.multiply(_single(operation.kernel), _single(operation.bias))
            self.width = operation.kernel.shape[1]
        elif isinstance(operation, Activate):
            number = number_of(operation.function)
            if number is None:
                self._held.softmax(self.width)
            else:
                self._held.activate(number, self.width)
        else:
            cell, activation, gate_activation = numbers_of(operation.fixed.gates)
            self._held.loop(
                path(),
                cell,
                activation,
                gate_activation,
                operation.fixed.zero_output_for_mask,
                _single(operation.kernel),
                _single(operation.recurrent_kernel),
                _single(operation.bias),
                _single(operation.recurrent_bias),
                _single(operation.parameters[0]) if operation.parameters else None,
                operation.last,
            )
            self.width = operation.units


class Stepper:
    """Sequences side by side, and where they are; see `Prepared.stepper`."""

    def __init__(self, prepared: Prepared, live: Any, batch: int) -> None:
        self._prepared = prepared
        self._live = live
        self._run = live.run
        self._batch = batch
        units = [[loop.units] * loop.fixed.gates.state_count for loop in prepared.loops]
        self._shapes = [(batch, size) for sizes in units for size in sizes]

    def run(self, inputs: Array, mask: Array | None) -> Array:
        """Return the outputs of the next steps.

        Shapes:
            inputs (batch, steps, features) or ids (batch, steps), mask (batch, steps) ->
            (batch, steps, width), or (batch, width) where a loop gives its last output alone

        Args:
            inputs: float32, or int32 ids.
            mask: int32, 0 at padding, or None.

        Raises:
            IndexError: an id is not in the table; then nothing has changed.
        """
        prepared = self._prepared
        steps = () if prepared.last else inputs.shape[1:2]
        outputs = np.empty((self._batch, *steps, prepared.width), np.float32)
        self._run(inputs, mask, outputs)
        return outputs

    @property
    def states(self) -> list[Array]:
        """Copies of the states, loop by loop, each (batch, units); it may be set."""
        found = [np.empty(shape, np.float32) for shape in self._shapes]
        for number, state in enumerate(found):
            self._live.read(number, state)
        return found

    @states.setter
    def states(self, states: Sequence[Array]) -> None:
        for number, (state, shape) in enumerate(zip(states, self._shapes, strict=True)):
            self._live.write(number, np.ascontiguousarray(state, np.float32).reshape(shape))


def why_not(operations: Sequence[Operation]) -> str:
    """Return why the extension cannot run the operations; "" if it can."""
    if missing := extension().why_not:
        return missing
    for operation in operations:
        if isinstance(operation, Loop):
            reason = _why_no_loop(operation)
        elif isinstance(operation, Activate):
            known = number_of(operation.function) is not None
            known = known or same_function(operation.function, jax.nn.softmax)
            reason = "" if known else f"it does not know the activation {operation.function}"
        else:
            reason = ""
        arrays = jax.tree.leaves(vars(operation))
        if any(getattr(array, "dtype", np.float32) != np.float32 for array in arrays):
            reason = reason or "it computes in float32 alone"
        if reason:
            return reason
    return ""


def _why_no_loop(loop: Loop) -> str:
    asked = Asked(
        loop.fixed,
        batch=None,
        steps=None,
        features=None if loop.kernel is None else loop.kernel.shape[0],
        units=loop.units,
        dtype=str(loop.recurrent_kernel.dtype),
        platform=default_platform(),
    )
    choice = choose(asked)
    if choice.twin is NATIVE:
        return ""
    return dict(choice.why).get(NATIVE.name, f"the twin {choice.twin.name!r} runs its loops")


def _single(array: Any) -> Array | None:
    """Return an array as the extension reads it: its own memory where that is so already."""
    return None if array is None else np.ascontiguousarray(array, np.float32)
