"""Models made anew: from a configuration in JSON, or as a copy of another model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax

from everystep.core.registry import custom_object_scope, deserialize, serialize
from everystep.core.sharing import sharing
from everystep.errors import SettingError
from everystep.formats import parse_json
from everystep.kinds import FUNCTION, checked, optional
from everystep.layers import Input, InputLayer
from everystep.layers.symbols import KerasTensor, symbols_in
from everystep.models.graph import Graph
from everystep.models.keras_config import from_keras
from everystep.models.model import Functional, Model
from everystep.models.rebuilding import compile_again
from everystep.models.sequential import Sequential
from everystep.training.trainer import MODEL

CloneFunction = Callable[[Any], Any]


@checked
def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """Return a new model with the layers that `model.to_json` wrote, here or in Keras.

    Args:
        json_string: what `to_json` returned.
        custom_objects: classes and functions of your own, by the names that the JSON calls them.

    Raises:
        FormatError: it is not JSON.
        SettingError: it is not the configuration of a model, or names a class that is in no table.

    Example:
        >>> import everystep as es
        >>> start = es.Input((5, 3))
        >>> model = es.Model(start, start + es.layers.Dense(3)(start))
        >>> again = es.models.model_from_json(model.to_json())
        >>> again.output_shape, again.count_params()
        ((None, 5, 3), 12)
    """
    where = "the JSON of a model"
    config = from_keras(parse_json(json_string, where), where)
    with custom_object_scope(custom_objects or {}), sharing():
        model = deserialize(config)
    if not isinstance(model, Model):
        raise SettingError(f"the JSON must be that of a model, not of {type(model).__name__}")
    return model


@checked(model=MODEL, clone_function=optional(FUNCTION), call_function=optional(FUNCTION))
def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: CloneFunction | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Model:
    """Return a model of the same layers and calls, with layers and weights of its own.

    The weights are drawn anew. A layer that is called twice stays one layer.

    Args:
        model: the model.
        input_tensors: symbols to build on, in the tree of the model's inputs; new ones by default.
        clone_function: returns the new layer for an old one; by default one of the same settings.
            It may return another layer, or the old one itself.
        call_function: calls a new layer, `call_function(layer, *args, **kwargs)`, and may do more;
            for models of symbols alone.
        recursive: whether the layers of models inside go through `clone_function` one by one.

    Raises:
        SettingError: the model is a subclass of your own, and more than its settings are asked for.

    Example:
        >>> import everystep as es
        >>> model = es.Sequential([es.Input((5, 3)), es.layers.LSTM(4)])
        >>> both = lambda layer: es.layers.Bidirectional(layer.from_config(layer.get_config()))
        >>> es.models.clone_model(model, clone_function=both).output_shape
        (None, 8)
    """
    cloner = _Cloner(clone_function, call_function, recursive)
    if isinstance(model, Sequential):
        if call_function is not None:
            raise SettingError(
                f"model '{model.name}' is a Sequential, whose layers nobody calls one by one: "
                "call_function is for models of symbols, Model(inputs, outputs)"
            )
        cloned: Model = cloner.sequential(model, input_tensors)
    elif model._graph is not None:
        cloned = cloner.of_graph(model, model._graph, input_tensors)
    else:
        cloned = _of_subclass(model, input_tensors, clone_function or call_function)
    if model._compiled is not None:
        compile_again(cloned, model.get_compile_config(), f"model '{model.name}'")
    return cloned


def _of_subclass(model: Model, input_tensors: Any, function: Any) -> Model:
    """Return a new model of a class that has a `call` of its own."""
    if input_tensors is not None or function is not None:
        raise SettingError(
            f"model '{model.name}' ({type(model).__name__}) is a subclass with a call of its own, "
            "so its layers cannot be exchanged: clone_function, call_function and input_tensors "
            "are for Sequential and for models of symbols"
        )
    with custom_object_scope({type(model).__name__: type(model)}):
        return deserialize(serialize(model))  # type: ignore[no-any-return]


class _Cloner:
    """Makes new layers for old ones, each once."""

    def __init__(
        self,
        clone_function: CloneFunction | None,
        call_function: Callable[..., Any] | None,
        recursive: bool,
    ) -> None:
        self.clone_function = clone_function or _same_settings
        self.call_function = call_function or _call
        self.recursive = recursive
        self.clones: dict[Any, Any] = {}

    def clone(self, layer: Any) -> Any:
        """Return the new layer for an old one."""
        if layer not in self.clones:
            self.clones[layer] = self._new(layer)
        return self.clones[layer]

    def _new(self, layer: Any) -> Any:
        if self.recursive and isinstance(layer, Sequential):
            return self.sequential(layer, None)
        if self.recursive and isinstance(layer, Model) and layer._graph is not None:
            return self.of_graph(layer, layer._graph, None)
        return self.clone_function(layer)

    def sequential(self, model: Sequential, input_tensors: Any) -> Sequential:
        """Return a new Sequential."""
        start: list[Any] = []
        first = model._row[0] if model._row else None
        if input_tensors is not None:
            symbols = symbols_in(input_tensors)
            if len(symbols) != 1:
                raise SettingError(
                    f"model '{model.name}' has one input, but input_tensors holds {len(symbols)} "
                    "symbols"
                )
            start = [Input(tensor=symbols[0])]
        elif isinstance(first, InputLayer):
            start = [InputLayer.from_config(first.get_config())]
        layers = [self.clone(layer) for layer in model.layers]
        return Sequential([*start, *layers], name=model.name, trainable=model.trainable)

    def of_graph(self, model: Model, graph: Graph, input_tensors: Any) -> Model:
        """Return a new model of symbols."""
        given = symbols_in(input_tensors)
        if input_tensors is not None and len(given) != len(graph.input_symbols):
            raise SettingError(
                f"model '{model.name}' has the inputs {model.input_names}, but input_tensors holds "
                f"{len(given)} symbols: give one for each"
            )
        starts: dict[KerasTensor, Any] = dict(
            zip(graph.input_symbols, given or map(_input_like, graph.input_symbols), strict=True)
        )
        inputs = jax.tree.map(starts.get, graph.inputs) if not given else input_tensors
        outputs = graph.run(
            starts, lambda old, *args, **kw: self.call_function(self.clone(old), *args, **kw)
        )
        made: Any = type(model) if model.takes_symbols() else Functional
        cloned: Model = made(inputs, outputs, name=model.name, trainable=model.trainable)
        return cloned.in_order_of([layer.name for layer in graph.layers])


def _same_settings(layer: Any) -> Any:
    return layer.from_config(layer.get_config())


def _call(layer: Any, *args: Any, **kwargs: Any) -> Any:
    return layer(*args, **kwargs)


def _input_like(symbol: KerasTensor) -> KerasTensor:
    """Return a new input for one of a model."""
    layer = symbol.node.layer if symbol.node is not None else None
    dtype = layer.given_dtype if isinstance(layer, InputLayer) else symbol.dtype
    return Input(batch_shape=symbol.shape, dtype=dtype, name=symbol.name)
