"""Models over time steps as people write them for Keras; the library is the only argument.

Each function uses nothing but names that Keras 3 has, so `import keras` and `import everystep` both
run it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

VOCABULARY, LABELS, STEPS, FEATURES = 12, 4, 6, 5


def tagger(lib: Any) -> Any:
    """A label for every word."""
    layers = lib.layers
    return lib.Sequential(
        [
            lib.Input((None,), dtype="int32"),
            layers.Embedding(VOCABULARY, 8, mask_zero=True),
            layers.Bidirectional(layers.LSTM(6, return_sequences=True)),
            layers.Dropout(0.2),
            layers.TimeDistributed(layers.Dense(LABELS, activation="softmax")),
        ]
    )


def words_and_characters(lib: Any) -> Any:
    """A label for every word, from the word and its characters."""
    layers = lib.layers
    words = lib.Input((None,), dtype="int32", name="words")
    characters = lib.Input((None, 7), dtype="int32", name="characters")
    spelled = layers.TimeDistributed(layers.Embedding(VOCABULARY, 4))(characters)
    spelled = layers.TimeDistributed(layers.Conv1D(5, 3, padding="same"))(spelled)
    spelled = layers.TimeDistributed(layers.GlobalMaxPooling1D())(spelled)
    known = layers.Embedding(VOCABULARY, 6)(words)
    both = layers.Concatenate()([known, spelled])
    read = layers.Bidirectional(layers.GRU(5, return_sequences=True), merge_mode="sum")(both)
    return lib.Model([words, characters], layers.Dense(LABELS)(read), name="speller")


def encoder_decoder(lib: Any) -> Any:
    """One sequence in, another out, handed over by the states."""
    layers = lib.layers
    source = lib.Input((None, FEATURES), name="source")
    target = lib.Input((None, 3), name="target")
    _, hidden, cell = layers.LSTM(4, return_state=True)(source)
    read = layers.LSTM(4, return_sequences=True)(target, initial_state=[hidden, cell])
    return lib.Model([source, target], layers.Dense(3)(read))


def autoencoder(lib: Any) -> Any:
    """A sequence squeezed into one vector and unrolled again."""
    layers = lib.layers
    return lib.Sequential(
        [
            lib.Input((STEPS, FEATURES)),
            layers.LSTM(4, activation="relu"),
            layers.RepeatVector(STEPS),
            layers.LSTM(4, activation="relu", return_sequences=True),
            layers.TimeDistributed(layers.Dense(FEATURES)),
        ]
    )


def temporal_convolutions(lib: Any) -> Any:
    """Dilated causal convolutions with residual sums."""
    layers = lib.layers
    inputs = lib.Input((None, FEATURES))
    flow = layers.Conv1D(4, 1)(inputs)
    for rate in (1, 2):
        inner = layers.Conv1D(4, 2, padding="causal", dilation_rate=rate)(flow)
        inner = layers.LayerNormalization()(inner)
        inner = layers.SpatialDropout1D(0.1)(layers.ReLU()(inner))
        flow = flow + inner
    return lib.Model(inputs, layers.Dense(2)(flow))


def transformer_block(lib: Any) -> Any:
    """Self-attention, and two dense layers, each with a residual sum."""
    layers = lib.layers
    inputs = lib.Input((None, 8))
    attended = layers.MultiHeadAttention(num_heads=2, key_dim=4)(
        inputs, inputs, use_causal_mask=True
    )
    flow = layers.LayerNormalization()(layers.Add()([inputs, attended]))
    wide = layers.Dense(12, activation="gelu")(flow)
    flow = layers.LayerNormalization()(flow + layers.Dense(8)(wide))
    return lib.Model(inputs, layers.GlobalAveragePooling1D()(flow))


def frames(lib: Any) -> Any:
    """Pictures in a row: a small network on each, a recurrent layer over them."""
    layers = lib.layers
    inputs = lib.Input((STEPS, 8, 8, 2))
    picture = lib.Sequential(
        [layers.Conv2D(3, 3), layers.MaxPooling2D(2), layers.GlobalAveragePooling2D()],
        name="picture",
    )
    flow = layers.TimeDistributed(picture)(inputs)
    flow = layers.BatchNormalization()(flow)
    return lib.Model(inputs, layers.Dense(1, "sigmoid")(layers.SimpleRNN(4)(flow)))


def two_of_a_kind(lib: Any) -> Any:
    """Two sequences read by the same layers, and how alike they are."""
    layers = lib.layers
    reader = lib.Sequential(
        [layers.Embedding(VOCABULARY, 5, mask_zero=True), layers.LSTM(4)], name="reader"
    )
    left = lib.Input((None,), dtype="int32", name="left")
    right = lib.Input((None,), dtype="int32", name="right")
    vectors = [reader(left), reader(right)]
    return lib.Model([left, right], layers.Dot(axes=1, normalize=True)(vectors))


def many_outputs(lib: Any) -> Any:
    """Two tasks on one body: a label for each step, and one for all."""
    layers = lib.layers
    inputs = lib.Input((STEPS, FEATURES), name="signal")
    body = layers.RNN(layers.GRUCell(4), return_sequences=True)(inputs)
    each = layers.Dense(LABELS, activation="softmax", name="each")(body)
    pooled = layers.MaxPooling1D(2)(body)
    whole = layers.Dense(1, name="whole")(layers.Flatten()(pooled))
    return lib.Model(inputs, {"each": each, "whole": whole})


def attention_over_states(lib: Any) -> Any:
    """A recurrent reader whose last state attends to all its states."""
    layers = lib.layers
    inputs = lib.Input((None, FEATURES))
    states, last = layers.GRU(4, return_sequences=True, return_state=True)(inputs)
    query = layers.Reshape((1, 4))(last)
    context = layers.AdditiveAttention()([query, states])
    return lib.Model(inputs, layers.Dense(2)(layers.Flatten()(context)))


def signal_with_operators(lib: Any) -> Any:
    """Arithmetic on symbols: a gate, a slice, a scale."""
    layers = lib.layers
    inputs = lib.Input((STEPS, FEATURES))
    gate = layers.Dense(FEATURES, "sigmoid")(inputs)
    mixed = gate * layers.Dense(FEATURES)(inputs) + (1 - gate) * inputs
    return lib.Model(inputs, [mixed[:, -1], -mixed / 2.0])


def own_layers(lib: Any) -> Any:
    """Layers, a cell and a model of one's own, with plain jax.numpy inside."""
    layers = lib.layers

    class Scale(layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, start: float = 1.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.start = start

        def build(self, input_shape: Any) -> None:
            self.factor = self.add_weight(
                shape=(input_shape[-1],),
                initializer=lib.initializers.Constant(self.start),
                name="factor",
            )

        def call(self, inputs: Any) -> Any:
            return inputs * jnp.abs(jnp.asarray(self.factor))

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "start": self.start}

    class Leaky(layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.state_size = units

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(
                shape=(input_shape[-1], self.units), initializer="uniform", name="kernel"
            )

        def call(self, inputs: Any, states: Any) -> Any:
            output = 0.5 * states[0] + jnp.matmul(inputs, jnp.asarray(self.kernel))
            return output, [output]

    class Reader(lib.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.scale = Scale(0.5)
            self.read = layers.RNN(Leaky(4), return_sequences=True)
            self.label = layers.Dense(LABELS)

        def call(self, inputs: Any, training: bool = False) -> Any:
            return self.label(self.read(self.scale(inputs)))

    return Reader()


@dataclass(frozen=True)
class Written:
    """A model and what goes into it.

    Args:
        make: builds it from `keras` or from `everystep`.
        shapes: the shape of each input.
        ids: which inputs hold ids.
        in_file: whether all its classes are the libraries' own, so that a file can name them.
    """

    make: Callable[[Any], Any]
    shapes: tuple[tuple[int, ...], ...]
    ids: tuple[bool, ...] = (False,)
    in_file: bool = True

    def inputs(self, seed: int = 0) -> Any:
        """The input, or a list of several."""
        random = np.random.default_rng(seed)
        arrays: list[Any] = [
            random.integers(1, VOCABULARY, shape).astype("int32")
            if ids
            else random.normal(size=shape).astype("float32")
            for shape, ids in zip(self.shapes, self.ids, strict=True)
        ]
        return arrays if len(arrays) > 1 else arrays[0]


SIGNAL = ((3, STEPS, FEATURES),)
MODELS = {
    "tagger": Written(tagger, ((3, STEPS),), (True,)),
    "words and characters": Written(words_and_characters, ((3, 5), (3, 5, 7)), (True, True)),
    "encoder decoder": Written(encoder_decoder, ((3, 5, FEATURES), (3, 4, 3)), (False, False)),
    "autoencoder": Written(autoencoder, SIGNAL),
    "temporal convolutions": Written(temporal_convolutions, SIGNAL),
    "transformer block": Written(transformer_block, ((3, STEPS, 8),)),
    "frames": Written(frames, ((2, STEPS, 8, 8, 2),)),
    "two of a kind": Written(two_of_a_kind, ((3, STEPS), (3, STEPS)), (True, True)),
    "many outputs": Written(many_outputs, SIGNAL),
    "attention over states": Written(attention_over_states, SIGNAL),
    "signal with operators": Written(signal_with_operators, SIGNAL),
    "own layers": Written(own_layers, SIGNAL, in_file=False),
}
