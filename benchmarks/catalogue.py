"""Is any layer slower than the same layer of Keras on JAX, forward or with its gradients?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks._question import Peer, Question, Sizes

BATCH, STEPS, FEATURES, UNITS, VOCABULARY = 32, 100, 64, 64, 1000
SEQUENCES = (BATCH, STEPS, FEATURES)
VECTORS = (BATCH, FEATURES)
FRAMES = (BATCH, 8, 32, 32, 3)
IMAGES = (BATCH, 32, 32, 16)
CHARACTERS = (BATCH, 25, 12, 16)
Work = Callable[[], Any]


@dataclass(frozen=True)
class Subject:
    """One layer of the benchmark.

    Args:
        make: gives the layer, from `keras.layers` or ours.
        shapes: the shapes of the arguments of its call; a list of shapes is one argument.
        ids: whether the input holds ids.
        training: whether it is called as in training, where that is another thing.
    """

    make: Callable[[Any], Any]
    shapes: tuple[Any, ...] = (SEQUENCES,)
    ids: bool = False
    training: bool = False


TWO = ([SEQUENCES, SEQUENCES],)
STATE = (BATCH, UNITS)
SUBJECTS: dict[str, Subject] = {
    "Activation gelu": Subject(lambda room: room.Activation("gelu")),
    "Activation softmax": Subject(lambda room: room.Activation("softmax")),
    "Add": Subject(lambda room: room.Add(), TWO),
    "AdditiveAttention": Subject(lambda room: room.AdditiveAttention(), TWO),
    "Attention": Subject(lambda room: room.Attention(), TWO),
    "Average": Subject(lambda room: room.Average(), TWO),
    "AveragePooling1D": Subject(lambda room: room.AveragePooling1D(2)),
    "AveragePooling2D": Subject(lambda room: room.AveragePooling2D(2), (IMAGES,)),
    "BatchNormalization": Subject(lambda room: room.BatchNormalization()),
    "BatchNormalization training": Subject(lambda room: room.BatchNormalization(), training=True),
    "Bidirectional LSTM": Subject(
        lambda room: room.Bidirectional(room.LSTM(UNITS, return_sequences=True))
    ),
    "Bidirectional GRU": Subject(
        lambda room: room.Bidirectional(room.GRU(UNITS, return_sequences=True))
    ),
    "Concatenate": Subject(lambda room: room.Concatenate(), TWO),
    "Conv1D": Subject(lambda room: room.Conv1D(UNITS, 3, padding="same")),
    "Conv1D causal dilated": Subject(
        lambda room: room.Conv1D(UNITS, 3, padding="causal", dilation_rate=4)
    ),
    "Conv1DTranspose": Subject(lambda room: room.Conv1DTranspose(UNITS, 3, strides=2)),
    "Conv2D": Subject(lambda room: room.Conv2D(32, 3), (IMAGES,)),
    "Cropping1D": Subject(lambda room: room.Cropping1D(2)),
    "Dense": Subject(lambda room: room.Dense(UNITS, "relu")),
    "DepthwiseConv1D": Subject(lambda room: room.DepthwiseConv1D(3, padding="same")),
    "Dot": Subject(lambda room: room.Dot(2), TWO),
    "ELU": Subject(lambda room: room.ELU()),
    "EinsumDense": Subject(lambda room: room.EinsumDense("abc,cd->abd", (None, UNITS))),
    "Embedding": Subject(
        lambda room: room.Embedding(VOCABULARY, FEATURES), ((BATCH, STEPS),), ids=True
    ),
    "Flatten": Subject(lambda room: room.Flatten()),
    "GRU": Subject(lambda room: room.GRU(UNITS, return_sequences=True)),
    "GRU reset before": Subject(
        lambda room: room.GRU(UNITS, return_sequences=True, reset_after=False)
    ),
    "GRUCell": Subject(lambda room: room.GRUCell(UNITS), (VECTORS, [STATE])),
    "GlobalAveragePooling1D": Subject(lambda room: room.GlobalAveragePooling1D()),
    "GlobalAveragePooling2D": Subject(lambda room: room.GlobalAveragePooling2D(), (IMAGES,)),
    "GlobalMaxPooling1D": Subject(lambda room: room.GlobalMaxPooling1D()),
    "GroupNormalization": Subject(lambda room: room.GroupNormalization(8)),
    "LSTM": Subject(lambda room: room.LSTM(UNITS, return_sequences=True)),
    "LSTM last step": Subject(lambda room: room.LSTM(UNITS)),
    "LSTMCell": Subject(lambda room: room.LSTMCell(UNITS), (VECTORS, [STATE, STATE])),
    "LayerNormalization": Subject(lambda room: room.LayerNormalization()),
    "LeakyReLU": Subject(lambda room: room.LeakyReLU()),
    "Masking": Subject(lambda room: room.Masking()),
    "MaxPooling1D": Subject(lambda room: room.MaxPooling1D(2)),
    "MaxPooling2D": Subject(lambda room: room.MaxPooling2D(2), (IMAGES,)),
    "Maximum": Subject(lambda room: room.Maximum(), TWO),
    "Minimum": Subject(lambda room: room.Minimum(), TWO),
    "MultiHeadAttention": Subject(
        lambda room: room.MultiHeadAttention(4, 16), (SEQUENCES, SEQUENCES)
    ),
    "Multiply": Subject(lambda room: room.Multiply(), TWO),
    "PReLU": Subject(lambda room: room.PReLU(shared_axes=[1])),
    "Permute": Subject(lambda room: room.Permute((2, 1))),
    "RMSNormalization": Subject(lambda room: room.RMSNormalization()),
    "RNN of stacked LSTM": Subject(
        lambda room: room.RNN(
            room.StackedRNNCells([room.LSTMCell(UNITS), room.LSTMCell(UNITS)]),
            return_sequences=True,
        )
    ),
    "ReLU": Subject(lambda room: room.ReLU(max_value=6.0)),
    "RepeatVector": Subject(lambda room: room.RepeatVector(STEPS), (VECTORS,)),
    "Reshape": Subject(lambda room: room.Reshape((FEATURES, STEPS))),
    "SeparableConv1D": Subject(lambda room: room.SeparableConv1D(UNITS, 3, padding="same")),
    "SimpleRNN": Subject(lambda room: room.SimpleRNN(UNITS, return_sequences=True)),
    "SimpleRNNCell": Subject(lambda room: room.SimpleRNNCell(UNITS), (VECTORS, [STATE])),
    "Softmax": Subject(lambda room: room.Softmax()),
    "Subtract": Subject(lambda room: room.Subtract(), TWO),
    "TimeDistributed Dense": Subject(lambda room: room.TimeDistributed(room.Dense(UNITS))),
    "TimeDistributed Conv2D": Subject(
        lambda room: room.TimeDistributed(room.Conv2D(8, 3, strides=2)), (FRAMES,)
    ),
    "TimeDistributed LSTM": Subject(
        lambda room: room.TimeDistributed(room.LSTM(UNITS)), (CHARACTERS,)
    ),
    "UnitNormalization": Subject(lambda room: room.UnitNormalization()),
    "UpSampling1D": Subject(lambda room: room.UpSampling1D(2)),
    "ZeroPadding1D": Subject(lambda room: room.ZeroPadding1D(2)),
}


def _arrays(subject: Subject) -> list[Any]:
    random = np.random.default_rng(0)

    def array(shape: Any) -> Any:
        if isinstance(shape, list):
            return [array(one) for one in shape]
        if subject.ids:
            return random.integers(0, VOCABULARY, shape).astype("int32")
        return random.normal(size=shape).astype("float32")

    return [array(shape) for shape in subject.shapes]


def _weights(layer: Any) -> None:
    """The same weights in both libraries; positive, as variances must be."""
    random = np.random.default_rng(1)
    shapes = [weight.shape for weight in layer.weights]
    layer.set_weights([0.1 * np.abs(random.normal(size=shape)) + 0.05 for shape in shapes])


def _compiled(
    run: Callable[[Any, Any], Any], weights: Any, arrays: list[Any], sizes: Sizes, ids: bool
) -> Work:
    """The work of one call, compiled: the outputs, or the gradients of their sum of squares."""
    import jax
    import jax.numpy as jnp

    def loss(weights: Any, inputs: Any) -> Any:
        given = arrays if ids else inputs
        return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(run(weights, given)))

    arrays = jax.tree.map(jnp.asarray, arrays)
    if sizes["pass"] == "forward":
        program = jax.jit(run)
    else:
        wanted = 0 if ids else (0, 1)
        program = jax.jit(jax.grad(loss, wanted))
    wait: Any = jax.block_until_ready
    return lambda: jax.tree.leaves(wait(program(weights, arrays)))


def ours(sizes: Sizes) -> Work:
    """The layer as everystep has it."""
    import jax

    from everystep import layers
    from everystep.layers.apply import apply, weights_of
    from everystep.sequences import Steps

    def values(output: Any) -> Any:
        return output.values if isinstance(output, Steps) else output

    subject = SUBJECTS[str(sizes["layer"])]
    layer, arrays = subject.make(layers), _arrays(subject)
    layer(*arrays)
    _weights(layer)
    held = weights_of(layer)
    trained = [variable.path for variable in layer.trainable_weights]
    names = layer.call_signature.places[1:]

    def run(weights: Any, inputs: Any) -> Any:
        given = held | dict(zip(trained, weights, strict=True))
        further = dict(zip(names, inputs[1:], strict=False))
        outputs = apply(layer, given, inputs[0], training=subject.training, **further)[0]
        return jax.tree.map(values, outputs, is_leaf=lambda leaf: isinstance(leaf, Steps))

    return _compiled(run, [held[path] for path in trained], arrays, sizes, subject.ids)


def theirs(sizes: Sizes) -> Work:
    """The layer as Keras has it."""
    from keras import layers

    subject = SUBJECTS[str(sizes["layer"])]
    layer, arrays = subject.make(layers), _arrays(subject)
    layer(*arrays)
    _weights(layer)
    fixed = [variable.value for variable in layer.non_trainable_variables]
    mode = {"training": True} if subject.training else {}

    def run(weights: Any, inputs: Any) -> Any:
        return layer.stateless_call(weights, fixed, *inputs, **mode)[0]

    weights = [variable.value for variable in layer.trainable_variables]
    return _compiled(run, weights, arrays, sizes, subject.ids)


QUESTION = Question(
    name="catalogue",
    text=__doc__,
    peers=(
        Peer("everystep", "benchmarks.catalogue:ours"),
        Peer("Keras on JAX", "benchmarks.catalogue:theirs", {"KERAS_BACKEND": "jax"}, ("keras",)),
    ),
    cases=tuple(
        {"layer": name, "pass": done} for name in SUBJECTS for done in ("forward", "gradients")
    ),
    together=True,
    quick={"layer": "Dense"},
)
