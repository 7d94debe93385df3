"""One case in both libraries: outputs, masks, losses and gradients must be the same."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep import layers
from everystep.layers.apply import apply, weights_of
from everystep.sequences import Steps
from tests.differential.space import Case
from tests.tolerances import GRADIENTS, VALUES, assert_close
from tests.trees import outputs_of

os.environ.setdefault("KERAS_BACKEND", "jax")


def compare(case: Case) -> None:
    """Hold one case to Keras.

    One operation after the other runs in both libraries, which takes a fraction of the time of
    compiling programs as small as these. That a compiled program gives what an eager one gives is
    a law of its own.

    Raises:
        AssertionError: the two differ; a note names the case.
    """
    with ExitStack() as stack:
        if case.dtype == "float64":
            stack.enter_context(jax.enable_x64(True))
            stack.enter_context(_keras_in_double_precision())
        try:
            _compare(case)
        except Exception as error:
            error.add_note(f"in the case {case}")
            raise


@contextmanager
def _keras_in_double_precision() -> Iterator[None]:
    """Keras takes float64 for float32 on every backend but one, and so would be no truth."""
    from keras import config
    from keras.src.backend.common import dtypes

    before = dtypes.BIT64_TO_BIT32_DTYPE["float64"]
    config.set_floatx("float64")
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    try:
        yield
    finally:
        config.set_floatx("float32")
        dtypes.BIT64_TO_BIT32_DTYPE["float64"] = before


def _compare(case: Case) -> None:
    import keras

    inputs, mask, further = case.arrays()
    ours, theirs = case.make(layers), case.make(keras.layers)
    with jax.disable_jit():
        _call_ours(ours, inputs, mask, further)
        _call_theirs(theirs, inputs, mask, further)
    _share_weights(case, ours, theirs)
    with jax.disable_jit():
        found = _call_ours(ours, inputs, mask, further)
        wanted = _call_theirs(theirs, inputs, mask, further)
    _compare_outputs(case, outputs_of(found), jax.tree.leaves(wanted))
    _compare_states(ours, theirs)
    assert_close(_total(ours.losses), _total(theirs.losses), VALUES)
    if case.space.compares_gradients(case.number):
        with jax.disable_jit(not case.space.compiled):
            _compare_gradients(ours, theirs, inputs, mask, further)


def _call_ours(layer: Any, inputs: Any, mask: Any, further: dict[str, Any]) -> Any:
    return layer(inputs, mask=mask, **further)


def _call_theirs(layer: Any, inputs: Any, mask: Any, further: dict[str, Any]) -> Any:
    # A mask that an array carries is lost in Keras where the call has another array besides.
    if mask is not None and _takes_mask(layer):
        return layer(inputs, mask=jnp.asarray(mask), **further)
    return layer(_masked_as_keras_does(inputs, mask), **further)


def _takes_mask(layer: Any) -> bool:
    return "mask" in inspect.signature(layer.call).parameters


def _masked_as_keras_does(inputs: Any, mask: Any) -> Any:
    from keras.src.backend.common.masking import set_keras_mask

    if mask is None:
        return inputs
    # Keras keeps the mask beside the very object, which `jnp.copy` makes new.
    arrays = jax.tree.map(jnp.copy, inputs)
    for array in jax.tree.leaves(arrays):
        set_keras_mask(array, jnp.asarray(mask))
    return arrays


def _share_weights(case: Case, ours: Any, theirs: Any) -> None:
    described = [(weight.name, tuple(weight.shape)) for weight in theirs.weights]
    assert [(weight.name, tuple(weight.shape)) for weight in ours.weights] == described
    random = np.random.default_rng([case.seed, case.number, 2])
    values = []
    for name, shape in described:
        value = 0.5 * random.normal(size=shape)
        positive = any(part in name for part in case.space.positive)
        values.append((np.abs(value) if positive else value).astype(case.dtype))
    for layer in (ours, theirs):
        layer.set_weights(values)


def _compare_outputs(case: Case, found: list[Any], wanted: list[Any]) -> None:
    from keras.src.backend.common.masking import get_keras_mask

    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert str(one.dtype) == str(other.dtype)
        assert_close(one.values if isinstance(one, Steps) else one, other, VALUES)
        their_mask = get_keras_mask(other)
        if np.ndim(their_mask) > 2:
            # Scores of attention keep in Keras what a softmax inside was told.
            continue
        assert isinstance(one, Steps) == (their_mask is not None)
        if their_mask is not None:
            turned = case.space.turns_mask(case.options)
            np.testing.assert_array_equal(one.mask[:, ::-1] if turned else one.mask, their_mask)


def _compare_states(ours: Any, theirs: Any) -> None:
    """What a call changed, such as running means, is the same."""
    kept = {id(variable) for variable in theirs.trainable_variables}
    pairs = zip(ours.weights, theirs.weights, strict=True)
    for one, other in pairs:
        if id(other) not in kept:
            assert_close(one.numpy(), other.value, VALUES)


def _total(losses: list[Any]) -> Any:
    return np.float64(sum(float(loss) for loss in losses))


def _compare_gradients(
    ours: Any, theirs: Any, inputs: Any, mask: Any, further: dict[str, Any]
) -> None:
    differentiable = jax.tree.leaves(inputs)[0].dtype.kind == "f"

    def total(outputs: list[Any]) -> Any:
        arrays = [one.values if isinstance(one, Steps) else one for one in outputs]
        return sum(jnp.sum(jnp.sin(array)) for array in arrays)

    # Keras calls no more than `call` here, which sees no mask that an array carries.
    masked = {"mask": mask} if _takes_mask(theirs) and mask is not None else {}
    trainable = [variable.path for variable in ours.trainable_weights]
    held = weights_of(ours)

    def our_loss(weights: list[Any], values: Any) -> Any:
        given = held | dict(zip(trainable, weights, strict=True))
        values = values if differentiable else inputs
        return total(outputs_of(apply(ours, given, values, mask=mask, **further)[0]))

    def their_loss(weights: list[Any], values: Any) -> Any:
        fixed = [variable.value for variable in theirs.non_trainable_variables]
        values = values if differentiable else inputs
        outputs = theirs.stateless_call(weights, fixed, values, **further, **masked)[0]
        return total(jax.tree.leaves(outputs))

    point = jax.tree.map(jnp.asarray, inputs) if differentiable else jnp.zeros(0)
    weights = [held[path] for path in trainable]
    found = jax.grad(our_loss, (0, 1))(weights, point)
    wanted = jax.grad(their_loss, (0, 1))(
        [variable.value for variable in theirs.trainable_variables], point
    )
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        assert_close(one, other, GRADIENTS)
