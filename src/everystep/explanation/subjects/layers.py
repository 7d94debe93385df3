"""Layers and models of everystep as subjects."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Self

import jax
import numpy as np

from everystep.core.randomness import Noise, undisturbed
from everystep.core.scope import Call, Scope
from everystep.core.variables import Variable
from everystep.errors import DataError
from everystep.explanation.program import Weight
from everystep.explanation.subjects.examples import Example
from everystep.explanation.subjects.layered import (
    MODES,
    Layered,
    arguments_of,
    with_axes,
)
from everystep.explanation.subjects.recording import Recording, direct_calls, record
from everystep.explanation.subjects.subject import Inputs, Traced, trace
from everystep.layers import Embedding, Layer, symbolic
from everystep.layers.arguments import is_steps
from everystep.layers.looping import Loop, chosen_loop
from everystep.layers.recurrent import Recurrent
from everystep.models import Model


class LayerSubject(Layered):
    """A layer or model of everystep, explained in inference mode.

    Args:
        layer: the layer; one that is not built is left as it is, and a copy explained.
        examples: what it is called on: its input, or a tree of inputs, then further arguments of
            its `call`; several inputs of a layer that takes a list of them may come one by one.
        input_axis: which axis of the inputs is time, 1 for the usual one.
        output_axis: the same of the outputs.

    Raises:
        DataError: there is no example, and the layer does not know its input.
    """

    takes_segments = True

    def __init__(
        self, layer: Layer, examples: tuple[Any, ...], input_axis: Any = 1, output_axis: Any = 1
    ) -> None:
        self.layer = layer
        self.name, self.kind = layer.name, type(layer).__name__
        self.output_axis = output_axis
        own = _own_input(layer)
        if not examples and own is None:
            raise DataError(
                f"{self.kind} '{self.name}' does not know what its input looks like: give an "
                "example, such as everystep.explain(layer, (None, 4, 3))"
            )
        self._places = [name for name in layer.call_signature.places if name not in MODES]
        arguments = arguments_of(examples, self._places) if examples else (own,)
        inputs = Inputs.of(arguments, self._places)
        count = len(inputs.examples)
        if isinstance(layer, Model) and layer.is_graph and len(set(layer.input_names)) == count > 1:
            inputs = replace(inputs, names=tuple(layer.input_names))
        self._rows = next((e.shape[0] for e in inputs.examples if e.shape and e.shape[0]), 1)
        shapes = jax.tree.leaves(own, is_leaf=symbolic.is_shape)
        dtypes = symbolic.input_dtypes(layer, count)
        self.inputs = with_axes(
            self, inputs, shapes if len(shapes) == count else None, dtypes, input_axis
        )
        self._variables = _variables(layer)

    @property
    def batch(self) -> Any:
        """One row, or as many as there are states that last from call to call."""
        lasting = [variable for variable in self._variables.values() if variable.temporary]
        rows = [e.segments.shape[0] for e in self.inputs.examples if e.segments is not None]
        return lasting[0].shape[0] if lasting else (rows or [1])[0]

    @property
    def weights(self) -> tuple[Weight, ...]:
        """Its weights, and the states that it keeps."""
        return tuple(
            Weight(path, np.asarray(variable.peek()), variable.made_trainable)
            for path, variable in self._variables.items()
        )

    @property
    def parameters(self) -> int:
        """How many numbers its weights have."""
        return self.layer.count_params()

    def dtype_of(self, example: Example) -> Any:
        """Return the dtype of an input: its own, or the one that the layer expects."""
        return jax.dtypes.canonicalize_dtype(example.dtype)

    def built_for(self, steps: int | None) -> Self:
        """Return the subject with weights: a layer without any is copied, and the copy built."""
        if _is_built(self.layer):
            return self
        examples = self.inputs.sized(steps, self._rows)
        layer = copy.deepcopy(self.layer)
        specs = [
            jax.ShapeDtypeStruct(each.shape, self.dtype_of(each))  # type: ignore[no-untyped-call]
            for each in examples
        ]
        first, *rest = self.given(specs, examples)
        try:
            # What is drawn for the copy must not change what is drawn for the layer itself.
            with undisturbed():
                symbolic.trace_specs(
                    layer, first, **dict(zip(self._places[1:], rest, strict=False))
                )
        # Whatever the layer has to say of its inputs.
        except Exception as error:
            self.refuse(error, examples, steps)
        built = copy.copy(self)
        built.layer = layer
        built._variables = _variables(layer)
        return built

    def function(self, examples: Sequence[Example]) -> Callable[..., Any]:
        """Return the function of weights and inputs that gives the tree of outputs."""
        return lambda *arrays: self.run(arrays, examples)

    def traced(self, examples: Sequence[Example]) -> Traced:
        """Trace the layer; an input that embeddings read holds ids of the smallest of them."""
        calls: list[Call] = []
        count = len(self._variables)
        read: dict[int, list[int]] = {}

        def function(*arrays: Any) -> Any:
            outputs = self.run(arrays, examples, calls)
            for number, array in enumerate(arrays[count:]):
                read[number] = [
                    call.layer.input_dim
                    for call in calls
                    if isinstance(call.layer, Embedding) and values_of(call.inputs) is array
                ]
            return outputs

        found = trace(function, self.specs_of(examples))
        return found._replace(values=self._ids(examples, read), names=self._output_names(found))

    def loops(self) -> dict[str, Loop]:
        """Return which loop each recurrent layer takes, by its path."""
        inside = dict.fromkeys(_inside(self.layer))
        return {each.path: chosen_loop(each.cell) for each in inside if isinstance(each, Recurrent)}

    def recording(self, steps: int | None) -> Recording | None:
        """Trace the model such that what its layers give can be seen; a plain layer is one call."""

        def run(arrays: Sequence[Any], examples: Sequence[Example]) -> list[Call]:
            calls: list[Call] = []
            self.run(arrays, examples, calls)
            return direct_calls(calls) if isinstance(self.layer, Model) else calls[-1:]

        paths = {id(variable): path for path, variable in self._variables.items()}
        return record(run, self.specs_of, self.examples_for(steps), paths)

    def run(
        self,
        arrays: Sequence[Any],
        examples: Sequence[Example],
        calls: list[Call] | None = None,
    ) -> Any:
        """Run the layer on values of its weights and inputs; the calls inside are noted."""
        count = len(self._variables)
        weights = zip(self._variables.values(), arrays[:count], strict=True)
        scope = Scope(
            values={id(variable): value for variable, value in weights},
            training=False,
            noise=Noise(jax.random.key(0), 0),
            recording=calls is not None,
            any_steps=True,
            padding_given=self.padding_given,
        )
        first, *rest = self.given(arrays[count:], examples)
        with scope.active():
            outputs = self.layer(first, **dict(zip(self._places[1:], rest, strict=False)))
        if calls is not None:
            calls.extend(scope.calls)
        return outputs

    def _ids(self, examples: Sequence[Example], read: dict[int, list[int]]) -> list[int | None]:
        """Return how many ids each input may hold; None for numbers."""
        everywhere = [each.input_dim for each in _inside(self.layer) if isinstance(each, Embedding)]
        return [
            min(read[number] or (everywhere if example.whole_numbers else []), default=None)
            or example.values
            for number, example in enumerate(examples)
        ]

    def _output_names(self, found: Traced) -> list[str]:
        """Return what the outputs are called: several of a graph as the layers that give them."""
        layer, count = self.layer, len(found.names)
        if (
            isinstance(layer, Model)
            and layer.is_graph
            and len(set(layer.output_names)) == count > 1
        ):
            return layer.output_names
        return found.names


def values_of(leaf: Any) -> Any:
    """Return the values of `Steps`, anything else as it is."""
    return leaf.values if is_steps(leaf) else leaf


def _inside(layer: Any) -> list[Any]:
    """Return a layer and all layers inside."""
    return [layer, *(found for each in layer.sublayers() for found in _inside(each))]


def _variables(layer: Layer) -> dict[str, Variable]:
    """Return the weights and states of a layer by path, without what its metrics count."""
    own = set(layer.variables)
    return {path: each for path, each in layer.named_weights().items() if each in own}


def _is_built(layer: Layer) -> bool:
    return all(each.built for each in _inside(layer))


def _own_input(layer: Layer) -> Any:
    """Return the shape of the input as the layer knows it, or a tree of shapes, or None."""
    if isinstance(layer, Model) and layer.built:
        return layer.input_shape
    known = layer._built_for if layer._built_for is not None else layer.given_shape
    return None if known is None else symbolic.known(known)
