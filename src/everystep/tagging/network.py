"""The network of a tagger: words and their characters in, a score for each label at each step out.

Each distinct spelling of a batch is read once, character by character, and handed to every step
that has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from everystep.layers import (
    CRF,
    GRU,
    LSTM,
    Add,
    Bidirectional,
    Concatenate,
    Conv1D,
    Dense,
    Dropout,
    Embedding,
    GlobalMaxPooling1D,
    Layer,
    LayerNormalization,
    MultiHeadAttention,
    TimeDistributed,
    forbidden_transitions,
    symbolic,
)
from everystep.models import Model, Sequential
from everystep.sequences import Steps
from everystep.tagging.pretrained import Pretrained
from everystep.tagging.settings import Settings

WINDOW = 3
"""How many steps, or characters, a convolution reads at once."""
SPREADS = 4
"""After how many dilated convolutions their windows start close together again."""
HEADS = 4
"""How many heads attention has."""


class Network(Model):
    """Words and spellings to a score for each label.

    Shapes: a dict of `words` (rows, steps), `Steps` of ids in packed rows; `spellings`
    (rows, kinds a row, characters), the ids of the characters of each distinct word, in rows only
    so that a batch has one number of rows; `places` (rows, steps), which of these, counted
    through all rows, each step has; and `pretrained` (rows, steps), the ids of words among those
    of a file, where there was one. Out come `Steps` (rows, steps, labels), in which the label of a
    step is the largest.

    Args:
        settings: the sizes.
        words: how many ids of words there are.
        characters: how many ids of characters there are.
        labels: the labels.
        crf: whether a conditional random field scores whole sequences of labels.
        scheme: the scheme of entities whose rules it keeps, or None.
        pretrained: the words that have a vector from a file, or None.
    """

    def __init__(
        self,
        settings: Settings,
        words: int,
        characters: int,
        labels: Sequence[str],
        crf: bool = False,
        scheme: str | None = None,
        pretrained: Pretrained | None = None,
    ) -> None:
        super().__init__(name="tagger")
        self.word_vectors = Embedding(words, settings.embedding, name="word_vectors")
        self.pretrained = None if pretrained is None else table_of(settings, pretrained)
        self.speller = speller(settings, characters)
        self.joined = Concatenate(name="joined")
        self.entry = Dropout(settings.dropout, name="entry")
        self.readers = [reader(settings, number) for number in range(settings.layers)]
        self.scores = Dense(len(labels), name="scores")
        forbidden = None if scheme is None else forbidden_transitions(labels, scheme)
        self.crf = CRF(len(labels), forbidden, name="crf") if crf else None

    @property
    def input_dtype(self) -> str:
        """Ids are integers."""
        return "int32"

    def call(self, inputs: Any) -> Any:
        """Return scores of all labels at each step; of a random field, one for its labels."""
        scores = self.scored(inputs)
        return scores if self.crf is None else self.crf(scores)

    def likely(self, inputs: Any) -> Any:
        """Return what `call` gives, and behind it in the last axis how likely each label is."""
        scores = self.scored(inputs)
        if self.crf is None:
            decided, likely = scores, jax.nn.softmax(scores.values)
        else:
            decided, likely = self.crf(scores), self.crf.chain(scores).marginals()
        return scores.with_values(jnp.concatenate([decided.values, likely], axis=-1))

    def scored(self, inputs: Any) -> Any:
        """Return the score of each label at each step by itself."""
        words = inputs["words"]
        parts = [self.word_vectors(words)]
        if self.pretrained is not None:
            parts.append(self.pretrained(words.with_values(inputs["pretrained"])))
        if self.speller is not None:
            spelled = self.speller(inputs["spellings"]).values
            table = spelled.reshape(-1, spelled.shape[-1])
            parts.append(words.with_values(table[inputs["places"]]))
        steps = self.entry(parts[0] if len(parts) == 1 else self.joined(parts))
        for layer in self.readers:
            steps = layer(steps)
        return self.scores(steps)


class Likelihoods(Model):
    """What a network gives by `likely`; the weights are the network's.

    Args:
        network: the network.
    """

    def __init__(self, network: Network) -> None:
        super().__init__(name="likelihoods")
        self.network = network

    @property
    def input_dtype(self) -> str:
        """Ids are integers."""
        return "int32"

    def call(self, inputs: Any) -> Any:
        """Return what the network's `likely` gives."""
        return self.network.likely(inputs)


