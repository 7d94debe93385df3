"""TimeDistributed and PerStep against a loop over the steps, with all that can be inside."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.core import deserialize, serialize
from everystep.core.scope import Scope
from everystep.errors import SegmentsError, SettingError, ShapeError
from everystep.layers import (
    LSTM,
    BatchNormalization,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    Layer,
    PerStep,
    SpectralNormalization,
    TimeDistributed,
    Wrapper,
)
from everystep.layers.apply import apply, weights_of
from everystep.models import Sequential
from everystep.sequences import Steps, pack
from tests.tolerances import assert_close
from tests.trees import assert_trees_close, outputs_of

BATCH, STEPS, FEATURES, UNITS = 2, 5, 3, 4
X = np.random.default_rng(0).normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
DEEP = np.random.default_rng(1).normal(size=(BATCH, STEPS, 6, FEATURES)).astype("float32")
MASK = np.array([[True, False, True, True, False], [False, False, True, False, False]])
# Words of up to four characters, in sentences of up to five words.
CHARACTERS = np.array(
    [
        [[3, 1, 2, 0], [4, 0, 0, 0], [5, 6, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
        [[1, 1, 1, 1], [2, 6, 5, 0], [3, 4, 0, 0], [4, 3, 2, 0], [6, 0, 0, 0]],
    ]
)
WORDS = (CHARACTERS != 0).any(-1)


class Both(Layer):
    """Takes a dict, and gives a list and a number for each row."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.left, self.right = Dense(UNITS), Dense(UNITS)

    def call(self, inputs: Any, factor: Any = 1.0) -> Any:
        left, right = self.left(inputs["left"]), self.right(inputs["right"])
        return [left * factor, {"sum": jnp.sum(left + right, -1)}]


def loop(layer: Any, inputs: Any, **kwargs: Any) -> Any:
    """The layer called step after step."""
    called = [
        layer(jax.tree.map(lambda x, step=step: x[:, step], inputs), **kwargs)
        for step in range(STEPS)
    ]
    return jax.tree.map(lambda *steps: jnp.stack(steps, 1), *called)


@pytest.mark.parametrize("mask", [None, MASK])
def test_trees_go_in_and_come_out(mask: Any) -> None:
    inner = Both()
    inputs = {"left": X, "right": X[..., :2] + 1}
    given: Any = inputs
    if mask is not None:
        steps = Steps.of(X, mask.astype(int), packed=False)
        given = {"left": steps, "right": steps.with_values(inputs["right"])}
    found = TimeDistributed(inner)(given)
    for output, wanted in zip(outputs_of(found), jax.tree.leaves(loop(inner, inputs)), strict=True):
        assert isinstance(output, Steps) == (mask is not None)
        assert_close(np.asarray(output), wanted)


def test_further_arguments_are_given_step_by_step_too() -> None:
    inner = Both()
    inputs, factors = {"left": X, "right": X}, X[..., :1]
    layer = TimeDistributed(inner)
    wanted = loop(lambda given: inner(given[0], given[1]), (inputs, factors))
    assert_close(layer(inputs, factors)[0], wanted[0])
    assert_close(layer(inputs, factor=factors)[0], wanted[0])


def test_inputs_of_different_steps_are_refused() -> None:
    with pytest.raises(ShapeError, match="same batch size and number of steps"):
        TimeDistributed(Both())({"left": X, "right": X[:, 1:]})


INSIDE: dict[str, Any] = {
    "a model": lambda: Sequential([Flatten(), Dense(UNITS, "tanh"), Dense(2)]),
    "a model of models": lambda: Sequential([Sequential([Dense(UNITS)]), LSTM(2)]),
    "a recurrent layer": lambda: Bidirectional(LSTM(UNITS)),
    "states": lambda: LSTM(UNITS, return_state=True),
    "every step inside": lambda: TimeDistributed(Dense(UNITS)),
}


@pytest.mark.parametrize("name", INSIDE)
def test_any_layer_may_be_inside(name: str) -> None:
    inner = INSIDE[name]()
    assert_trees_close(TimeDistributed(inner)(DEEP), loop(inner, DEEP))


def test_the_program_is_the_same_however_many_steps_there_are() -> None:
    layer = TimeDistributed(Sequential([LSTM(UNITS), Dense(2)]))
    layer(DEEP)

    def equations(steps: int) -> int:
        text = str(jax.make_jaxpr(lambda x: layer(x))(np.zeros((2, steps, 6, FEATURES), "float32")))
        return text.count(" = ")

    assert equations(2) == equations(50)


