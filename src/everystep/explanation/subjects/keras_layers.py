"""Layers and models of Keras 3 on the JAX backend as subjects. Keras itself is never imported."""

from __future__ import annotations

import copy
import inspect
import random
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from everystep.core.scope import Call
from everystep.errors import DataError, SettingError, StateError
from everystep.explanation.program import Weight
from everystep.explanation.subjects.examples import Example
from everystep.explanation.subjects.layered import (
    MODES,
    Layered,
    arguments_of,
    numbered,
    with_axes,
)
from everystep.explanation.subjects.recording import Recording, record
from everystep.explanation.subjects.subject import Inputs, Traced, trace
from everystep.layers import symbolic
from everystep.sequences import Steps


def is_of_keras(thing: Any) -> bool:
    """Whether something is a layer or model of Keras; whoever has one has imported Keras."""
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(thing, keras.Layer)


class KerasSubject(Layered):
    """A layer or model of Keras, explained in inference mode.

    Args:
        layer: the layer; one that is not built is left as it is, and a copy explained.
        examples: what it is called on, one for each input.
        input_axis: which axis of the inputs is time, 1 for the usual one.
        output_axis: the same of the outputs.

    Raises:
        SettingError: Keras runs on another backend than JAX.
        DataError: there is no example, and the layer does not know its input.
    """

    batch = 1

    def __init__(
        self, layer: Any, examples: tuple[Any, ...], input_axis: Any = 1, output_axis: Any = 1
    ) -> None:
        self._keras: Any = sys.modules["keras"]
        backend = self._keras.config.backend()
        if backend != "jax":
            raise SettingError(
                f"layer '{layer.name}' of Keras runs on the backend {backend!r}, and only JAX "
                "programs can be explained: set KERAS_BACKEND=jax before Keras is imported, or "
                "take it over with everystep.from_keras(model)"
            )
        self.layer, self.output_axis = layer, output_axis
        self.name, self.kind = layer.name, type(layer).__name__
        own = _own_input(layer)
        if not examples and own is None:
            raise DataError(
                f"{self.kind} '{self.name}' of Keras does not know what its input looks like: give "
                "an example, such as everystep.explain(layer, (None, 4, 3))"
            )
        named = inspect.signature(layer.call).parameters
        # Without it, `stateless_call` would hand a call what it does not name.
        self._modes = {"training": False} if "training" in named else {}
        places = [name for name in named if name not in MODES]
        arguments = arguments_of(examples, places) if examples else (own,)
        inputs = Inputs.of(arguments, places)
        known = jax.tree.leaves(own, is_leaf=lambda leaf: isinstance(leaf, Example))
        if len(known) != len(inputs.examples):
            known = [Example((), layer.input_dtype)] * len(inputs.examples)
        shapes = [
            each.shape or given.shape for each, given in zip(known, inputs.examples, strict=True)
        ]
        self.inputs = with_axes(self, inputs, shapes, [each.dtype for each in known], input_axis)

    @property
    def _variables(self) -> list[Any]:
        return [*self.layer.trainable_variables, *self.layer.non_trainable_variables]

    @property
    def weights(self) -> tuple[Weight, ...]:
        """Its weights, and the states that it keeps."""
        variables = self._variables
        paths = numbered([variable.path for variable in variables])
        return tuple(
            Weight(path, np.asarray(variable.value), bool(variable.trainable))
            for path, variable in zip(paths, variables, strict=True)
        )

    @property
    def parameters(self) -> int:
        """How many numbers its weights have."""
        return int(self.layer.count_params())

    def dtype_of(self, example: Example) -> Any:
        """Return the dtype of an input: its own, or the one that the layer expects."""
        return jax.dtypes.canonicalize_dtype(example.dtype)

    def built_for(self, steps: int | None) -> Self:
        """Return the subject with weights: a layer without any is copied, and the copy built."""
        if self.layer.built:
            return self
        examples = self.inputs.sized(steps, 1)
        # Keras draws the seeds of first values from Python's generator, which goes on as it was.
        state = random.getstate()
        try:
            layer = self._copied()
            symbols = [
                self._keras.KerasTensor((None, *each.shape[1:]), str(self.dtype_of(each)))
                for each in examples
            ]
            layer(*jax.tree.unflatten(self.inputs.tree, symbols))
        # Whatever the layer has to say of its inputs.
        except Exception as error:
            self.refuse(error, examples, steps)
        finally:
            random.setstate(state)
        built = copy.copy(self)
        built.layer = layer
        return built

    def _copied(self) -> Any:
        try:
            return type(self.layer).from_config(self.layer.get_config())
        except TypeError as error:
            raise StateError(
                f"{self.kind} '{self.name}' of Keras has no weights yet, and its configuration "
                "does not make another one like it: call it on data, or build it"
            ) from error

    def function(self, examples: Sequence[Example]) -> Callable[..., Any]:
        """Return the function of weights and inputs that gives the tree of outputs."""
        trained = len(self.layer.trainable_variables)
        count = len(self._variables)

        def outputs(*arrays: Any) -> Any:
            inputs = self.given(arrays[count:], examples)
            return self.layer.stateless_call(
                list(arrays[:trained]), list(arrays[trained:count]), *inputs, **self._modes
            )[0]

        return outputs

    def recording(self, steps: int | None) -> Recording | None:
        """Trace the model such that what its layers give can be seen; a plain layer is one call."""
        count = len(self._variables)

        def run(arrays: Sequence[Any], examples: Sequence[Example]) -> list[Call]:
            mapping = list(zip(self._variables, arrays[:count], strict=True))
            first, *rest = self.given(arrays[count:], examples)
            calls: list[Call] = []
            with self._keras.StatelessScope(state_mapping=mapping):
                if self._graph is None:
                    outputs = self.layer(first, *rest, **self._modes)
                    calls.append(Call(self.layer, first, _with_masks(outputs), 0))
                else:
                    inputs = self._graph._standardize_inputs(first)
                    self._graph._run_through_graph(inputs, partial(self._noted, calls))
            return calls

        paths = {
            id(variable): weight.path
            for variable, weight in zip(self._variables, self.weights, strict=True)
        }
        return record(run, self.specs_of, self.examples_for(steps), paths)

    @property
    def _graph(self) -> Any:
        """The graph of calls between a model's inputs and outputs, None where it has none."""
        model = self.layer
        if isinstance(model, self._keras.Sequential):
            model = model._functional
        return model if isinstance(model, self._keras.Function) else None

    def _noted(self, calls: list[Call], operation: Any) -> Callable[..., Any]:
        """Return an operation of the graph that notes its calls, if it is a layer."""
        if not isinstance(operation, self._keras.Layer):
            return operation  # type: ignore[no-any-return]
        has_modes = "training" in inspect.signature(operation.call).parameters

        def call(*args: Any, **kwargs: Any) -> Any:
            if has_modes:
                kwargs["training"] = False
            outputs = operation(*args, **kwargs)
            calls.append(Call(operation, args, _with_masks(outputs), len(calls)))
            return outputs

        return call

    def traced(self, examples: Sequence[Example]) -> Traced:
        """Trace the layer; what is made whole before it is used holds ids.

        Raises:
            SettingError: there are `Steps` among the examples, which Keras does not know.
        """
        if any(example.segments is not None for example in examples):
            raise SettingError(
                f"layer '{self.name}' of Keras does not take Steps: give a shape or an array"
            )
        found = trace(self.function(examples), self.specs_of(examples))
        tables = [
            each.input_dim
            for each in self.layer._flatten_layers()
            if isinstance(each, self._keras.layers.Embedding)
        ]
        variables = found.jaxpr.jaxpr.invars[len(self._variables) :]
        ids = [
            example.whole_numbers or _is_made_whole(found.jaxpr.jaxpr, variable)
            for example, variable in zip(examples, variables, strict=True)
        ]
        return found._replace(
            values=[
                min(tables if whole else [], default=None) or example.values
                for whole, example in zip(ids, examples, strict=True)
            ]
        )


