"""Layers and models with their true maps: `drawn` by hand, or said as a formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from everystep import layers
from everystep.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Conv1D,
    Dense,
    Embedding,
    Flatten,
    Input,
    Layer,
    MultiHeadAttention,
    Reshape,
    SimpleRNN,
)
from everystep.models import Model, Sequential
from tests.explanation.case import (
    AFTER,
    ALL,
    BEFORE,
    FEATURES,
    NONE,
    ONE,
    OWN,
    SHAPE,
    STEPS,
    VOCABULARY,
    Case,
    Grid,
    band,
    drawn,
    taking,
    windows,
)

ROW = (1, STEPS)
SENTENCES = (1, 1, 1, 2, 2, 0)


def chain(*parts: Callable[[], Layer]) -> Callable[[], Layer]:
    """Makes a model of layers one after another."""
    return lambda: Sequential([make() for make in parts])


def graph(connect: Callable[..., Any], *shapes: tuple[int, ...]) -> Callable[[], Layer]:
    """Makes a model of what is done to symbols of such shapes."""

    def make() -> Layer:
        inputs = [Input(shape) for shape in shapes or ((STEPS, FEATURES),)]
        return Model(inputs if len(inputs) > 1 else inputs[0], connect(*inputs))

    return make


def dense() -> Layer:
    return Dense(4)


def lstm(**options: Any) -> Callable[[], Layer]:
    return lambda: LSTM(4, **{"return_sequences": True, **options})


def spread(outputs: int, stride: int, width: int) -> Grid:
    """Input step s is read by `width` output steps from `stride * s` on."""
    place = np.arange(outputs)[:, None] - stride * np.arange(STEPS)
    return np.asarray((place >= 0) & (place < width))


def conv(width: int, **options: Any) -> Callable[[], Layer]:
    return lambda: Conv1D(4, width, **options)


def embedding(**options: Any) -> Callable[[], Layer]:
    return lambda: Embedding(VOCABULARY, 4, **options)


def heads(**options: Any) -> Callable[[Any], Any]:
    return lambda inputs: MultiHeadAttention(2, 3)(inputs, inputs, **options)


def causal_groups(inputs: Any) -> Any:
    return layers.GroupQueryAttention(3, 4, 2)(inputs, inputs, use_causal_mask=True)


def additive(inputs: Any) -> Any:
    return layers.AdditiveAttention()([inputs, inputs], use_causal_mask=True)


def twice(make: Callable[[], Layer]) -> Callable[[Any], Any]:
    """Puts one layer upon itself."""

    def connect(inputs: Any) -> Any:
        shared = make()
        return shared(shared(inputs))

    return connect


def between(connect: Callable[[Any, Any], Any]) -> Callable[[], Layer]:
    """Makes a model of two inputs."""
    return graph(connect, (STEPS, FEATURES), (STEPS, FEATURES))


STEPWISE = [
    Case("Dense", dense, OWN),
    Case("TimeDistributed Dense", lambda: layers.TimeDistributed(Dense(4)), OWN),
    Case("PerStep Dense", lambda: layers.PerStep(Dense(4)), OWN),
    Case(
        "flatten, Dense, reshape", chain(Flatten, lambda: Dense(12), lambda: Reshape((6, 2))), ALL
    ),
    Case("Dense, dropout, Dense", chain(dense, lambda: layers.Dropout(0.5), dense), OWN),
    Case("TimeDistributed LSTM", lambda: layers.TimeDistributed(LSTM(4)), OWN, ((1, STEPS, 4, 3),)),
    Case(
        "TimeDistributed Flatten",
        lambda: layers.TimeDistributed(Flatten()),
        OWN,
        ((1, STEPS, 4, 3),),
    ),
    Case("EinsumDense over features", lambda: layers.EinsumDense("btf,fg->btg", (None, 4)), OWN),
    Case(
        "EinsumDense over steps", lambda: layers.EinsumDense("btf,ts->bsf", (STEPS, FEATURES)), ALL
    ),
    Case("LayerNormalization", layers.LayerNormalization, OWN),
    Case("LayerNormalization over steps", lambda: layers.LayerNormalization(axis=1), ALL),
    Case("BatchNormalization", layers.BatchNormalization, OWN),
    Case("GroupNormalization", lambda: layers.GroupNormalization(1), ALL),
    Case("UnitNormalization", layers.UnitNormalization, OWN),
    Case("UnitNormalization over steps", lambda: layers.UnitNormalization(axis=1), ALL),
    Case("Softmax over features", layers.Softmax, OWN),
    Case("Softmax over steps", lambda: layers.Softmax(axis=1), ALL),
    Case("a Dense used twice", graph(twice(lambda: Dense(FEATURES))), OWN),
]

RECURRENT = [
    Case("LSTM", lstm(), BEFORE),
    Case("LSTM backwards", lstm(go_backwards=True), BEFORE[:, ::-1]),
    Case("LSTM last state", lstm(return_sequences=False), ONE, output_axis=None),
    Case(
        "LSTM of packed rows",
        lstm(),
        drawn("x..... xx.... xxx... ...x.. ...xx. ...xx."),
        segments=SENTENCES,
    ),
    Case("LSTM unrolled", lstm(unroll=True), BEFORE),
    Case("GRU", lambda: GRU(4, return_sequences=True), BEFORE),
    Case("GRU, reset before", lambda: GRU(4, return_sequences=True, reset_after=False), BEFORE),
    Case("SimpleRNN", lambda: SimpleRNN(4, return_sequences=True), BEFORE),
    Case(
        "RNN of stacked cells",
        lambda: layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)], return_sequences=True),
        BEFORE,
    ),
    Case("LSTM upon LSTM", chain(lstm(), lstm()), BEFORE),
    Case("LSTM upon LSTM backwards", chain(lstm(), lstm(go_backwards=True)), ALL),
    Case("Bidirectional", lambda: Bidirectional(lstm()()), ALL),
    Case(
        "Bidirectional of two outputs",
        lambda: Bidirectional(lstm()(), merge_mode=None),
        [[BEFORE], [AFTER]],
    ),
    Case(
        "Bidirectional of packed rows",
        lambda: Bidirectional(lstm()()),
        drawn("xxx... xxx... xxx... ...xx. ...xx. ......"),
        segments=SENTENCES,
    ),
    Case(
        "RepeatVector", chain(lstm(return_sequences=False), lambda: layers.RepeatVector(3)), ALL[:3]
    ),
    Case("Masking, LSTM", chain(lambda: layers.Masking(0.0), lstm()), BEFORE),
]

CONVOLUTION = [
    Case("Conv1D causal", conv(3, padding="causal"), band(2, 0)),
    Case(
        "Conv1D causal, dilated",
        conv(2, padding="causal", dilation_rate=2),
        taking(0, 1, 2, 3, 4, 5) | taking(-1, -1, 0, 1, 2, 3),
    ),
    Case("Conv1D same", conv(3, padding="same"), band(1, 1)),
    Case("Conv1D valid", conv(3), windows(4, 1, 3)),
    Case("Conv1D valid, dilated", conv(2, dilation_rate=3), windows(3, 1, 2, 3)),
    Case("Conv1D with strides", conv(3, strides=2, padding="same"), windows(3, 2, 3)),
    Case("Conv1D of width 1", conv(1), OWN),
    Case("Conv1D in groups", lambda: Conv1D(6, 2, groups=3, padding="same"), band(0, 1)),
    Case(
        "Conv1D upon Conv1D",
        graph(twice(lambda: Conv1D(FEATURES, 2, padding="causal"))),
        band(2, 0),
    ),
    Case(
        "nested models",
        chain(chain(conv(2, padding="causal")), chain(conv(2, padding="causal"), dense)),
        band(2, 0),
    ),
    Case("DepthwiseConv1D", lambda: layers.DepthwiseConv1D(3, padding="same"), band(1, 1)),
    Case("SeparableConv1D", lambda: layers.SeparableConv1D(4, 2), windows(5, 1, 2)),
    Case(
        "Conv1DTranspose",
        lambda: layers.Conv1DTranspose(4, 3, strides=2, padding="same"),
        spread(12, 2, 3),
    ),
    Case(
        "Conv1DTranspose with gaps",
        lambda: layers.Conv1DTranspose(4, 2, strides=3),
        spread(18, 3, 2),
    ),
    Case(
        "Conv1D of packed rows",
        conv(2, padding="causal"),
        drawn("x..... xx.... .xx... ...x.. ...xx. ......"),
        segments=SENTENCES,
    ),
]

POOLING = [
    Case("MaxPooling1D", layers.MaxPooling1D, windows(3, 2, 2)),
    Case("MaxPooling1D same", lambda: layers.MaxPooling1D(3, 2, padding="same"), windows(3, 2, 3)),
    Case("AveragePooling1D same", lambda: layers.AveragePooling1D(3, 1, "same"), band(1, 1)),
    Case("AveragePooling1D with gaps", lambda: layers.AveragePooling1D(1, 2), windows(3, 2, 1)),
    Case("GlobalMaxPooling1D", layers.GlobalMaxPooling1D, ONE, output_axis=None),
    Case("GlobalAveragePooling1D", layers.GlobalAveragePooling1D, ONE, output_axis=None),
    Case("Cropping1D", lambda: layers.Cropping1D((1, 2)), taking(1, 2, 3)),
    Case(
        "ZeroPadding1D", lambda: layers.ZeroPadding1D((2, 1)), taking(-1, -1, 0, 1, 2, 3, 4, 5, -1)
    ),
    Case("UpSampling1D", lambda: layers.UpSampling1D(2), np.repeat(OWN, 2, axis=0)),
    Case("Permute", lambda: layers.Permute((2, 1)), ALL[:FEATURES]),
]

ATTENTION = [
    Case("MultiHeadAttention", graph(heads()), ALL),
    Case("MultiHeadAttention causal", graph(heads(use_causal_mask=True)), BEFORE),
    Case("GroupedQueryAttention causal", graph(causal_groups), BEFORE),
    Case(
        "Attention of two inputs",
        between(lambda a, b: layers.Attention()([a, b])),
        [[OWN, ALL]],
        (SHAPE, SHAPE),
    ),
    Case("AdditiveAttention causal", graph(additive), BEFORE),
    Case(
        "Attention of packed rows",
        graph(heads()),
        drawn("xxx... xxx... xxx... ...xx. ...xx. ......"),
        segments=SENTENCES,
    ),
]

IDS = [
    Case("Embedding", embedding(), OWN, (ROW,), ids=True),
    Case(
        "Embedding with padding, Dense",
        chain(embedding(mask_zero=True), dense),
        OWN,
        (ROW,),
        ids=True,
    ),
    Case(
        "Embedding with padding, LSTM",
        chain(embedding(mask_zero=True), lstm()),
        BEFORE,
        (ROW,),
        ids=True,
    ),
    Case(
        "Embedding with padding, attention",
        graph(lambda ids: heads()(embedding(mask_zero=True)()(ids)), (STEPS,)),
        ALL,
        (ROW,),
        ids=True,
    ),
    Case(
        "Embedding with padding, mean",
        chain(embedding(mask_zero=True), layers.GlobalAveragePooling1D),
        ONE,
        (ROW,),
        ids=True,
        output_axis=None,
    ),
]

MERGING = [
    Case(
        "Add of a Dense and an LSTM",
        between(lambda a, b: layers.Add()([dense()(a), lstm()()(b)])),
        [[OWN, BEFORE]],
        (SHAPE, SHAPE),
    ),
    Case(
        "Concatenate along steps",
        between(lambda a, b: layers.Concatenate(axis=1)([a, b])),
        [[np.vstack([OWN, NONE]), np.vstack([NONE, OWN])]],
        (SHAPE, SHAPE),
    ),
    Case(
        "Dot along features",
        between(lambda a, b: layers.Dot(2)([a, b])),
        [[OWN, ALL]],
        (SHAPE, SHAPE),
    ),
    Case(
        "a model of two inputs and two outputs",
        between(lambda a, b: [lstm()()(a), layers.Multiply()([a, b])]),
        [[BEFORE, NONE], [OWN, OWN]],
        (SHAPE, SHAPE),
    ),
    Case(
        "a residual convolution",
        graph(lambda x: x + Conv1D(FEATURES, 2, padding="causal")(x)),
        band(1, 0),
    ),
]

LAYERS = [*STEPWISE, *RECURRENT, *CONVOLUTION, *POOLING, *ATTENTION, *IDS, *MERGING]
