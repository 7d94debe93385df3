"""Model: a layer that can be compiled, trained, evaluated, applied, summarised and saved."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any

from everystep.errors import StateError
from everystep.layers import Layer, symbolic
from everystep.models import bundle
from everystep.models.summary import print_summary
from everystep.training import Trainer


class Model(Trainer, Layer):
    """A layer made of layers, with Keras's methods for training and for looking at it.

    Subclass it as in Keras: make layers in `__init__`, call them in `call`.

    Args:
        name: the model's name; by default its class's, numbered.
        trainable: whether training changes its weights.
        dtype: a dtype or policy.

    Example:
        >>> import everystep as es, numpy as np
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

    @property
    def layers(self) -> list[Layer]:
        """The layers that the model is made of."""
        return [layer for layer in self.sublayers() if isinstance(layer, Layer)]

    @property
    def input_shape(self) -> Any:
        """The input's shape, None where a size is not known.

        Raises:
            StateError: the model has not been built.
        """
        if self._built_for is None:
            raise StateError(
                f"model '{self.name}' is not built, so its shapes are not known: call it on data, "
                "call build with a shape, or put an Input first"
            )
        return symbolic.known(self._built_for)

    @property
    def output_shape(self) -> Any:
        """The output's shape, None where a size is not known."""
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
            filepath: where to write; a file that is there is replaced in one move, or kept.
            overwrite: whether a file that is there may be replaced.

        Raises:
            FormatError: the file is there and must not be replaced.
        """
        bundle.save_model(self, filepath, overwrite)

    def save_weights(self, filepath: str | PathLike[str], overwrite: bool = True) -> None:
        """Write the weights into a safetensors file, under their paths."""
        bundle.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: str | PathLike[str]) -> None:
        """Read weights that `save_weights` wrote, into the weights of the same paths.

        Raises:
            FormatError: the file is damaged, or its weights are not those of this model.
        """
        bundle.load_weights(self, filepath)