def tagger(*inside: Layer) -> Sequential:
    return Sequential([*inside, LSTM(UNITS, return_sequences=True), Dense(2)])


def spelled() -> tuple[Any, Any]:
    """A model that spells words, in Keras's two ways, with the same weights."""
    embedding = {"input_dim": 7, "output_dim": 3, "mask_zero": True}
    words = [TimeDistributed(Bidirectional(LSTM(UNITS))) for _ in range(2)]
    one = tagger(TimeDistributed(Embedding(**embedding)), words[0])
    other = tagger(Embedding(**embedding), words[1])
    one(CHARACTERS)
    other(CHARACTERS)
    other.set_weights(one.get_weights())
    return one, other


def by_hand(model: Any) -> list[Any]:
    """The output at each real word: every word spelled alone, without padding."""
    characters, words, sentence, dense = model.layers
    embed = characters.layer if isinstance(characters, TimeDistributed) else characters
    outputs = []
    for row, real in zip(CHARACTERS, WORDS, strict=True):
        spelled = [words.layer(embed(word[word != 0][None]).values)[0] for word in row[real]]
        outputs.append(dense(sentence(np.stack(spelled)[None]))[0])
    return outputs


def test_a_tagger_that_spells_its_words_leaves_out_padding_of_both_kinds() -> None:
    for model in spelled():
        found = model(CHARACTERS)
        np.testing.assert_array_equal(found.mask, WORDS)
        for one, wanted in zip(found.unpack(), by_hand(model), strict=True):
            assert_close(one, wanted)


def test_a_tagger_that_spells_its_words_takes_lists() -> None:
    for model in spelled():
        sentences = [row[real] for row, real in zip(CHARACTERS, WORDS, strict=True)]
        found = model(pack(sentences, length=8)).unpack()
        for one, wanted in zip(found, by_hand(model), strict=True):
            assert_close(one, wanted)


def test_a_mask_inside_of_steps_goes_through_every_layer_that_keeps_it() -> None:
    model = Sequential([Embedding(7, 3, mask_zero=True), Dropout(0.1), TimeDistributed(Dense(2))])
    found = model(CHARACTERS)
    np.testing.assert_array_equal(found.mask, CHARACTERS != 0)
    np.testing.assert_array_equal(model.compute_mask(CHARACTERS), CHARACTERS != 0)
    layer = BatchNormalization(momentum=0.0)
    layer(found, training=True)
    assert_close(layer.moving_mean, np.asarray(found.values)[CHARACTERS != 0].mean(0))


def test_a_mask_inside_of_steps_may_be_given_as_in_keras() -> None:
    keras: Any = pytest.importorskip("keras")
    mask = np.random.default_rng(3).random(DEEP.shape[:3]) > 0.4
    ours = TimeDistributed(LSTM(UNITS))
    theirs = keras.layers.TimeDistributed(keras.layers.LSTM(UNITS))
    ours(DEEP)
    theirs(DEEP)
    ours.set_weights(theirs.get_weights())
    found = ours(DEEP, mask=mask)
    assert_close(found.values, theirs(DEEP, mask=jnp.asarray(mask)))
    np.testing.assert_array_equal(found.mask, mask.any(-1))


def test_a_mask_inside_of_steps_is_not_lost() -> None:
    embedded = Embedding(7, 3, mask_zero=True)(CHARACTERS)
    with pytest.raises(SegmentsError, match=r"flatten.*mixes steps"):
        TimeDistributed(Flatten(name="flatten"))(embedded)
    with pytest.raises(SegmentsError, match="goes on inside of steps"):
        LSTM(UNITS)(embedded.with_values(embedded.values[..., 0]))


@pytest.mark.parametrize("wrapper", [TimeDistributed, PerStep])
def test_padded_steps_do_not_count_inside(wrapper: Any) -> None:
    layer = wrapper(BatchNormalization(momentum=0.5))
    rows = np.array([True, False])
    with Scope(real_rows=rows).active() as scope:
        layer(X, mask=MASK, training=True)
    scope.commit()
    means = layer.get_weights()[2]
    real = MASK & rows[:, None]
    if wrapper is TimeDistributed:
        assert_close(means, 0.5 * X[real].mean(0))
    else:
        for step, mean in enumerate(means):
            some = X[:, step][real[:, step]]
            assert_close(mean, 0.5 * some.mean(0) if len(some) else np.zeros(FEATURES, "float32"))


