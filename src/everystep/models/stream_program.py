"""The program of streams: a pure function from weights, what is kept, and a chunk to the next."""

from __future__ import annotations

import operator
from contextlib import nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.core.scope import Scope
from everystep.errors import DataError, StateError
from everystep.kernels.stepper import Prepared
from everystep.kernels.twins import only
from everystep.layers.arguments import is_steps
from everystep.models.arranging import arranged, paired
from everystep.models.stream_engines import operations_of
from everystep.models.stream_proof import go_on, prove, walk
from everystep.sequences import from_mask

if TYPE_CHECKING:
    from everystep.models.model import Model

WORTH_PACKING = 8
"""Steps of a chunk from which the native twin of the recurrent loop is the faster one."""

Memory = list[Any]
"""What each call that keeps something keeps, in the order of the calls."""


class StreamProgram:
    """What all streams of one model share: that it streams, and the compiled program.

    Args:
        model: the model.

    Raises:
        StateError: the model is not built.
        StreamError: a layer does not go on from chunk to chunk.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.owned = model.owned_variables()
        self.variables = list(model.named_weights().values())
        self.proof = prove(model)
        self.advance: Any = jax.jit(self._advance, donate_argnums=(1,))
        self._clear: Any = jax.jit(_chosen, donate_argnums=(0,))
        self._one_output = jax.tree_util.treedef_is_leaf(self.proof.outputs)
        self._ready: set[int] = set()
        self._prepared: Prepared | None = None
        self._prepared_of: list[Any] = []

    @classmethod
    def of(cls, model: Model) -> StreamProgram:
        """Return the program of a model, made anew if the model has changed."""
        program: StreamProgram | None = model._stream_program
        if program is None or model.owned_variables() != program.owned:
            program = model._stream_program = cls(model)
        return program

    def weights(self) -> list[Any]:
        """Return the weights as they are now; training leaves these arrays alone."""
        return [variable.value for variable in self.variables]

    def listed(self, inputs: Any) -> list[Any]:
        """Return the arrays of a step or chunk in the order of the model's inputs.

        Raises:
            DataError: there are more or fewer arrays than inputs, one is `Steps`, or one holds an
                integer that does not fit.
        """
        arrays = [inputs] if isinstance(inputs, np.ndarray) else self._in_order(inputs)
        for number, (array, spec) in enumerate(zip(arrays, self.proof.inputs, strict=True)):
            if array.dtype != spec.dtype and _both_of(array.dtype, spec.dtype):
                arrays[number] = _narrowed(array, spec.dtype, number)
        return arrays

    def _in_order(self, inputs: Any) -> list[Any]:
        leaves = jax.tree.leaves(inputs, is_leaf=is_steps)
        if any(is_steps(leaf) for leaf in leaves):
            raise DataError(
                "a stream takes arrays, and which steps are real as its mask, not Steps: give it "
                "steps.values and mask=steps.mask"
            )
        if len(self.proof.inputs) == 1 and not isinstance(inputs, dict):
            return [np.asarray(inputs)]
        return [np.asarray(value) for value in paired(self.model, inputs).values()]

    def arranged(self, outputs: list[Any]) -> Any:
        """Return the outputs in the container in which the model gives them."""
        return outputs[0] if self._one_output else jax.tree.unflatten(self.proof.outputs, outputs)

    def first_memory(self, batch: int) -> Memory:
        """Return what is kept before the first step of so many rows."""
        memory = [call.first_memory(batch) for call in self.proof.remembering.values()]
        # Copies, because a step overwrites the memory, and one array may stand in two places.
        copied: Memory = jax.tree.map(jnp.array, memory)
        return copied

    @cached_property
    def names(self) -> list[str]:
        """A name for each array that is kept: the path of its layer, and a number."""
        memory = jax.eval_shape(lambda: self.first_memory(1))
        return [
            f"{call.name}/{number}"
            for call, kept in zip(self.proof.remembering.values(), memory, strict=True)
            for number in range(len(jax.tree.leaves(kept)))
        ]

    @cached_property
    def why_not_native(self) -> str:
        """Why the native stepper cannot run the model; "" if it can."""
        found = operations_of(self)
        return found if isinstance(found, str) else ""

    def prepared(self) -> Prepared:
        """Return the operations of the native stepper, made anew if weights have changed."""
        weights = self.weights()
        same = map(operator.is_, weights, self._prepared_of)
        if self._prepared is None or not all(same):
            found = operations_of(self)
            if isinstance(found, str):
                raise StateError(f"the native stepper cannot run the model any more: {found}")
            features = self.proof.inputs[0].shape[-1]
            self._prepared, self._prepared_of = Prepared(found, features), weights
        return self._prepared

    def cleared(self, memory: Memory, rows: Any) -> Memory:
        """Return what is kept, of these rows as before the first step."""
        cleared: Memory = self._clear(memory, self.first_memory(len(rows)), rows)
        return cleared

    def prepare(self, weights: list[Any], batch: int) -> None:
        """Compile the program for single steps, so that no stream waits for it when it runs."""
        if batch not in self._ready:
            steps = [np.zeros((batch, 1, *s.shape[2:]), s.dtype) for s in self.proof.inputs]
            self.advance(weights, self.first_memory(batch), steps, None)
            self._ready.add(batch)

    def _advance(
        self, weights: list[Any], memory: Memory, inputs: list[Any], mask: Any
    ) -> tuple[list[Any], Memory]:
        """Return the outputs of a chunk, and what is kept after it."""
        values = {id(own): value for own, value in zip(self.variables, weights, strict=True)}
        given = inputs if mask is None else [from_mask(array, mask) for array in inputs]
        places = list(self.proof.remembering)
        kept, calls = dict(zip(places, memory, strict=True)), iter(range(2**31))
        scope = Scope(values=values, training=False, any_steps=True)

        def call(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            number = next(calls)
            if number not in kept:
                return layer(*args, **kwargs)
            outputs, kept[number] = go_on(scope, layer, kept[number], args, kwargs)
            return outputs

        # The weights of a loop are packed once a call, which takes longer than a few steps do.
        few = given[0].shape[1] < WORTH_PACKING
        with scope.active(), only("xla") if few else nullcontext():
            outputs = walk(self.model, arranged(self.model, given), call)
        leaves = jax.tree.leaves(outputs, is_leaf=is_steps)
        arrays = [leaf.values if is_steps(leaf) else leaf for leaf in leaves]
        return arrays, [kept[place] for place in places]


def _narrowed(array: Any, dtype: Any, number: int) -> Any:
    narrow = array.astype(dtype)
    if array.dtype.kind in "iu" and (narrow != array).any():
        wrong = array[narrow != array].flat[0]
        raise DataError(f"input {number} holds {wrong}, which does not fit into {dtype}")
    return narrow


def _both_of(one: Any, other: Any) -> bool:
    """Whether both are types of floating-point numbers, or both of integers."""
    kinds = (jnp.floating, jnp.integer)
    return any(jnp.issubdtype(one, kind) and jnp.issubdtype(other, kind) for kind in kinds)


def _chosen(memory: Memory, first: Memory, rows: Any) -> Memory:
    """Return the first memory in these rows, the other elsewhere."""

    def choose(now: Any, start: Any) -> Any:
        return jnp.where(rows.reshape(-1, *[1] * (now.ndim - 1)), start, now)

    chosen: Memory = jax.tree.map(choose, memory, first)
    return chosen
