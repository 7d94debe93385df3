"""Model: a layer of layers, by its `call` or as a graph, which can be trained, shown and saved."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any, Self

import jax

from everystep.core.registry import serialize
from everystep.core.scope import current_scope
from everystep.core.sharing import sharing
from everystep.errors import StateError
from everystep.layers import Layer, symbolic
from everystep.layers.symbols import KerasTensor
from everystep.models import exporting, files
from everystep.models.arranging import arranged
from everystep.models.graph import Graph, HasLayers
from everystep.models.graph_config import graph_from_config, graph_to_config
from everystep.models.summary import print_summary
from everystep.training import Trainer


class Model(Trainer, HasLayers, Layer, fills_settings=True):
    """A layer made of layers, with Keras's methods for training and for looking at it.

    Make it of symbols, `Model(inputs, outputs)`, or subclass it as in Keras: make layers in
    `__init__`, call them in `call`; or give `super().__init__` the symbols in a subclass.

    Args:
        inputs: the symbols from `Input`, or from other layers: one, or a list, tuple or dict.
        outputs: the symbols that follow from them, likewise.
        name: the model's name; by default its class's, numbered.
        trainable: whether training changes its weights.
        dtype: a dtype or policy.

    Raises:
        SettingError: an input or output is not a symbol, or the outputs do not follow from the
            inputs, or two layers have one name.
        DataError: the model is called on fewer or more arrays than it has inputs.

    Example:
        >>> import everystep as es, numpy as np
        >>> words, tags = es.Input((None, 6)), es.Input((None, 2))
        >>> both = es.layers.Dense(4)(words), es.layers.Dense(4)(tags)
        >>> es.models.Model([words, tags], both).output_shape
        [(None, None, 4), (None, None, 4)]
        >>> class Tagger(es.models.Model):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.read = es.layers.LSTM(4, return_sequences=True)
        ...         self.label = es.layers.Dense(3)
        ...     def call(self, inputs):
        ...         return self.label(self.read(inputs))
        >>> Tagger()(np.zeros((2, 5, 6), "float32")).shape
        (2, 5, 3)
    """

    composite = True

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make a `Functional` of symbols."""
        chosen: Any = Functional if cls is Model and _names_graph(args, kwargs) else cls
        return super().__new__(chosen, *args, **kwargs)  # type: ignore[no-any-return]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not _names_graph(args, kwargs):
            super().__init__(*args, **kwargs)
            return
        given = dict(zip(("inputs", "outputs", "name"), args, strict=False)) | kwargs
        graph = Graph.between(given.pop("inputs"), given.pop("outputs"))
        super().__init__(**{name: value for name, value in given.items() if value is not None})
        self._graph, self._members_of_graph = graph, graph.layers
        # In Keras's files the making of a functional model counts as a call.
        self.first_call = 1
        self._built_for = jax.tree.map(lambda symbol: symbol.shape, graph.inputs)
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Run the layers between inputs and outputs, each intermediate result once."""
        if self._graph is None:
            raise NotImplementedError(f"{type(self).__name__} does not define call")
        outputs = self._graph.run(arranged(self, args[0]), _call_in_mode)
        alone = isinstance(outputs, list | tuple) and len(outputs) == 1
        return outputs[0] if alone else outputs

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbols of the inputs, in order.

        Raises:
            StateError: the model is not made of symbols.
        """
        return self._in_graph("inputs").input_symbols

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbols of the outputs, in order."""
        return self._in_graph("outputs").output_symbols

    @property
    def input(self) -> Any:
        """The symbols of the inputs, in the tree in which they were given."""
        return self._in_graph("input").inputs

    @property
    def output(self) -> Any:
        """The symbols of the outputs, in the tree in which they were given."""
        return self._in_graph("output").outputs

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs, in order."""
        return [symbol.name for symbol in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that give the outputs, in order."""
        return [symbol.node.layer.name for symbol in self.outputs if symbol.node is not None]

    def _in_graph(self, what: str) -> Graph:
        if self._graph is None:
            raise StateError(
                f"model '{self.name}' ({type(self).__name__}) has no defined {what}: it is not "
                "made of symbols. Make it with Model(inputs, outputs), or a Sequential with an "
                "Input first"
            )
        return self._graph

    @property
    def input_dtype(self) -> Any:
        """The dtype of the input that the model expects, or a list with one for each."""
        if self._graph is None:
            return super().input_dtype
        dtypes = [symbol.dtype for symbol in self.inputs]
        return dtypes[0] if len(dtypes) == 1 else dtypes

    def check_values(self, inputs: Any) -> None:
        """Let the layers that read the inputs check concrete values."""
        if self._graph is not None:
            values = arranged(self, inputs)
            for node in self._graph.nodes:
                first = node.args[0] if node.args else None
                value = values.get(first) if isinstance(first, KerasTensor) else None
                if value is not None and isinstance(node.layer, Layer):
                    node.layer.check_values(value)

    @property
    def layers(self) -> list[Layer]:
        """The layers that the model is made of."""
        if self._graph is not None:
            return [layer for layer in self._graph.layers if isinstance(layer, Layer)]
        return [layer for layer in self.sublayers() if isinstance(layer, Layer)]

    @property
    def input_shape(self) -> Any:
        """The input's shape, None where a size is not known; a list for several inputs.

        Raises:
            StateError: the model has not been built.
        """
        if self._graph is not None:
            return _one_or_all([symbol.shape for symbol in self.inputs])
        if self._built_for is None:
            raise StateError(
                f"model '{self.name}' is not built, so its shapes are not known: call it on data, "
                "call build with a shape, or put an Input first"
            )
        return symbolic.known(self._built_for)

    @property
    def output_shape(self) -> Any:
        """The output's shape, None where a size is not known; a list for several outputs."""
        if self._graph is not None:
            return _one_or_all([symbol.shape for symbol in self.outputs])
        return self.compute_output_shape(self.input_shape)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or its index.

        Raises:
            StateError: there is no such layer.
        """
        layers = self.layers
        if index is not None and -len(layers) <= index < len(layers):
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        names = ", ".join(layer.name for layer in layers)
        raise StateError(
            f"model '{self.name}' has no layer {name if index is None else index!r}: it has {names}"
        )

    def get_config(self) -> dict[str, Any]:
        """Return the settings as plain data, and of a model of symbols its layers and calls."""
        if self._graph is None or not _takes_symbols(type(self)):
            return super().get_config()
        return {"name": self.name, "trainable": self.trainable} | graph_to_config(self._graph)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return a new model from what `get_config` gave, here or in Keras."""
        if not (config.keys() >= _GRAPH_KEYS and _takes_symbols(cls)):
            return super().from_config(config)
        inputs, outputs, order = graph_from_config(config)
        rest = {name: value for name, value in config.items() if name not in _GRAPH_KEYS}
        model = cls(inputs=inputs, outputs=outputs, **rest)
        model._keep_order(order)
        return model

    def _keep_order(self, names: list[str]) -> None:
        """Let the layers of the graph stand in the order of these names."""
        graph = self._in_graph("layers")
        ordered = sorted(graph.layers, key=lambda layer: names.index(layer.name))
        self._graph, self._members_of_graph = replace(graph, layers=ordered), ordered

    def to_json(self, **kwargs: Any) -> str:
        """Return the model's class and configuration as JSON, without weights.

        Args:
            **kwargs: arguments of `json.dumps`.
        """
        with sharing():
            return json.dumps(serialize(self), **kwargs)

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print a table of the layers with output shapes and numbers of parameters.

        Args:
            line_length: the width of the table.
            positions: taken for compatibility; columns find their own width.
            print_fn: called with the text instead of printing it.
            expand_nested: whether to list the layers of models inside.
            show_trainable: whether to say which layers are trained.
            layer_range: the names of the first and the last layer to list.
        """
        print_summary(self, line_length, print_fn, expand_nested, show_trainable, layer_range)

    def save(self, filepath: str | PathLike[str], overwrite: bool = True) -> None:
        """Write the model, its weights and its training configuration into one file.

        Args:
            filepath: where to write: `.everystep` is our own format, `.keras` that of Keras 3. A
                file that is there is replaced in one move, or kept.
            overwrite: whether a file that is there may be replaced.

        Raises:
            FormatError: the file is there and must not be replaced.
        """
        files.save_model(self, filepath, overwrite)

    def save_weights(self, filepath: str | PathLike[str], overwrite: bool = True) -> None:
        """Write the weights into a file, `.safetensors` or `.weights.h5`."""
        files.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: str | PathLike[str], skip_mismatch: bool = False) -> None:
        """Read the weights that `save_weights`, or Keras 3, wrote.

        Args:
            filepath: a file of weights, or of a model.
            skip_mismatch: whether weights for which the file has no value that fits keep their
                values, with a warning that names them.

        Raises:
            FormatError: the file is damaged, or its weights are not those of this model.
        """
        files.load_weights(self, filepath, skip_mismatch)

    def export(
        self,
        filepath: str | PathLike[str],
        segments: str | None = None,
        platforms: Sequence[str] = exporting.PLATFORMS,
    ) -> exporting.Artefact:
        """Write the model as a program of JAX, with its weights inside.

        Format: the bytes of `jax.export`'s serialization, for prediction. They are read by
        `jax.export.deserialize(bytearray(...))` wherever JAX is, without everystep, by any version
        of JAX that keeps its promise of compatibility.

        Calling: `.call(inputs)`, where `inputs` is an array, or the list or dict of arrays that the
        model takes; it gives arrays as the model does. With `segments`, `.call(inputs, segments)`,
        where `segments` is int32 `(batch, steps)` for each input, in the same list or dict: 0 at
        padding, 1 at real steps, or k at the steps of the k-th sequence of a packed row; it gives
        the outputs and their segments, None for outputs without steps.

        Shapes: axes that are None in the model's input shape may have any size in each call; the
        batch is one for all inputs. A size that is a number stays fixed.

        Args:
            filepath: where to write; a file that is there is replaced in one move, or kept.
            segments: None for input without padding (an Embedding still finds its own),
                `"rows"` for one sequence a row, `"packed"` for rows that may hold several.
            platforms: where it shall run, in JAX's words.

        Returns:
            The shapes of inputs and outputs, and for each size that is fixed why it is.

        Raises:
            ShapeError: the model needs fixed sizes where its input shape has None.
            SegmentsError: a layer cannot take these segments; the message names it.
            SettingError: the model is stateful, or a setting is none of these.
            StateError: the model is not built.

        Example:
            >>> import everystep as es, jax.export, numpy as np, pathlib, tempfile
            >>> model = es.Sequential([es.Input((None, 3)), es.layers.Dense(2)])
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     model.export(f"{folder}/model.jax").inputs
            ...     contents = pathlib.Path(f"{folder}/model.jax").read_bytes()
            ['(batch, steps, 3)']
            >>> program = jax.export.deserialize(bytearray(contents))
            >>> program.call(np.ones((4, 7, 3), "float32")).shape
            (4, 7, 2)
        """
        return exporting.export(self, filepath, segments, platforms)


class Functional(Model):
    """A model made of symbols, which is what `Model(inputs, outputs)` gives."""


def _names_graph(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether the arguments of a model are symbols of inputs and outputs."""
    return len(args) > 1 or ("outputs" in kwargs and (len(args) == 1 or "inputs" in kwargs))


def _takes_symbols(cls: type[Model]) -> bool:
    """Whether a class is made of `(inputs, outputs, name)`, so that a graph says all of it."""
    if not cls._own_init:
        return True
    parameters = inspect.signature(cls.__init__).parameters.values()
    open_ended = {parameter.kind for parameter in parameters}
    names = [parameter.name for parameter in parameters if parameter.kind in _BY_PLACE]
    return names[1:] == ["inputs", "outputs", "name"] or open_ended >= _OPEN


_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_OPEN = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
_GRAPH_KEYS = {"layers", "input_layers", "output_layers"}


def _one_or_all(shapes: list[Any]) -> Any:
    return shapes[0] if len(shapes) == 1 else shapes


def _call_in_mode(layer: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a layer in the mode of the run, where it was asked for, else in the layer's own."""
    scope = current_scope()
    if scope is not None and scope.training is not None:
        kwargs.pop("training", None)
    return layer(*args, **kwargs)
