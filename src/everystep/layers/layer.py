"""The Layer contract: settings, weights in `build`, arithmetic in `call`; the rest comes from here.

What a call goes through, for every layer alike: the mask or segments are taken off the input, the
layer is built if it is new, its input is checked, `call` runs on plain arrays, and the segments are
put on the output, or an error says that they would be lost.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal, Self

import jax
import numpy as np

from everystep import initializers
from everystep.core.dtypes import DTypePolicy
from everystep.core.loading import placeholder
from everystep.core.naming import auto_name, path_of, within
from everystep.core.randomness import initial_draw
from everystep.core.scope import Scope, current_scope, eager_scope
from everystep.core.variables import Variable
from everystep.errors import ShapeError, StateError
from everystep.layers import arguments, symbolic
from everystep.layers.spec import InputSpec
from everystep.layers.tree import LayerTree

Masking = Literal["refused", "rows", "packed"]


def _stands(build: Callable[..., None]) -> Callable[..., None]:
    """Make a layer's `build` know the shape and where the layer stands, and note that it is built.

    The shape may be left out where one was given with the settings.
    """

    @functools.wraps(build)
    def standing_build(self: Layer, input_shape: Any = None, *args: Any, **kwargs: Any) -> None:
        shape = self.given_shape if input_shape is None else input_shape
        if shape is None:
            raise StateError(
                f"layer '{self.path}' ({type(self).__name__}) cannot be built: its input shape is "
                "not known. Give build a shape, or put an Input first"
            )
        if self.built and self._variables:
            raise StateError(
                f"layer '{self.path}' ({type(self).__name__}) is built already, for inputs of "
                f"shape {symbolic.written(self._built_for)}: make a new layer for another shape"
            )
        if symbolic.known(self._built_for) != symbolic.known(shape):
            self._built_for = shape
        if self.input_spec is not None:
            shapes = jax.tree.leaves(shape, is_leaf=symbolic.is_shape)
            self.input_spec.check(self, shapes)
        try:
            with self._standing():
                build(self, shape, *args, **kwargs)
        except Exception:
            self._variables = []
            raise
        self.built = True

    return standing_build


class Layer(LayerTree, fills_settings=True):
    """The base of all layers: settings as typed fields, weights in `build`, arithmetic in `call`.

    A layer of your own needs no more than its equation. `call` gets plain arrays; ask for the
    mask, the segments or the mode by naming a parameter `mask`, `segments` or `training`.

    Args:
        name: the layer's name; by default its class's, numbered.
        trainable: whether training changes its weights.
        dtype: a dtype or policy such as `"mixed_bfloat16"`.
        input_shape: the shape of its input without the batch axis; builds a Sequential at once.
        batch_input_shape: the same with the batch axis.

    Raises:
        SettingError: a setting has a value that it cannot take.
        ShapeError: an input has a rank or size that the layer was not built for.
        SegmentsError: the input carries a mask that the layer would lose.

    Example:
        >>> import everystep as es, jax.numpy as jnp
        >>> class Scale(es.layers.Layer):
        ...     stepwise = True
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> Scale()(jnp.ones((2, 4, 3))).shape
        (2, 4, 3)
    """

    stepwise: ClassVar[bool] = False
    """Whether each output step reads its own input step alone."""

    composite: ClassVar[bool] = False
    """Whether the layer hands its input on to layers inside: then `call` gets `Steps` as they are,
    each layer inside sees to its own segments, and is built when it is called."""

    declared_masking: ClassVar[Masking | None] = None
    """How the layer treats segments, where that does not follow from `stepwise` and `call`."""

    _call_parameters: ClassVar[frozenset[str]] = frozenset()
    _built_for: Any
    _masks_pass: bool
    _variables: list[Variable]
    input_spec: InputSpec | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _stands(vars(cls)["build"])  # type: ignore[method-assign]
        cls._call_parameters = frozenset(inspect.signature(cls.call).parameters)

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Give a new layer what it has before its settings are known."""
        self = super().__new__(cls, *args, **kwargs)
        self.built = False
        self.dtype_policy = DTypePolicy()
        self._path = None
        self._built_for = None
        self._masks_pass = False
        self._variables = []
        return self

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = self.name or auto_name(type(self).__name__)
        self.after_settings()

    def after_settings(self) -> None:
        """Make what follows from the settings, such as layers inside; most layers need nothing."""

    # What a layer is: its place, its dtypes, its nature.

    @property
    def dtype(self) -> str:
        """The dtype of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype of the arithmetic."""
        return self.dtype_policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        """The dtype of the input that the layer expects."""
        return self.compute_dtype

    @property
    def given_shape(self) -> tuple[int | None, ...] | None:
        """The input shape that was given with the settings, with its batch axis, or None."""
        if self._batch_input_shape is not None:
            return self._batch_input_shape
        return None if self._input_shape is None else (None, *self._input_shape)

    @property
    def masking(self) -> Masking:
        """What the layer does with segments: refuse them, or take one sequence a row, or many."""
        if self.declared_masking is not None:
            return self.declared_masking
        if self.composite or self.stepwise or "segments" in self._call_parameters:
            return "packed"
        return "rows" if self._masks_pass or "mask" in self._call_parameters else "refused"

    @property
    def supports_masking(self) -> bool:
        """Whether the layer takes input that carries a mask."""
        return self.masking != "refused"

    @supports_masking.setter
    def supports_masking(self, value: bool) -> None:
        self._masks_pass = value

    # Weights.

    @_stands
    def build(self, input_shape: Any) -> None:
        """Create the weights for inputs of this shape; layers with weights override it.

        A layer made of other layers builds those here by running through them with shapes alone.

        Args:
            input_shape: the shape of the inputs, None where a size is not known; it may be left
                out where one was given with the settings.

        Raises:
            StateError: no shape is known.
        """
        if any(not layer.built for layer in self.sublayers()):
            symbolic.trace(self, input_shape)

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Any:
        """Create a weight of this layer; call it in `build`.

        Args:
            shape: the weight's shape; no size may be unknown.
            initializer: how its first values are drawn; Glorot uniform, or zeros for integers.
            dtype: its dtype; the policy's by default.
            trainable: whether training changes it.
            regularizer: a function of its value that is added to the loss.
            constraint: a function that is applied after each update.
            name: its name within the layer.

        Returns:
            The variable, which goes wherever an array goes (so no type is promised to a checker).

        Raises:
            ShapeError: a size of the shape is not known.
        """
        shape = () if shape is None else tuple(shape)
        name = name or f"variable_{len(self._variables)}"
        self._refuse_unknown(name, shape)
        chosen = initializers.INITIALIZER.parse(initializer or "glorot_uniform")
        variable = Variable(
            first_value(chosen, f"{self.path}/{name}", shape, dtype or self.variable_dtype),
            name=name,
            path=f"{self.path}/{name}",
            trainable=trainable,
            regularizer=regularizer,
            constraint=constraint,
            redraw=functools.partial(
                first_value, chosen, shape=shape, dtype=dtype or self.variable_dtype
            ),
        )
        self._variables.append(variable)
        return variable

    def _refuse_unknown(self, name: str, shape: tuple[Any, ...]) -> None:
        if all(isinstance(size, int | np.integer) for size in shape):
            return
        built_for = symbolic.written(self._built_for) if self._built_for is not None else "unknown"
        raise ShapeError(
            f"layer '{self.path}' ({type(self).__name__}) cannot create its weight '{name}' of "
            f"shape {shape}: a size is not known. Its input has shape {built_for}, so the weight "
            "would depend on the length of the input. Give the model a fixed number of steps, such "
            "as Input(shape=(steps, features)), or use a layer that works on each step alone"
        )

    def random_key(self, seed: int | None = None) -> jax.Array:
        """Return a JAX random key for this layer in the run that we are in.

        Args:
            seed: fixes the keys of this layer, whatever the run's seed.
        """
        scope = current_scope()
        if scope is None:
            raise StateError("random_key works inside a layer's call")
        return scope.draw(self.path, seed)

    def add_loss(self, loss: Any) -> None:
        """Add a scalar to the loss of the run that we are in."""
        scope = current_scope()
        if scope is None:
            raise StateError("add_loss works inside a layer's call")
        scope.losses.append(loss)

    # Shapes.

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape for an input shape, None where a size is not known."""
        return symbolic.shape_of(symbolic.trace(self, input_shape).outputs)

    # The call.

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the layer's outputs; every layer overrides it."""
        raise NotImplementedError(f"{type(self).__name__} does not define call")

    def compute_segments(self, inputs: Any, segments: Any) -> Any:
        """Return the segments of the outputs, given the inputs and theirs (None for none)."""
        return segments

    def check_values(self, inputs: Any) -> None:
        """Raise an error if concrete input values are out of range; most layers take any."""

    def __call__(
        self, inputs: Any, *args: Any, mask: Any = None, training: bool | None = None, **kwargs: Any
    ) -> Any:
        """Run the layer.

        Args:
            inputs: an array, `Steps`, a symbol from `Input`, or a tree of them.
            *args: further arguments of the layer's `call`.
            mask: True at real steps, of shape (batch, steps), where `inputs` is a plain array.
            training: whether to behave as in training; by default as the layer around does.
            **kwargs: further arguments of the layer's `call`.

        Returns:
            What `call` returns, as `Steps` where it has segments.
        """
        if symbolic.has_symbols(inputs):
            return symbolic.connect(self, inputs, args, {"mask": mask, **kwargs})
        with eager_scope() as scope, self._standing(), self._mode(scope, training):
            opened = arguments.open_inputs(self, inputs, mask)
            self._ensure_built(opened.values)
            if self.input_spec is not None:
                shapes = [array.shape for array in jax.tree.leaves(opened.values)]
                self.input_spec.check(self, shapes)
            if not symbolic.is_traced(opened.values):
                self.check_values(opened.values)
            outputs = self._run(opened, args, kwargs, scope.training)
            scope.record(self, inputs, outputs)
        return outputs

    def _run(self, opened: arguments.Opened, args: Any, kwargs: Any, training: bool) -> Any:
        offered = {
            "training": training,
            "mask": opened.mask,
            "segments": opened.segments,
            "packed": opened.packed,
        }
        for name in self._call_parameters & offered.keys():
            kwargs.setdefault(name, offered[name])
        args, kwargs = arguments.cast_tree((args, kwargs), self.compute_dtype)
        inputs = opened.given if self.composite else opened.values
        try:
            outputs = self.call(inputs, *args, **kwargs)
        except Exception as error:
            shapes = symbolic.written(symbolic.shape_of(opened.values))
            error.add_note(f"in layer '{self.path}' ({type(self).__name__}), input {shapes}")
            raise
        self._regularize_activity(outputs)
        if self.composite:
            return outputs
        segments = self.compute_segments(opened.values, opened.segments)
        return arguments.close_outputs(outputs, segments, opened.steps)

    def _regularize_activity(self, outputs: Any) -> None:
        regularizer = getattr(self, "activity_regularizer", None)
        if regularizer is not None:
            for output in jax.tree.leaves(outputs):
                self.add_loss(regularizer(output) / output.shape[0])

    def _ensure_built(self, values: Any) -> None:
        if self.built:
            return
        self._built_for = symbolic.raw_shape_of(values)
        if type(self).build is not Layer.build:
            self.build(symbolic.shape_of(values))
        self.built = True

    @contextmanager
    def _standing(self) -> Iterator[None]:
        if self._path is None:
            self._path = path_of(self.name)
        with within(self._path):
            yield

    @contextmanager
    def _mode(self, scope: Scope, training: bool | None) -> Iterator[None]:
        before = scope.training, scope.compute_dtype
        scope.training = scope.training if training is None else bool(training)
        scope.compute_dtype = self.compute_dtype if self.dtype_policy.mixed else None
        try:
            yield
        finally:
            scope.training, scope.compute_dtype = before


def first_value(initializer: Any, path: str, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return the first values of the weight at `path`."""
    rebuilt = placeholder(path, shape, dtype)
    if rebuilt is not None:
        return rebuilt
    sample = getattr(initializer, "sample", None)
    if sample is None:
        return initializer(shape, dtype)
    return np.asarray(sample(initial_draw(path, initializer.seed), shape)).astype(dtype)
