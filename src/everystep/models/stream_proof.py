"""Whether a model streams: whether chunk after chunk of steps gives what the whole gives.

It does where every call of its graph does. So a walk through the calls, on shapes alone, follows
what has steps and what says something of all steps so far, and stops at the first call that would
mix up the two or does not go on from chunk to chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.errors import InconclusiveDimensionOperation

from everystep.core.randomness import Noise
from everystep.core.scope import Kept, Scope
from everystep.errors import EverystepError, StreamError
from everystep.layers import Layer, symbolic
from everystep.layers.arguments import is_steps
from everystep.models.arranging import paired
from everystep.models.of_symbols import OfSymbols

if TYPE_CHECKING:
    from everystep.layers.symbols import KerasTensor
    from everystep.models.model import Model

Call = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]
# JAX leaves its own without types.
_abstract: Any = jax.ShapeDtypeStruct


@dataclass(frozen=True, eq=False)
class Flow:
    """A value on its way through the calls.

    Args:
        spec: its shape and dtype, batch and steps by name.
        of_steps: whether it has the steps of a chunk; else it says something of all steps so far.
    """

    spec: Any
    of_steps: bool


@dataclass(frozen=True)
class Remembering:
    """A call that keeps something of the steps before.

    Args:
        layer: the layer.
        name: its path, with a number where it is called several times.
        inputs: the shape and dtype of its input, batch and steps by name.
    """

    layer: Layer
    name: str
    inputs: Any

    def first_memory(self, batch: int) -> Any:
        """Return what it has kept before the first step of so many rows."""
        shape = (batch, 1, *self.inputs.shape[2:])
        return self.layer.first_memory(_abstract(shape, self.inputs.dtype))


@dataclass
class Proof:
    """That a model streams, and what one has to know to run it so.

    Args:
        inputs: the shape and dtype of each input.
        remembering: the calls that keep something, by their place among all calls.
        of_steps: of each output whether it has steps, or says something of all steps so far.
        outputs: the container in which the model gives its outputs.
    """

    inputs: list[Any]
    remembering: dict[int, Remembering] = field(default_factory=dict)
    of_steps: list[bool] = field(default_factory=list)
    outputs: Any = None


def walk(model: Any, values: dict[KerasTensor, Any], call: Call) -> Any:
    """Run a model of symbols, and the models inside it, handing each call of a layer to `call`."""

    def each(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if is_graph(layer):
            return walk(layer, paired(layer, args[0]), call)
        kwargs.pop("training", None)
        return call(layer, args, kwargs)

    outputs = model._in_graph("stream").run(values, each)
    alone = isinstance(outputs, list | tuple) and len(outputs) == 1
    return outputs[0] if alone else outputs


def is_graph(layer: Any) -> bool:
    """Whether a layer is a model whose calls a graph says."""
    return isinstance(layer, OfSymbols) and layer.called_by_graph


def prove(model: Model) -> Proof:
    """Return that a model streams, or raise the error that names the layer that does not.

    Raises:
        StateError: the model is not built.
        StreamError: a layer does not go on from chunk to chunk.
    """
    if not is_graph(model):
        raise StreamError(
            f"model '{model.name}' ({type(model).__name__}) cannot be seen to go on from chunk to "
            "chunk, because its call is code of its own: make it with Model(inputs, outputs), or "
            "a Sequential"
        )
    symbols = model.inputs
    specs = [_spec(model, symbol) for symbol in symbols]
    walker = _Walker(Proof(specs))
    values = {symbol: Flow(spec, True) for symbol, spec in zip(symbols, specs, strict=True)}
    flows, walker.proof.outputs = jax.tree.flatten(walk(model, values, walker.call))
    walker.proof.of_steps = [flow.of_steps for flow in flows]
    return walker.proof


def _spec(model: Model, symbol: KerasTensor) -> Any:
    if symbol.ndim < 2:
        raise StreamError(
            f"input '{symbol.name}' of model '{model.name}' has shape {symbol.shape} and so no "
            "axis of steps to go along: it must be (batch, steps, ...)"
        )
    return symbolic.struct((symbol.shape[0], None, *symbol.shape[2:]), symbol.dtype)


class _Walker:
    """Looks at one call after the other."""

    def __init__(self, proof: Proof) -> None:
        self.proof = proof
        self.calls = 0
        self.names: set[str] = set()

    def call(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what flows on from a call."""
        number, self.calls = self.calls, self.calls + 1
        flows = [leaf for leaf in jax.tree.leaves((args, kwargs)) if isinstance(leaf, Flow)]
        of_steps = any(flow.of_steps for flow in flows)
        if of_steps and not all(flow.of_steps for flow in flows):
            raise StreamError(
                f"{_who(layer)} reads single steps together with what is known of all steps so "
                "far; for the whole sequence that is known of later steps too, so a stream cannot "
                "give the same. Let both be steps (return_sequences=True), or neither"
            )
        args, kwargs = jax.tree.map(
            lambda leaf: leaf.spec if isinstance(leaf, Flow) else leaf, (args, kwargs)
        )
        if of_steps:
            self._look_at(number, layer, args, kwargs)
        outputs = _outputs(layer, args, kwargs)
        flow = _flow_behind(layer) if of_steps else lambda spec: Flow(spec, False)
        return jax.tree.map(flow, outputs, is_leaf=is_steps)

    def _look_at(
        self, number: int, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        reason = layer.why_not_stream(*args, **kwargs)
        if reason:
            raise StreamError(f"{_who(layer)} {reason}")
        alone = len(args) == 1 and not kwargs and _is_array(args[0])
        if not alone or not isinstance(layer, Layer):
            return
        name, count = layer.path, 0
        while name in self.names:
            count += 1
            name = f"{layer.path}_{count}"
        call = Remembering(layer, name, args[0])
        if jax.eval_shape(lambda: call.first_memory(1)) is not None:
            self.names.add(name)
            self.proof.remembering[number] = call
        if type(layer).__module__.partition(".")[0] != "everystep":
            _try(call)


def _outputs(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return layer.output_specs(args, kwargs)
    except EverystepError:
        raise
    except (TypeError, ValueError, InconclusiveDimensionOperation) as error:
        raise StreamError(
            f"{_who(layer)} does not take any number of steps, but a stream has no last step: "
            f"{error}"
        ) from error


def _flow_behind(layer: Any) -> Callable[[Any], Flow]:
    steps = symbolic.struct((None, None), "int32").shape[1]

    def flow(spec: Any) -> Flow:
        shape = tuple(spec.shape)
        has_steps = len(shape) > 1 and shape[1] == steps
        elsewhere = any(str(steps) in str(size) for size in shape[:1] + shape[1 + has_steps :])
        if elsewhere or (layer.stepwise and not has_steps):
            raise StreamError(
                f"{_who(layer)} turns steps into an output of shape {symbolic.written(shape)}, "
                "where they cannot go on from chunk to chunk: keep them as the second axis"
            )
        return Flow(spec, has_steps)

    return flow


def _is_array(value: Any) -> bool:
    return symbolic.is_spec(value) or is_steps(value)


def _who(layer: Any) -> str:
    return f"layer '{layer.path}' ({type(layer).__name__})"


def go_on(scope: Scope, layer: Any, memory: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """Let a layer go on from what it has kept; return its outputs and what it keeps now."""
    if memory is None:
        return layer(*args, **kwargs), None
    scope.kept = kept = Kept(layer, memory)
    try:
        outputs = layer(*args, **kwargs)
    finally:
        scope.kept = None
    return outputs, kept.memory


def _try(call: Remembering) -> None:
    """Hold a layer of a user to its word: three steps are those of two chunks."""
    random = np.random.default_rng(0)
    shape = (2, 3, *call.inputs.shape[2:])
    numbers = jnp.issubdtype(call.inputs.dtype, jnp.floating)
    whole: Any = random.normal(size=shape) if numbers else random.integers(0, 2, shape)
    inputs = whole.astype(call.inputs.dtype)
    layer, memory = call.layer, call.first_memory(2)
    scope = Scope(noise=Noise(jax.random.key(0), 0), training=False)
    with scope.active():
        wanted = layer(inputs)
        first, memory = go_on(scope, layer, memory, (inputs[:, :2],), {})
        second, _ = go_on(scope, layer, memory, (inputs[:, 2:],), {})
    pairs = zip(*map(_arrays, (wanted, first, second)), strict=True)
    for all_steps, *parts in pairs:
        joined = np.concatenate(parts, 1) if all_steps.shape[1:2] == (3,) else parts[-1]
        if joined.shape != all_steps.shape or not np.allclose(joined, all_steps, 1e-3, 1e-4):
            raise StreamError(
                f"{_who(layer)} gives other outputs for two chunks of a sequence than for the "
                "whole: each output step must follow from its own input step alone, wherever it "
                "stands, or from what first_memory and call_on keep"
            )


def _arrays(outputs: Any) -> list[Any]:
    leaves = jax.tree.leaves(outputs, is_leaf=is_steps)
    return [np.asarray(leaf.values if is_steps(leaf) else leaf) for leaf in leaves]
