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
import jax.numpy as jnp

from everystep.core.defaults import finite_inputs
from everystep.core.dtypes import DTypePolicy
from everystep.core.naming import auto_name, path_of, within
from everystep.core.scope import Scope, current_scope, eager_scope
from everystep.core.shape_count import Cures, ShapeCount
from everystep.errors import StateError
from everystep.kinds import Kind, checked
from everystep.layers import arguments, refusing, spec, symbolic, symbols
from everystep.layers.signature import CallSignature
from everystep.layers.stateless import LayerStateless
from everystep.layers.symbols import Connected
from everystep.sequences import Steps

Masking = Literal["refused", "rows", "packed"]

MOST_SHAPES = 8
"""On so many shapes a layer may be called by itself without a warning."""
_CURES = Cures(
    rows="call it on batches of one size, or give all data to the predict of a model",
    steps="pad the sequences to a few lengths, or give them as one list to the predict of a model",
    allow="filter this warning",
)
_MODE = Kind("True or False", bool)


def _stands(build: Callable[..., None]) -> Callable[..., None]:
    """Make a layer's `build` know the shape and where the layer stands, and note that it is built.

    The shape may be left out where one was given with the settings.
    """
    _, first, *_ = inspect.signature(build).parameters

    @functools.wraps(build)
    def standing_build(self: Layer, *args: Any, **kwargs: Any) -> None:
        given = args[0] if args else kwargs.pop(first, None)
        shape = self.given_shape if given is None else given
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
        symbolic.SHAPES.taken(f"layer '{self.path}' ({type(self).__name__}): {first}", shape)
        if symbolic.known(self._built_for) != symbolic.known(shape):
            self._built_for = shape
        if self.input_spec is not None:
            shapes = jax.tree.leaves(shape, is_leaf=symbolic.is_shape)
            spec.check_shapes(self, shapes)
        try:
            with self._standing():
                build(self, shape, *args[1:], **kwargs)
        except Exception as error:
            self._variables = []
            if refused := refusing.refusal(self, error, shape):
                raise refused from error
            raise
        self.built = True

    return standing_build


