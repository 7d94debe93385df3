"""Attention against Keras with masks on every side, and what packed rows and padding may read."""

from typing import Any

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import Phase, given, settings

from everystep import layers
from everystep.errors import DataError, PackedRowsError, SegmentsError, SettingError, ShapeError
from everystep.layers.apply import apply, weights_of
from everystep.sequences import Steps, from_mask, pack
from tests.tolerances import GRADIENTS, assert_close
from tests.trees import assert_finite, assert_trees_close

keras: Any = pytest.importorskip("keras", reason="Keras is what is compared with")

BATCH, STEPS, MEMORY, FEATURES, WORDS = 3, 5, 7, 4, 2
RANDOM = np.random.default_rng(0)
QUERY = RANDOM.normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
VALUE = RANDOM.normal(size=(BATCH, MEMORY, FEATURES)).astype("float32")
DEEP = RANDOM.normal(size=(BATCH, STEPS, WORDS, FEATURES)).astype("float32")
READS = np.array([[1, 1, 1, 1, 0], [0, 1, 0, 1, 0], [1, 1, 1, 1, 1]], bool)
READ = np.array([[1, 1, 0, 1, 1, 0, 0], [1, 0, 0, 0, 0, 0, 1], [0, 1, 1, 1, 1, 1, 1]], bool)
PAIRS = RANDOM.random((BATCH, STEPS, MEMORY)) < 0.7
# A step that may read nothing is no part of what Keras promises.
PAIRS[..., 0] |= True
READ[:, 0] = True

# Shrinking would trace anew for each smaller example.
few = settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def twins(name: str, *inputs: Any, **options: Any) -> tuple[Any, Any]:
    """Our layer and Keras's, with the same weights."""
    ours, theirs = getattr(layers, name)(**options), getattr(keras.layers, name)(**options)
    for layer in (ours, theirs):
        layer(*inputs, return_attention_scores=True)
    described = [(weight.name, weight.shape) for weight in theirs.weights]
    assert [(weight.name, weight.shape) for weight in ours.weights] == described
    weights = [0.5 * RANDOM.normal(size=shape).astype("float32") for _, shape in described]
    for layer in (ours, theirs):
        layer.set_weights(weights)
    return ours, theirs


def carrying(array: Any, mask: Any) -> Any:
    """A masked array as Keras has it."""
    from keras.src.backend.common.masking import set_keras_mask

    copy = jnp.array(array)
    if mask is not None:
        set_keras_mask(copy, jnp.array(mask))
    return copy


def steps(array: Any, mask: Any) -> Any:
    return array if mask is None else from_mask(array, mask)


HEADS = st.fixed_dictionaries(
    {
        "num_heads": st.sampled_from([1, 2]),
        "key_dim": st.just(3),
        "value_dim": st.sampled_from([None, 5]),
        "use_bias": st.booleans(),
        "use_gate": st.booleans(),
        "output_shape": st.sampled_from([None, 6, (2, 3)]),
        "sliding_window": st.sampled_from([None, 3]),
    }
)


@few
@given(HEADS, st.booleans(), *[st.booleans()] * 4)
def test_heads_with_masks_on_every_side(
    options: dict[str, Any], causal: bool, reads: bool, read: bool, pairs: bool, keyed: bool
) -> None:
    key = -VALUE if keyed else None
    ours, theirs = twins("MultiHeadAttention", QUERY, VALUE, key, **options)
    query_mask, value_mask = READS if reads else None, READ if read else None
    call = {
        "attention_mask": PAIRS if pairs else None,
        "use_causal_mask": causal,
        "return_attention_scores": True,
    }
    found, scores = ours(steps(QUERY, query_mask), steps(VALUE, value_mask), key, **call)
    wanted = theirs(carrying(QUERY, query_mask), carrying(VALUE, value_mask), key, **call)
    assert_close(found, wanted[0])
    assert_close(scores, wanted[1])
    assert isinstance(found, Steps) == reads
    # Without scores Keras takes another way, on which what may read nothing reads a mean of all,
    # and values of another size than keys fail.
    real = READS if reads else np.ones_like(READS)
    call["return_attention_scores"] = False
    if options["sliding_window"] is None and options["value_dim"] is None:
        alone = np.asarray(ours(steps(QUERY, query_mask), steps(VALUE, value_mask), key, **call))
        theirs_alone = theirs(carrying(QUERY, query_mask), carrying(VALUE, value_mask), key, **call)
        assert_close(alone[real], np.asarray(theirs_alone)[real])


