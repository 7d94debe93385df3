"""How many real steps a second does a tagger learn from, on sentences of real lengths?

The sentences are English web text, in random order or in pools that are sorted by length, which
costs randomness. Every peer gets its fastest way: torch and Keras pad each batch to its longest
sentence and leave padding out of the loss, not out of the layer, since the outputs of real steps do
not depend on what is behind them; ours packs sentences in random order into rows, always.
"""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import _torch
from benchmarks._peers import keras as keras_peers
from benchmarks._peers import ours
from benchmarks._question import Peer, Question, Sizes, Work
from benchmarks._taggers import Array, Tagger, keras_like, torch_parts

CORPUS = Path(__file__).parents[2] / "shared/data/UD_English-EWT/en_ewt-ud-train.conllu"
# Batches of a pool that is sorted by length.
POOL = 50
# JAX compiles a program for each length, so there lengths are rounded up to a multiple of this.
ROUNDED = 16
IGNORED = -100


class Sentence(NamedTuple):
    """The ids of words, and of the parts of speech that they are."""

    words: Array
    tags: Array


@cache
def corpus(vocabulary: int) -> list[Sentence]:
    """All sentences; words beyond the most frequent ones share an id, and 0 is for padding."""
    rows = [
        [line.split("\t") for line in block.splitlines() if line[:1].isdigit()]
        for block in CORPUS.read_text(encoding="utf-8").split("\n\n")
    ]
    # A range of words such as "1-2", or a word that is only implied, "1.1", is no step.
    sentences = [[row for row in block if row[0].isdigit()] for block in rows]
    words, counts = np.unique(
        [row[1].lower() for block in sentences for row in block], return_counts=True
    )
    frequent = words[np.argsort(-counts, kind="stable")[: vocabulary - 2]]
    number = {word: place for place, word in enumerate(frequent, 2)}
    tags = {tag: place for place, tag in enumerate(sorted({r[3] for b in sentences for r in b}))}
    return [
        Sentence(
            np.array([number.get(row[1].lower(), 1) for row in block], "int32"),
            np.array([tags[row[3]] for row in block], "int32"),
        )
        for block in sentences
        if block
    ]


@cache
def _chosen(vocabulary: int, count: int) -> list[Sentence]:
    everything = corpus(vocabulary)
    places = np.random.default_rng(0).permutation(len(everything))[:count]
    return [everything[place] for place in places]


def sentences(sizes: Sizes) -> list[Sentence]:
    """The sentences of a case, in random order."""
    return _chosen(int(sizes["vocabulary"]), int(sizes["sentences"]))


def real_steps(sizes: Sizes) -> float:
    """How many steps one run learns from."""
    return float(sum(len(sentence.words) for sentence in sentences(sizes)))


def flops(sizes: Sizes) -> float:
    """Of the products that real steps need."""
    return Tagger.of(sizes).flops(real_steps(sizes), training=True)


def batches(sizes: Sizes, random: np.random.Generator) -> Iterator[list[Sentence]]:
    """An epoch of batches: in random order, or sorted within pools, these batches shuffled."""
    given, size = sentences(sizes), int(sizes["batch"])
    order = random.permutation(len(given))
    pool = POOL * size if sizes["order"] == "sorted" else len(given)
    groups = []
    for first in range(0, len(given), pool):
        part = order[first : first + pool]
        if sizes["order"] == "sorted":
            part = np.array(sorted(part, key=lambda place: len(given[place].words)))
        groups += [part[start : start + size] for start in range(0, len(part), size)]
    for turn in random.permutation(len(groups)):
        yield [given[place] for place in groups[turn]]