def table_of(settings: Settings, pretrained: Pretrained) -> Embedding:
    """Return the table of the vectors of a file."""
    return Embedding(
        len(pretrained.words),
        pretrained.size,
        embeddings_initializer="zeros",
        trainable=settings.train_vectors,
        name="pretrained",
    )


def speller(settings: Settings, characters: int) -> Sequential | None:
    """Return what reads the characters of words, or None where nothing does."""
    readers: dict[str, Any] = {
        "lstm": lambda: Bidirectional(LSTM(settings.character_units, name="lstm"), name="reader"),
        "cnn": lambda: Sequential(
            [
                Conv1D(
                    2 * settings.character_units,
                    WINDOW,
                    padding="same",
                    activation="relu",
                    name="window",
                ),
                GlobalMaxPooling1D(),
            ],
            name="reader",
        ),
    }
    if settings.characters == "none":
        return None
    return Sequential(
        [
            Embedding(characters, settings.character_embedding, mask_zero=True, name="vectors"),
            TimeDistributed(readers[settings.characters](), name="each"),
        ],
        name="speller",
    )


def reader(settings: Settings, number: int) -> Layer:
    """Return one of the layers that read a sentence, dropout after it included."""
    recurrent = {"lstm": LSTM, "gru": GRU}
    if settings.encoder in recurrent:
        made = recurrent[settings.encoder](
            settings.units, return_sequences=True, name=settings.encoder
        )
        parts: list[Layer] = [Bidirectional(made, name="both"), Dropout(settings.dropout)]
        return Sequential(parts, name=f"reader_{number}")
    block = {"convolution": Dilated, "attention": Attentive}[settings.encoder]
    return block(settings, number)


class Dilated(Layer):
    """A convolution whose window spreads with the number of the layer, around which steps pass.

    Equation: `y = norm(project(x) + dropout(conv(x)))`, the window's steps `2**number` apart.
    """

    composite = True

    def __init__(self, settings: Settings, number: int) -> None:
        super().__init__(name=f"reader_{number}")
        features = 2 * settings.units
        self.window = Conv1D(
            features,
            WINDOW,
            padding="same",
            activation="relu",
            dilation_rate=2 ** (number % SPREADS),
            name="window",
        )
        self.project = Dense(features, use_bias=False, name="project")
        self.dropout = Dropout(settings.dropout)
        self.norm = LayerNormalization(name="norm")
        self.add = Add()

    def call(self, inputs: Any) -> Any:
        """Return what the window shows, added to the step itself."""
        return self.norm(self.add([self.project(inputs), self.dropout(self.window(inputs))]))


class Attentive(Layer):
    """Self-attention on top of a short convolution, which alone knows the order of steps.

    Equation: `y = norm(x' + dropout(attend(x')))` with `x'` what `Dilated` gives for `x`.
    """

    composite = True

    def __init__(self, settings: Settings, number: int) -> None:
        super().__init__(name=f"reader_{number}")
        size = -(-2 * settings.units // HEADS)
        self.near = Dilated(settings, number)
        self.attend = MultiHeadAttention(
            HEADS, size, output_shape=2 * settings.units, name="attend"
        )
        self.dropout = Dropout(settings.dropout)
        self.norm = LayerNormalization(name="norm")
        self.add = Add()

    def call(self, inputs: Any) -> Any:
        """Return what a step finds in all steps of its sentence, added to the step itself."""
        near = self.near(inputs)
        return self.norm(self.add([near, self.dropout(self.attend(near, near))]))


def build(network: Model, spelling: int, pretrained: bool) -> None:
    """Make the weights of a network, by running it on shapes alone."""

    def ids(*shape: int) -> Any:
        return symbolic.struct(shape, "int32")

    words = Steps(ids(2, 5), ids(2, 5), packed=True)
    given = {"words": words, "spellings": ids(2, 3, spelling), "places": ids(2, 5)}
    if pretrained:
        given["pretrained"] = ids(2, 5)
    symbolic.trace_specs(network, given)