@pytest.mark.parametrize("axes", [None, 1, (1, 2), -2, (2,)])
def test_heads_along_any_axes(axes: Any) -> None:
    ours, theirs = twins(
        "MultiHeadAttention", DEEP, -DEEP, num_heads=2, key_dim=3, attention_axes=axes
    )
    for one, other in zip(
        ours(DEEP, -DEEP, return_attention_scores=True),
        theirs(DEEP, -DEEP, return_attention_scores=True),
        strict=True,
    ):
        assert_close(one, other)
    masked = ours(from_mask(DEEP, READS), from_mask(-DEEP, READS))
    np.testing.assert_array_equal(masked.mask, READS)
    # The first sequence alone, without its padding.
    alone = ours(DEEP[:1, :4], -DEEP[:1, :4])
    assert_close(masked.values[:1, :4], alone)


@pytest.mark.parametrize("causal", [False, True])
def test_grouped_heads(causal: bool) -> None:
    options = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, "use_gate": causal}
    ours, theirs = twins("GroupQueryAttention", QUERY, VALUE, **options)
    call = {"use_causal_mask": causal, "return_attention_scores": True}
    found = ours(steps(QUERY, READS), steps(VALUE, READ), **call)
    wanted = theirs(QUERY, VALUE, query_mask=READS, value_mask=READ, **call)
    for one, other in zip(found, wanted, strict=True):
        assert_close(one, other)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Attention", {"use_scale": True}),
        ("Attention", {"score_mode": "concat", "use_scale": True}),
        ("AdditiveAttention", {}),
    ],
)
def test_lists_with_masks(name: str, options: dict[str, Any], causal: bool) -> None:
    inputs, masks = [QUERY, VALUE, -VALUE], [READS, READ]
    ours, theirs = twins(name, inputs, **options)
    call = {"use_causal_mask": causal, "return_attention_scores": True}
    found = ours(inputs, mask=masks, **call)
    wanted = theirs(inputs, mask=[*map(jnp.array, masks)], **call)
    assert_close(found[0], wanted[0])
    assert_close(np.asarray(found[1])[READS], np.asarray(wanted[1])[READS])
    np.testing.assert_array_equal(found[0].mask, theirs.compute_mask(inputs, masks))


def test_gradients_with_masks() -> None:
    ours, theirs = twins("MultiHeadAttention", QUERY, VALUE, num_heads=2, key_dim=3)
    call: dict[str, Any] = {"value_mask": READ, "attention_mask": PAIRS, "use_causal_mask": True}

    def our_loss(weights: Any, query: Any) -> Any:
        return jnp.sum(jnp.sin(apply(ours, weights, query, value=VALUE, **call)[0]))

    def their_loss(weights: Any, query: Any) -> Any:
        fixed = [variable.value for variable in theirs.non_trainable_variables]
        return jnp.sum(jnp.sin(theirs.stateless_call(weights, fixed, query, VALUE, **call)[0]))

    found, slope = jax.grad(our_loss, (0, 1))(weights_of(ours), QUERY)
    held = [variable.value for variable in theirs.trainable_variables]
    wanted, their_slope = jax.grad(their_loss, (0, 1))(held, QUERY)
    assert_trees_close([found[path] for path in ours.named_weights()], wanted, GRADIENTS)
    assert_close(slope, their_slope, GRADIENTS)


LENGTHS, MEMORIES = (2, 3, 1), (3, 2, 4)


def sequences(lengths: tuple[int, ...], seed: int) -> list[Any]:
    random = np.random.default_rng(seed)
    return [random.normal(size=(length, FEATURES)).astype("float32") for length in lengths]


def in_rows(arrays: list[Any], *rows: list[int]) -> Steps:
    """Sequences packed into these rows."""
    length = max(sum(len(arrays[number]) for number in row) for row in rows) + 1
    values = np.zeros((len(rows), length, FEATURES), "float32")
    segments = np.zeros((len(rows), length), "int32")
    for place, row in enumerate(rows):
        end = 0
        for number in row:
            start, end = end, end + len(arrays[number])
            values[place, start:end], segments[place, start:end] = arrays[number], number + 1
    return Steps.of(values, segments)


@pytest.mark.parametrize("causal", [False, True])
def test_packed_rows_read_a_packed_memory_sequence_by_sequence(causal: bool) -> None:
    queries, values = sequences(LENGTHS, 1), sequences(MEMORIES, 2)
    query, value = in_rows(queries, [0, 2], [1]), in_rows(values, [2, 0], [1])
    heads = layers.MultiHeadAttention(2, 3, sliding_window=3)
    found = heads(query, value, use_causal_mask=causal).unpack()
    pairs = zip(queries, values, strict=True)
    wanted = [heads(one[None], other[None], use_causal_mask=causal)[0] for one, other in pairs]
    assert_trees_close(found, wanted)
    plain = layers.Attention()
    found = plain([query, value], use_causal_mask=causal).unpack()
    pairs = zip(queries, values, strict=True)
    wanted = [plain([one[None], other[None]], use_causal_mask=causal)[0] for one, other in pairs]
    assert_trees_close(found, wanted)


