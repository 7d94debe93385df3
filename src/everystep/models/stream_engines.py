"""What runs a stream: the native stepper where it knows every layer, else a compiled program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from everystep.kernels import stepper
from everystep.models.stream_proof import walk

if TYPE_CHECKING:
    from everystep.models.stream_program import Memory, StreamProgram


class Engine(Protocol):
    """Goes on with sequences side by side."""

    name: str

    def restart(self) -> None:
        """Start all rows anew, with the model's weights of now."""

    def clear(self, rows: Any) -> None:
        """Start anew where `rows`, bool (batch,), says so."""

    def run(self, inputs: list[Any], mask: Any) -> list[Any]:
        """Return NumPy arrays of outputs for a chunk."""

    @property
    def states(self) -> list[Any]:
        """Copies of what the layers keep; it may be set to arrays of the same shapes."""

    @states.setter
    def states(self, states: list[Any]) -> None: ...


class Compiled:
    """Runs the program, one array of which is overwritten by the next."""

    name = "compiled"

    def __init__(self, program: StreamProgram, batch: int) -> None:
        self._program, self._batch = program, batch
        self.restart()
        program.prepare(self._weights, batch)

    def restart(self) -> None:
        """Start all rows anew, with the model's weights of now."""
        self._weights = self._program.weights()
        self._memory: Memory = self._program.first_memory(self._batch)

    def clear(self, rows: Any) -> None:
        """Start anew where `rows` says so."""
        self._memory = self._program.cleared(self._memory, rows)

    def run(self, inputs: list[Any], mask: Any) -> list[Any]:
        """Run the chunk in pieces of 1, 2, 4, 8 ... steps, so that few programs are compiled."""
        self._program.model.check_values(inputs[0] if len(inputs) == 1 else inputs)
        parts = []
        for piece in pieces(inputs[0].shape[1]):
            own = None if mask is None else mask[:, piece]
            chunk = [array[:, piece] for array in inputs]
            outputs, self._memory = self._program.advance(self._weights, self._memory, chunk, own)
            parts.append([np.asarray(array) for array in outputs])
        if len(parts) == 1:
            return parts[0]
        kinds = zip(zip(*parts, strict=True), self._program.proof.of_steps, strict=True)
        return [np.concatenate(every, 1) if of_steps else every[-1] for every, of_steps in kinds]

    @property
    def states(self) -> list[Any]:
        """Copies of what the layers keep."""
        return [np.array(leaf) for leaf in jax.tree.leaves(self._memory)]

    @states.setter
    def states(self, states: list[Any]) -> None:
        leaves, tree = jax.tree.flatten(self._memory)
        pairs = zip(states, leaves, strict=True)
        self._memory = jax.tree.unflatten(tree, [jnp.array(new, old.dtype) for new, old in pairs])


class Native:
    """Runs the extension's operations, which take no compiling and no dispatch."""

    name = "native"

    def __init__(self, program: StreamProgram, batch: int) -> None:
        self._program, self._batch = program, batch
        self._dtype = program.proof.inputs[0].dtype
        self.restart()

    def restart(self) -> None:
        """Start all rows anew, with the model's weights of now."""
        self._stepper = self._program.prepared().stepper(self._batch)

    def clear(self, rows: Any) -> None:
        """Start anew where `rows` says so: from zeros, as all cells do that the stepper knows."""
        self.states = [np.where(rows[:, None], 0, state) for state in self.states]

    def run(self, inputs: list[Any], mask: Any) -> list[Any]:
        """Run the whole chunk."""
        values = np.ascontiguousarray(inputs[0])
        if not values.flags.aligned:
            values = values.copy()
        if values.dtype != self._dtype:
            self._program.model.check_values(values)
            values = values.astype(self._dtype)
        if mask is not None:
            mask = np.ascontiguousarray(mask, "int32")
        try:
            return [self._stepper.run(values, mask)]
        except IndexError:
            # The layer says it in words.
            self._program.model.check_values(values)
            raise

    @property
    def states(self) -> list[Any]:
        """Copies of the states."""
        return list(self._stepper.states)

    @states.setter
    def states(self, states: list[Any]) -> None:
        self._stepper.states = states


def operations_of(program: StreamProgram) -> list[stepper.Operation] | str:
    """Return the model as operations of the stepper, or why it is none."""
    model: Any = program.model
    (spec, *more), start = program.proof.inputs, object()
    ids = jnp.issubdtype(spec.dtype, jnp.integer)
    if more or len(spec.shape) != (2 if ids else 3) or spec.dtype not in ("float32", "int32"):
        return "it takes one input, (batch, steps, features) in float32 or ids (batch, steps)"
    chain = _Chain(start)
    end = walk(model, {model.inputs[0]: start}, chain.call)
    if chain.why_not:
        return chain.why_not
    if end is not chain.end or not chain.operations:
        return "it takes layers one after the other, with one output"
    if ids != isinstance(chain.operations[0], stepper.Embed):
        return "it reads ids by an Embedding alone"
    return stepper.why_not(chain.operations) or chain.operations


class _Chain:
    """Calls of layers, each of which reads what the one before it gives."""

    def __init__(self, start: Any) -> None:
        self.end = start
        self.operations: list[stepper.Operation] = []
        self.why_not = ""

    def call(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Note what a call does; return what stands for its output."""
        own = type(layer).__module__.startswith("everystep.") and len(args) == 1 and not kwargs
        own = own and args[0] is self.end
        found = layer.step_operations() if own else None
        single = getattr(layer, "compute_dtype", "") == "float32"
        if found is None or not single:
            self.why_not = self.why_not or f"it does not know what layer '{layer.path}' does"
            return object()
        self.operations += found
        self.end = object() if found else self.end
        return self.end


def pieces(steps: int) -> list[slice]:
    """Cut so many steps into pieces of 1, 2, 4, 8 ... steps, the largest first.

    Example:
        >>> pieces(6)
        [slice(0, 4, None), slice(4, 6, None)]
    """
    ends, start = [], 0
    for bit in reversed(range(steps.bit_length())):
        if steps >> bit & 1:
            ends.append(slice(start, start + (1 << bit)))
            start += 1 << bit
    return ends
