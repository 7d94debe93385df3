"""Keras 3, on the backend that its process was given: masked batches of few lengths, through `fit`.

`TimeDistributed` makes one program of as many layers as words, or maps over them; the fastest way
is to fold words into the batch axis by hand, which is what is done unless the case says otherwise.
"""

from typing import Any

import numpy as np

from benchmarks._accuracy import data
from benchmarks._accuracy.clock import Clock
from benchmarks._accuracy.data import NO_TAG, Array, Corpus, Sentence
from benchmarks._question import Sizes

LENGTHS = (8, 16, 24, 32, 48, 64, 96, 160, 320)
"""Lengths of rows where each new one is compiled; torch, which compiles nothing, has all."""


def train(sizes: Sizes, clock: Clock) -> None:
    """Train with Adam, whose rate falls to zero in a straight line."""
    import keras

    corpus = Corpus.read(sizes)
    keras.utils.set_random_seed(1)
    model, batch = model_of(sizes, corpus.ids), int(sizes["batch_size"])
    batches = _training(corpus, batch)
    steps = int(sizes["epochs"]) * len(batches)
    rate = keras.optimizers.schedules.PolynomialDecay(4e-3, steps, 0.0)
    model.compile(
        keras.optimizers.Adam(rate, global_clipnorm=5.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )

    def labelled(sentences: list[Sentence]) -> tuple[Array, Array]:
        inputs, tags = _inputs(corpus, sentences, batch)
        found = np.asarray(model.predict_on_batch(inputs)).argmax(-1)
        real = np.arange(tags.shape[1]) < [[len(s.kinds)] for s in sentences]
        return found[: len(sentences)][real], tags[: len(sentences)][real]

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            clock.step()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            clock.epoch(data.accuracy(corpus, batch, labelled))

    model.fit(batches, epochs=int(sizes["epochs"]), callbacks=[Watch()], verbose=0)


def model_of(sizes: Sizes, ids: tuple[int, int, int]) -> Any:
    """The model: words and their characters to scores of labels."""
    import keras
    from keras import layers

    def both(units: int, **rest: Any) -> Any:
        return layers.Bidirectional(layers.LSTM(units, **rest))

    word_ids, character_ids, labels = ids
    spelling = int(sizes["spelling"])
    words = keras.Input((None,), dtype="int32", name="words")
    characters = keras.Input((None, spelling), dtype="int32", name="characters")
    speller = keras.Sequential(
        [
            keras.Input((spelling,), dtype="int32"),
            layers.Embedding(character_ids, int(sizes["character_embedding"]), mask_zero=True),
            both(int(sizes["character_units"])),
        ]
    )
    wrapped = layers.TimeDistributed if sizes.get("way") == "wrapped" else _folded()
    vectors = layers.Embedding(word_ids, int(sizes["embedding"]))(words)
    steps = layers.Concatenate()([vectors, wrapped(speller)(characters)])
    reader = both(int(sizes["units"]), return_sequences=True)
    # The mask of the words ends where they meet characters, which have none here.
    read = reader(layers.Dropout(0.5)(steps), mask=keras.ops.not_equal(words, 0))
    return keras.Model([words, characters], layers.Dense(labels)(layers.Dropout(0.5)(read)))


def _folded() -> Any:
    """A wrapper that calls its layer on the words of all sentences at once."""
    import keras
    from keras import ops

    class Folded(keras.layers.Wrapper):  # type: ignore[misc]
        def build(self, input_shape: Any) -> None:
            super().build((None, *input_shape[2:]))

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (*input_shape[:2], self.layer.compute_output_shape((None, input_shape[2]))[-1])

        def call(self, inputs: Any) -> Any:
            rows, length, size = ops.shape(inputs)
            found = self.layer(ops.reshape(inputs, (rows * length, size)))
            return ops.reshape(found, (rows, length, found.shape[-1]))

    return Folded


def _training(corpus: Corpus, batch: int) -> Any:
    """The batches of each epoch by number, as `fit` wants them."""
    import keras

    random = np.random.default_rng(1)

    class Training(keras.utils.PyDataset):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.on_epoch_end()

        def __len__(self) -> int:
            return len(self.groups)

        def __getitem__(self, number: int) -> Any:
            (words, characters), tags = _inputs(corpus, self.groups[number], batch, random)
            # The mask that the scores carry keeps padding out of the loss.
            return (words, characters), np.where(tags == NO_TAG, 0, tags)

        def on_epoch_end(self) -> None:
            self.groups = list(corpus.epoch(batch, random))

    return Training()


def _inputs(
    corpus: Corpus, sentences: list[Sentence], rows: int, random: np.random.Generator | None = None
) -> tuple[list[Array], Array]:
    """The ids of words and characters, and the labels; words are dropped in training alone."""
    import keras

    longest = max(len(sentence.kinds) for sentence in sentences)
    if keras.backend.backend() != "torch":
        longest = next(length for length in LENGTHS if length >= longest)
    kinds, tags = data.padded(sentences, rows, longest)
    words = corpus.words[kinds] if random is None else corpus.dropped(kinds, random)
    return [words, corpus.spellings[kinds]], tags