def padded(batch: list[Sentence], multiple: int = 1) -> tuple[Array, Array]:
    """Words and tags as arrays, padded at the end: words by 0, tags by `IGNORED`."""
    longest = max(len(sentence.words) for sentence in batch)
    shape = len(batch), -(-longest // multiple) * multiple
    words, tags = np.zeros(shape, "int32"), np.full(shape, IGNORED, "int32")
    for row, sentence in enumerate(batch):
        words[row, : len(sentence.words)] = sentence.words
        tags[row, : len(sentence.tags)] = sentence.tags
    return words, tags


def _work(train: Callable[[], None], before: list[Array]) -> Work:
    """Training as it goes on; what is compared is what the first weights said, real steps alone."""
    return Work(train, comparable=lambda _: np.concatenate([each.ravel() for each in before]))


def everystep(sizes: Sizes) -> Work:
    """Ours: `fit` gets a list of sentences, and everything else is its own."""
    import everystep as library

    model = keras_like(library, Tagger.of(sizes))
    given = sentences(sizes)
    words, tags = ([sentence[part] for sentence in given] for part in (0, 1))
    before = model.predict(words[: int(sizes["batch"])], verbose=0)

    def train() -> None:
        model.fit(words, tags, batch_size=int(sizes["batch"]), epochs=1, verbose=0)

    return _work(train, before)


def _real(outputs: Array, batch: list[Sentence]) -> list[Array]:
    return [row[: len(sentence.words)] for row, sentence in zip(outputs, batch, strict=True)]


def keras(sizes: Sizes) -> Work:
    """Keras, with padded batches in which padding has no weight."""
    import keras as library

    model = keras_like(library, Tagger.of(sizes))
    multiple = ROUNDED if library.backend.backend() == "jax" else 1
    random = np.random.default_rng(0)
    first = sentences(sizes)[: int(sizes["batch"])]
    before = _real(model.predict_on_batch(padded(first, multiple)[0]), first)

    def train() -> None:
        for batch in batches(sizes, random):
            words, tags = padded(batch, multiple)
            real = tags != IGNORED
            model.train_on_batch(words, np.where(real, tags, 0), real.astype("float32"))

    return _work(train, before)


def torch(sizes: Sizes) -> Work:
    """torch, with padded batches or a `PackedSequence`."""
    import torch as library
    from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

    (embedding, lstm, dense), optimizer = torch_parts(Tagger.of(sizes))
    measure = library.nn.CrossEntropyLoss(ignore_index=IGNORED)
    random = np.random.default_rng(0)

    def outputs(batch: list[Sentence]) -> tuple[Any, Any]:
        if sizes["way"] == "padded":
            words, tags = map(_torch.tensor, padded(batch))
            return dense(lstm(embedding(words))[0]).flatten(0, 1), tags.flatten().long()
        # Longest first, as a PackedSequence wants it; the loss does not mind the order.
        batch = sorted(batch, key=lambda sentence: -len(sentence.words))
        rows = [_torch.tensor(sentence.words) for sentence in batch]
        tags = pack_sequence([_torch.tensor(sentence.tags) for sentence in batch]).data
        packed = pack_sequence(rows)
        vectors = packed._replace(data=embedding(packed.data))
        return dense(lstm(vectors)[0].data), tags.long()

    def train() -> None:
        for batch in batches(sizes, random):
            optimizer.zero_grad()
            measure(*outputs(batch)).backward()
            optimizer.step()

    def first() -> list[Array]:
        batch = sentences(sizes)[: int(sizes["batch"])]
        rows = [_torch.tensor(sentence.words) for sentence in batch]
        with library.no_grad():
            if sizes["way"] == "padded":
                words = _torch.tensor(padded(batch)[0])
                return _real(_torch.array(dense(lstm(embedding(words))[0])), batch)
            packed = pack_sequence(rows, enforce_sorted=False)
            made = lstm(packed._replace(data=embedding(packed.data)))[0]
            made = made._replace(data=dense(made.data))
            return _real(_torch.array(pad_packed_sequence(made, batch_first=True)[0]), batch)

    return _work(train, first())


def _needs() -> str:
    return "" if CORPUS.exists() else f"the corpus is not at {CORPUS}"


TORCH = "benchmarks.ragged:torch"

QUESTION = Question(
    name="ragged",
    text=__doc__.partition("\n")[0],
    peers=(
        *ours("benchmarks.ragged:everystep"),
        Peer("torch padded", TORCH, requires=("torch",), settings={"way": "padded"}),
        Peer("torch packed", TORCH, requires=("torch",), settings={"way": "packed"}),
        *keras_peers("benchmarks.ragged:keras"),
    ),
    cases=tuple(
        {
            "order": order,
            "sentences": 800,
            "batch": 32,
            "vocabulary": 10_000,
            "features": 128,
            "units": 256,
            "labels": 17,
        }
        for order in ("random", "sorted")
    ),
    flops=flops,
    amount=real_steps,
    unit="real steps",
    warm=False,
    quick={"sentences": 20, "batch": 4, "vocabulary": 50, "features": 4, "units": 8},
    needs=_needs,
)
