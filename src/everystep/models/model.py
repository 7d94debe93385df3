"""Model: a layer of layers, by its `call` or as a graph, which can be trained, shown and saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Self

from everystep.errors import StateError, nearest
from everystep.formats import Contents
from everystep.kinds import ANYTHING, FUNCTION, POSITIVE, WORDS, checked, optional
from everystep.layers import Layer
from everystep.models import exporting, files, training_state
from everystep.models.of_symbols import OfSymbols, names_graph
from everystep.models.stream import Stream
from everystep.models.summary import print_summary
from everystep.training import Trainer


class Model(Trainer, OfSymbols, fills_settings=True):
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

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make a `Functional` of symbols."""
        chosen: Any = Functional if cls is Model and names_graph(args, kwargs) else cls
        return super().__new__(chosen, *args, **kwargs)  # type: ignore[no-any-return]

    def __getstate__(self) -> dict[str, Any]:
        """Leave the compiled programs out of copies: they are about this model's own weights."""
        return {**super().__getstate__(), "_programs": None, "_stream_program": None}

    @checked
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
        if index is not None:
            raise StateError(
                f"Was asked to retrieve layer at index {index} but model '{self.name}' only has "
                f"{len(layers)} layers: {names}"
            )
        raise StateError(
            f"No such layer: {name}. Existing layers are: {names}, in model '{self.name}'. "
            f"{nearest(name, [layer.name for layer in layers])}".rstrip()
        )

    @checked(
        line_length=optional(POSITIVE), print_fn=optional(FUNCTION), layer_range=optional(WORDS)
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

    @checked
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

    @checked
    def save_weights(self, filepath: str | PathLike[str], overwrite: bool = True) -> None:
        """Write the weights into a file, `.safetensors` or `.weights.h5`."""
        files.save_weights(self, filepath, overwrite)

    @checked
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

    def training_state(self) -> Contents:
        """Return all that the next step of the running `fit` depends on, as arrays and text.

        `callbacks.Checkpoints` writes it; `set_training_state` takes it.

        Raises:
            StateError: the model is not being trained by `fit`.
        """
        return training_state.state_of(self)

    def set_training_state(self, state: Contents, where: str = "state") -> None:
        """Let a `fit` that begins go on from a state that `training_state` returned.

        Args:
            state: the state.
            where: where it comes from, for error messages.

        Raises:
            FormatError: the state is of another model, other data, or a newer version.
            StateError: the model is not being trained by `fit`.
        """
        training_state.set_state(self, state, where)

    @checked(batch=POSITIVE)
    def stream(self, batch: int = 1) -> Stream:
        """Open a stream, which goes on with live sequences step by step; see `Stream`.

        Args:
            batch: how many sequences go on side by side.

        Raises:
            StateError: the model is not built.
            StreamError: a layer reads steps that are not there yet; the message names it.

        Example:
            >>> import everystep as es, numpy as np
            >>> layers = [es.Input((None, 3)), es.layers.GRU(4), es.layers.Dense(1)]
            >>> stream = es.Sequential(layers).stream()
            >>> scores = [stream.step(np.ones((1, 3), "float32")) for _ in range(4)]
            >>> scores[-1].shape
            (1, 1)
        """
        return Stream(self, batch)

    @checked(segments=ANYTHING, platforms=WORDS)
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

        Calling: `.call(inputs)`, where `inputs` is an array, or a list of them in the order of the
        model's inputs; it gives arrays as the model does. With `segments`,
        `.call(inputs, segments)`, where `segments` is int32 `(batch, steps)` for each input, in
        such a list too: 0 at padding, 1 at real steps, or k at the steps of the k-th sequence of a
        packed row; it gives the outputs and their segments, None for outputs without steps.

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