@pytest.mark.parametrize("wrapper", [TimeDistributed, PerStep])
def test_each_step_has_noise_of_its_own(wrapper: Any) -> None:
    layer = wrapper(GaussianNoise(1.0))
    found = np.asarray(layer(np.zeros_like(X), training=True))
    assert len(np.unique(found)) == found.size


@pytest.mark.parametrize("wrapper", [TimeDistributed, PerStep])
def test_losses_inside_are_kept(wrapper: Any) -> None:
    layer = wrapper(Dense(UNITS, activity_regularizer="l2"))
    with Scope().active() as scope:
        outputs = layer(X, mask=MASK)
    squares = 0.01 * jnp.sum(jnp.square(outputs.values[MASK]))
    counts = MASK.sum() if wrapper is TimeDistributed else np.maximum(MASK.sum(0), 1)
    each = 0.01 * jnp.sum(jnp.square(jnp.where(MASK[..., None], outputs.values, 0)), (0, 2))
    wanted = squares / counts if wrapper is TimeDistributed else jnp.sum(each / counts)
    assert_close(sum(scope.losses), wanted)


def test_states_inside_go_on_from_call_to_call() -> None:
    for wrapper in (TimeDistributed, PerStep):
        layer = wrapper(LSTM(UNITS, stateful=True))
        first = layer(DEEP[:, :, :2])
        second = layer(DEEP[:, :, 2:])
        whole = wrapper(LSTM(UNITS))
        whole(DEEP)
        whole.set_weights(layer.get_weights())
        assert_close(second, whole(DEEP))
        assert first.shape == second.shape


def test_per_step_takes_trees_and_spelled_words() -> None:
    layer = PerStep(Both())
    found = layer({"left": X, "right": X})
    weights = layer.get_weights()
    for step in range(STEPS):
        left, right = (X[:, step] @ weights[n][step] + weights[n + 1][step] for n in (0, 2))
        assert_close(found[0][:, step], left)
        assert_close(found[1]["sum"][:, step], (left + right).sum(-1))
    embedded = Embedding(7, 3, mask_zero=True)(CHARACTERS)
    words = PerStep(LSTM(UNITS))(embedded)
    np.testing.assert_array_equal(words.mask, WORDS)


def test_spectral_normalization_is_keras_s_call_after_call() -> None:
    keras: Any = pytest.importorskip("keras")
    ours = SpectralNormalization(Dense(UNITS), power_iterations=2)
    theirs = keras.layers.SpectralNormalization(keras.layers.Dense(UNITS), power_iterations=2)
    ours(X)
    theirs(X)
    ours.set_weights(theirs.get_weights())
    for _ in range(2):
        assert_close(ours(X, training=True), theirs(X, training=True))
    assert_trees_close(ours.get_weights(), theirs.get_weights())
    assert [weight.name for weight in ours.weights] == [weight.name for weight in theirs.weights]
    ours.kernel.assign(jnp.zeros_like(ours.kernel.value))
    assert not np.any(ours(X, training=True))
    with pytest.raises(SettingError, match="'kernel' nor 'embeddings'"):
        SpectralNormalization(Dropout(0.5))(X)


class Scaled(Wrapper):
    """A wrapper in Keras's manner."""

    def __init__(self, layer: Any, factor: float = 2.0, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.factor = factor

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        self.offset = self.add_weight(shape=(UNITS,), initializer="ones", name="offset")

    def call(self, inputs: Any) -> Any:
        return self.layer(inputs) * self.factor + self.offset


def test_people_s_own_wrappers_build_what_is_inside_and_have_a_configuration() -> None:
    layer = Scaled(Dense(UNITS), factor=3.0, name="scaled")
    layer.build(X.shape)
    assert layer.layer.built
    assert_close(layer(X), 3 * layer.layer(X) + 1)
    assert layer.count_params() == FEATURES * UNITS + 2 * UNITS
    other = Scaled.from_config(layer.get_config())
    other(X)
    other.set_weights(layer.get_weights())
    assert_close(other(X), layer(X))
    with pytest.raises(ValueError, match="layer"):
        Scaled(3)


def test_gradients_go_through_both_wrappers() -> None:
    for wrapper in (TimeDistributed, PerStep):
        layer = wrapper(Sequential([Dense(UNITS, "tanh"), Dense(2)]))
        layer(X)

        def loss(weights: Any, layer: Any = layer) -> Any:
            return jnp.sum(apply(layer, weights, X)[0] ** 2)

        slopes = jax.grad(loss)(weights_of(layer))
        assert all(np.any(slope != 0) for slope in slopes.values())
    assert deserialize(serialize(layer)).get_config() == layer.get_config()