class Layer(LayerStateless, Connected, fills_settings=True):
    """The base of all layers: settings as typed fields, weights in `build`, arithmetic in `call`.

    A layer of your own needs no more than its equation. `call` gets plain arrays; ask for the
    mask, the segments or the mode by naming a parameter `mask`, `segments` or `training`.

    Args:
        name: the layer's name; by default its class's, numbered.
        trainable: whether training changes its weights.
        dtype: a dtype or policy such as `"mixed_bfloat16"`.
        autocast: whether input and weights are cast to the dtype in which the layer computes.
        activity_regularizer: a function of the outputs that is added to the loss.
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

    stepwise: bool = False
    """Whether each output step reads its own input step alone."""

    composite: ClassVar[bool] = False
    """Whether the layer hands its input on to layers inside: then `call` gets `Steps` as they are,
    each layer inside sees to its own segments, and is built when it is called."""

    declared_masking: ClassVar[Masking | None] = None
    """How the layer treats segments, where that does not follow from `stepwise` and `call`."""

    call_signature: ClassVar[CallSignature]
    """What `call` names as parameters: it gets the mask, segments and mode that it names."""

    _masks_pass: bool
    _shapes_met: ShapeCount
    input_spec: Any = None
    """What the layer takes: an InputSpec, a list of one for each input, or None for anything."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _stands(vars(cls)["build"])  # type: ignore[method-assign]
        cls.call_signature = CallSignature.of(cls.call, cls.build, cls.compute_segments)

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Give a new layer what it has before its settings are known."""
        self = super().__new__(cls, *args, **kwargs)
        self.built = False
        self.dtype_policy = DTypePolicy()
        self._path = None
        self._built_for = None
        self._masks_pass = False
        self._variables = []
        self._last_run, self._added = None, []
        self._shapes_met = ShapeCount(MOST_SHAPES, _CURES)
        return self

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = self.name or auto_name(type(self).__name__)
        self.after_settings()

    def __getstate__(self) -> dict[str, Any]:
        """Leave names of unknown sizes out of copies: JAX cannot pickle them."""
        return {**super().__getstate__(), "_built_for": symbolic.known(self._built_for)}

    def after_settings(self) -> None:
        """Make what follows from the settings, such as layers inside; most layers need nothing."""

    # What a layer is: its nature, and what it takes.

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
        if self._own_mask:
            return "rows"
        if self.composite or self.stepwise or self.call_signature.named("segments"):
            return "packed"
        return "rows" if self._masks_pass or self.call_signature.named("mask") else "refused"

    @property
    def _own_mask(self) -> bool:
        """Whether the layer is one of a user that says its output's mask as in Keras."""
        return type(self).compute_mask is not Layer.compute_mask

    @property
    def _hands_on(self) -> bool:
        """Whether layers inside a layer of a user must see the mask, as in Keras they do."""
        by_call = self.declared_masking is None and self.masking == "rows"
        return by_call and bool(self.sublayers())

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

    def random_key(self, seed: int | None = None) -> jax.Array:
        """Return a JAX random key for this layer in the run that we are in.

        Args:
            seed: fixes the keys of this layer, whatever the run's seed.
        """
        scope = current_scope()
        if scope is None:
            raise StateError("random_key works inside a layer's call")
        return scope.draw(self.path, seed)

    def get_build_config(self) -> dict[str, Any] | None:
        """Return what `build_from_config` needs to create the weights; None before that is known.

        A layer that creates them in a way of its own overrides both.
        """
        if self._built_for is None:
            return None
        return {"input_shape": symbolic.known(self._built_for)}

    @checked
    def build_from_config(self, config: dict[str, Any]) -> None:
        """Create the weights by what `get_build_config` returned."""
        if config and not self.built:
            self.build(symbolic.as_shape(config["input_shape"]))

    # Shapes.

    @checked(input_shape=symbolic.SHAPES)
    def compute_output_shape(self, input_shape: Any, *shapes: Any, **named: Any) -> Any:
        """Return the output shape for an input shape, None where a size is not known.

        Args:
            input_shape: the input's shape, or a tree of shapes.
            *shapes: the shapes of further arguments of `call`, by place.
            **named: the same by name, such as `value_shape`.
        """
        further = dict(zip(self.call_signature.places[1:], shapes, strict=False))
        further |= {name.removesuffix("_shape"): shape for name, shape in named.items()}
        return symbolic.shape_of(symbolic.trace(self, input_shape, further).outputs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return the symbols of what the layer gives for symbols; no graph takes note of it."""
        given = (args, kwargs)
        specs = {symbol: symbol.spec for symbol in symbols.symbols_in(given)}
        outputs = self.output_specs(*symbols.replaced(given, specs))
        return jax.tree.map(symbols.KerasTensor.of, outputs, is_leaf=arguments.is_steps)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return which steps of the outputs are real, None where all are.

        Args:
            inputs: what the layer would be called on.
            mask: which steps of the inputs are real, where they do not say so themselves.
        """
        if self.composite:
            outputs = jax.tree.leaves(self(inputs, mask=mask), is_leaf=arguments.is_steps)
            masks = [leaf.mask if isinstance(leaf, Steps) else None for leaf in outputs]
            return masks if len(masks) > 1 else masks[0]
        opened = arguments.open_inputs(self, inputs, mask)
        return arguments.mask_of(self._segments_after(opened, {"packed": opened.packed}))

    # The call.

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the layer's outputs; every layer overrides it."""
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `call` method implemented"
        )

    def compute_segments(self, inputs: Any, segments: Any) -> Any:
        """Return the segments of the outputs, given the inputs and theirs (None for none).

        A layer that overrides it may name `packed`, and arguments of its `call`, besides.
        """
        return arguments.agreed(self, segments)

    def check_values(self, inputs: Any) -> None:
        """Raise an error if concrete input values are out of range; most layers take any."""

    def __call__(
        self, *args: Any, mask: Any = None, training: bool | None = None, **kwargs: Any
    ) -> Any:
        """Run the layer.

        Args:
            *args: the arguments of the layer's `call`: arrays, `Steps`, symbols from `Input`, or
                trees of them.
            mask: True at real steps, of shape (batch, steps), where the input is a plain array; for
                a list of inputs one for each, or one for all. False takes off the mask that an
                input carries.
            training: whether to behave as in training; by default as the layer around does.
            **kwargs: the arguments of the layer's `call` by name.

        Returns:
            What `call` returns, as `Steps` where it has segments.
        """
        if symbols.has_symbols((args, mask, kwargs)):
            return symbols.connect(self, args, {"mask": mask, "training": training, **kwargs})
        inputs, args, kwargs = self.call_signature.arranged(self, args, kwargs)
        mask = kwargs.pop("mask", mask)
        training = kwargs.pop("training", training)
        outermost = current_scope() is None
        with eager_scope() as scope, self._standing(), self._mode(scope, training):
            self._note_run(scope)
            calls_before = len(scope.calls)
            opened = arguments.open_inputs(self, inputs, mask)
            kwargs = arguments.open_further(self, kwargs)
            self._ensure_built(opened.values, kwargs)
            if self.input_spec is not None:
                spec.check_arrays(self, jax.tree.leaves(opened.values))
            if not symbolic.is_traced(opened.values):
                if outermost and finite_inputs():
                    arguments.refuse_infinite(self, opened)
                self.check_values(opened.values)
                if outermost:
                    self._shapes_met.note(self._called, opened.values)
            outputs = self._run(opened, args, kwargs, bool(scope.training))
            scope.record(self, inputs, outputs, calls_before)
        return outputs

    @property
    def _called(self) -> str:
        return f"layer '{self.path}' ({type(self).__name__}), called outside of jax.jit,"

    def _run(self, opened: arguments.Opened, args: Any, kwargs: Any, training: bool) -> Any:
        signature = self.call_signature
        offered = {
            "training": training,
            "packed": opened.packed,
            signature.named("mask"): opened.mask,
            signature.named("segments"): opened.segments,
        }
        for name in signature.parameters & offered.keys():
            kwargs.setdefault(name, offered[name])
        args, kwargs = arguments.cast_tree((args, kwargs), self.compute_dtype)
        inputs = opened.given if self.composite or self._hands_on else opened.values
        # Before the arithmetic, because it says which inputs do not go together.
        segments = None if self.composite else self._segments_after(opened, offered | kwargs)
        try:
            outputs = self._called_or_gone_on(inputs, *args, **kwargs)
        except Exception as error:
            if refused := refusing.refusal(self, error, opened.values):
                raise refused from error
            shapes = symbolic.written(symbolic.shape_of(opened.values))
            error.add_note(f"in layer '{self.path}' ({type(self).__name__}), input {shapes}")
            raise
        if not self.composite:
            outputs = arguments.close_outputs(outputs, segments, opened)
        self._regularize_activity(outputs)
        return outputs

    def _segments_after(self, opened: arguments.Opened, handed: dict[Any, Any]) -> Any:
        if not self._own_mask:
            decisive = {
                name: handed[name] for name in self.call_signature.decisive if name in handed
            }
            return self.compute_segments(opened.values, opened.segments, **decisive)
        masks = self.compute_mask(opened.values, opened.mask)
        return jax.tree.map(lambda mask: jnp.asarray(mask).astype("int32"), masks)

    def _ensure_built(self, values: Any, further: dict[str, Any]) -> None:
        if self.built:
            return
        self._built_for = symbolic.raw_shape_of(values)
        if type(self).build is not Layer.build:
            shapes = {
                f"{name}_shape": symbolic.shape_of(further[name])
                for name in self.call_signature.shapes
                if further.get(name) is not None
            }
            self.build(symbolic.shape_of(values), **shapes)
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
        if training is not None:
            scope.training = _MODE.taken(f"layer '{self.path}': training", training)
        casts = self.dtype_policy.mixed and self.autocast
        scope.compute_dtype = self.compute_dtype if casts else None
        try:
            yield
        finally:
            scope.training, scope.compute_dtype = before