def _with_masks(outputs: Any) -> Any:
    """Return outputs as `Steps` where Keras has put a mask on them."""

    def with_mask(array: Any) -> Any:
        mask = getattr(array, "_keras_mask", None)
        return array if mask is None else Steps(array, mask, packed=False)

    return jax.tree.map(with_mask, outputs)


def _own_input(layer: Any) -> Any:
    """Return an example of the input as the layer knows it, or a tree of examples, or None."""
    keras: Any = sys.modules["keras"]
    if isinstance(layer, keras.Model) and layer.built and getattr(layer, "inputs", None):
        symbols = layer.inputs[0] if len(layer.inputs) == 1 else layer.input
        return jax.tree.map(lambda symbol: Example(tuple(symbol.shape), symbol.dtype), symbols)
    shape: Any = (layer.get_build_config() or {}).get("input_shape") if layer.built else None
    return Example(tuple(shape), layer.input_dtype) if symbolic.is_shape(shape) else None


def _is_made_whole(jaxpr: Any, variable: Any) -> bool:
    """Whether numbers are turned into integers, as the ids that files of Keras say float32 of."""
    return any(
        equation.primitive.name == "convert_element_type"
        and variable in equation.invars
        and jnp.issubdtype(equation.params["new_dtype"], jnp.integer)
        for equation in jaxpr.eqns
    )
