"""Lambda, Masking and EinsumDense where masks, code and equations could go wrong."""

from typing import Any

import numpy as np
import pytest

from everystep.core import deserialize, serialize
from everystep.errors import SegmentsError, SettingError, ShapeError
from everystep.layers import EinsumDense, Embedding, Lambda, Masking
from everystep.saving import register_keras_serializable
from everystep.sequences import Steps
from tests.tolerances import assert_close

X = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
MASK = np.array([[True, True, False, True], [False, False, True, True]])


@register_keras_serializable("tests")
def shifted(inputs: Any, by: float = 0.0, training: bool = False) -> Any:
    return inputs + by + 10 * training


def test_a_lambda_hands_its_function_arguments_mode_and_mask() -> None:
    layer = Lambda(shifted, arguments={"by": 2.0})
    assert_close(layer(X), X + 2)
    assert_close(layer(X, training=True), X + 12)
    mean = Lambda(lambda x, mask: (x * mask[..., None]).sum(1) / mask.sum(1, keepdims=True))
    found = mean(X, mask=MASK)
    assert not isinstance(found, Steps)
    assert_close(found[0], X[0][MASK[0]].mean(0))


def test_a_lambda_says_the_mask_of_its_output_or_refuses_one() -> None:
    with pytest.raises(SegmentsError, match=r"'plain' \(Lambda\).*mask=lambda inputs, mask: mask"):
        Lambda(lambda x: x, name="plain")(X, mask=MASK)
    given = Lambda(lambda x: x[:, 1:], mask=lambda inputs, mask: mask[:, 1:])
    np.testing.assert_array_equal(given(X, mask=MASK).mask, MASK[:, 1:])
    np.testing.assert_array_equal(Lambda(lambda x: x, mask=MASK)(X).mask, MASK)


def test_a_lambda_is_named_in_a_configuration_and_never_written_as_code() -> None:
    layer = Lambda(shifted, arguments={"by": 2.0})
    again = deserialize(serialize(layer))
    assert again.function is shifted
    assert_close(again(X), layer(X))
    nameless = Lambda(lambda x: x)
    assert "function=<lambda>" in repr(nameless)
    with pytest.raises(SettingError, match="register_keras_serializable"):
        nameless.get_config()


def test_a_lambda_of_code_is_refused_whatever_setting_holds_it() -> None:
    keras: Any = pytest.importorskip("keras", reason="Keras writes code")
    config = keras.layers.Lambda(lambda x: x).get_config()
    with pytest.raises(SettingError, match="is never run"):
        Lambda.from_config(config)
    with pytest.raises(SettingError, match="is never run"):
        Lambda.from_config({"function": serialize(shifted), "mask": config["function"]})


def test_masking_hides_steps_of_packed_rows_and_keeps_what_is_hidden() -> None:
    values = X.copy()
    values[0, 1] = values[1, 2] = 7
    steps = Steps.of(values, [[1, 1, 2, 0], [3, 3, 3, 3]])
    found = Masking(7)(steps)
    assert found.packed
    assert found.segments.tolist() == [[1, 0, 2, 0], [3, 3, 0, 3]]
    assert not np.any(found.values[1, 2])
    assert_close(found.values[0, 3], values[0, 3])


def test_masking_asks_for_a_step_of_nothing_but_the_value_at_any_rank() -> None:
    frames = np.ones((1, 2, 3, 2), "float32")
    frames[0, 0] = frames[0, 1, 1] = 0
    assert Masking()(frames).mask.tolist() == [[False, True]]


EQUATIONS: dict[str, tuple[str, Any, str | None, tuple[int, ...]]] = {
    "steps in an ellipsis": ("...x,xy->...y", 5, "y", (2, 4, 3)),
    "an ellipsis on the right": ("ab...,bc->ac...", (5,), "c", (2, 3, 4)),
    "two letters of bias": ("abc,cde->abde", (None, 2, 5), "d", (2, 4, 3)),
    "a letter that stays": ("abc,bcd->abd", (None, 5), "b", (2, 4, 3)),
}


@pytest.mark.parametrize("name", EQUATIONS)
def test_einsum_dense_gives_weights_and_values_of_keras(name: str) -> None:
    keras: Any = pytest.importorskip("keras", reason="Keras is what is compared with")
    equation, output_shape, bias_axes, shape = EQUATIONS[name]
    inputs = np.random.default_rng(1).normal(size=shape).astype("float32")
    # Keras does not read sizes off the input where a weight needs them.
    theirs = keras.layers.EinsumDense(
        equation,
        (4, 5) if name == "a letter that stays" else output_shape,
        bias_axes=bias_axes,
        bias_initializer="ones",
    )
    ours = EinsumDense(equation, output_shape, bias_axes=bias_axes)
    for layer in (ours, theirs):
        layer(inputs)
    assert [one.shape for one in ours.weights] == [one.shape for one in theirs.weights]
    ours.set_weights(theirs.get_weights())
    assert_close(ours(inputs), theirs(inputs))


def test_einsum_dense_draws_by_the_axes_that_it_sums_over() -> None:
    layer = EinsumDense("abc,cde->abde", (None, 40, 50), kernel_initializer="he_uniform")
    layer(X)
    limit = np.sqrt(6 / 3)
    assert 0.98 * limit < np.abs(layer.get_weights()[0]).max() < limit


def test_einsum_dense_keeps_masks_of_steps_that_it_reads_alone() -> None:
    steps = Steps.of(X, [[1, 1, 2, 0], [3, 3, 3, 3]])
    assert EinsumDense("...c,cd->...d", 5)(steps).packed
    mixing = EinsumDense("abc,bd->adc", (5, None), name="mix")
    with pytest.raises(SegmentsError, match=r"'mix' \(EinsumDense\) mixes steps by 'abc,bd->adc'"):
        mixing(steps)
    deep = EinsumDense("...xy,xyz->...z", 5)
    assert not deep.stepwise
    found = deep(steps.with_values(np.ones((2, 4, 3, 2), "float32")))
    assert found.segments is steps.segments
    assert deep.stepwise


@pytest.mark.parametrize("output_shape", [5, (3, 5), (None, None, 5)])
def test_einsum_dense_refuses_sizes_that_do_not_fit(output_shape: Any) -> None:
    with pytest.raises(ShapeError, match=r"'sum' \(EinsumDense\).*output_shape.*'bd'"):
        EinsumDense("abc,cd->abd", output_shape, name="sum")(X)


def test_einsum_dense_refuses_an_input_or_bias_that_the_equation_does_not_have() -> None:
    with pytest.raises(ShapeError, match=r"\(2, 4\).*'abc' of 'abc,cd->abd'"):
        EinsumDense("abc,cd->abd", (None, 5))(X[..., 0])
    with pytest.raises(SettingError, match=r"bias_axes.*'abd'.*'c'"):
        EinsumDense("abc,cd->abd", (None, 5), bias_axes="c")


def test_an_embedding_starts_from_a_given_table() -> None:
    table = np.arange(6.0).reshape(3, 2)
    for given in (table, [table], table.tolist()):
        np.testing.assert_array_equal(Embedding(3, 2, weights=given)(np.array([[2]])), [[[4, 5]]])
    with pytest.raises(ShapeError, match=r"\(Embedding\).*\(4, 2\).*\(3, 2\)"):
        Embedding(4, 2, weights=table)(np.array([[2]]))