@pytest.mark.parametrize("name", ["MultiHeadAttention", "Attention"])
def test_a_row_that_may_read_nothing_gives_no_nan(name: str) -> None:
    headed = name == "MultiHeadAttention"
    layer = layers.MultiHeadAttention(2, 3) if headed else layers.Attention(use_scale=True)
    empty = from_mask(VALUE, np.zeros_like(READ))

    def call(query: Any, value: Any) -> Any:
        value = empty.with_values(value)
        return layer(query, value) if headed else layer([query, value])

    assert_close(call(QUERY, VALUE), np.zeros_like(QUERY))
    assert_finite(jax.grad(lambda *both: jnp.sum(call(*both)), (0, 1))(QUERY, VALUE))


def test_half_precision_sums_in_single_and_gives_half() -> None:
    wide = layers.MultiHeadAttention(2, 64)
    narrow = layers.MultiHeadAttention(2, 64, dtype="mixed_bfloat16")
    for layer in (wide, narrow):
        layer(QUERY, VALUE)
    narrow.set_weights(wide.get_weights())
    found = narrow(QUERY, VALUE)
    assert found.dtype == "bfloat16"
    assert_close(found, wide(QUERY, VALUE))


ONE, TWO = sequences((2, 3), 3), sequences((2, 2), 4)
PACKED = pack(ONE, length=5)


def heads(**options: Any) -> Any:
    return layers.MultiHeadAttention(2, 3, name="read", **options)


REFUSED: dict[str, tuple[Any, Any, str]] = {
    "a value that is not packed": (
        lambda: heads()(PACKED, np.ones((1, 4, FEATURES), "float32")),
        SegmentsError,
        "'read'.*the query has packed rows.*the value does not say",
    ),
    "a query that is not packed": (
        lambda: heads()(np.ones((1, 4, FEATURES), "float32"), PACKED),
        SegmentsError,
        "'read'.*the value has packed rows.*the query does not say",
    ),
    "a list of which one is packed": (
        lambda: layers.Attention(name="read")([PACKED, PACKED.values]),
        SegmentsError,
        "'read'.*the query has packed rows",
    ),
    "other rows": (
        lambda: heads()(in_rows(ONE, [0], [1]), in_rows(TWO, [1], [0])),
        SegmentsError,
        "'read'.*sequence 1 stands in row 0 of the query and in row 1",
    ),
    "packed beside padded": (
        lambda: layers.Attention(name="read")([PACKED, from_mask(PACKED.values, PACKED.mask)]),
        PackedRowsError,
        "'read'.*beside rows of one sequence",
    ),
    "no value": (lambda: heads()(QUERY), DataError, r"'read'.*without its value.*layer\(x, x\)"),
    "no list": (
        lambda: layers.Attention(name="read")(QUERY),
        DataError,
        r"must be called on a list of inputs.*'read'.*\(3, 5, 4\)",
    ),
    "no list for a sum": (
        lambda: layers.AdditiveAttention(name="read")(QUERY),
        DataError,
        "must be called on a list of inputs",
    ),
    "another length of keys": (
        lambda: heads()(QUERY, VALUE, VALUE[:, :4]),
        ShapeError,
        "'read'.*except the last one must be equal",
    ),
    "another length of keys in a list": (
        lambda: layers.Attention(name="read")([QUERY, VALUE, VALUE[:, :4]]),
        ShapeError,
        "'read'.*as many steps of the key",
    ),
    "axes": (
        lambda: heads(attention_axes=2)(QUERY, VALUE),
        SettingError,
        "'read'.*attention_axes.*rank 3, each once, not",
    ),
    "dropout in another kernel": (
        lambda: heads(flash_attention=True, dropout=0.1),
        SettingError,
        "Dropout is not supported when flash attention",
    ),
    "scores of another kernel": (
        lambda: heads(flash_attention=True)(QUERY, VALUE, return_attention_scores=True),
        SettingError,
        "'read'.*Returning attention scores is not supported",
    ),
    "numbers of heads": (
        lambda: layers.GroupQueryAttention(3, 4, 3),
        SettingError,
        "divisible by `num_key_value_heads`, but they are 4 and 3",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused(case: str) -> None:
    act, error, words = REFUSED[case]
    with pytest.raises(error, match=words):
        act()
