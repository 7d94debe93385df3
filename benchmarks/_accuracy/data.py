"""What users of libraries without taggers write first: text to numbers, and padded batches."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks._question import Sizes

Array = npt.NDArray[Any]
Tokens = list[tuple[str, str]]
UNKNOWN = 1
POOL = 50
"""How many batches are sorted by length together, so that a batch has little padding."""
NO_TAG = -1


class Sentence(NamedTuple):
    """Which spelling each step has, and its label."""

    kinds: Array
    tags: Array


@dataclass(frozen=True)
class Corpus:
    """Sentences as numbers; 0 is padding everywhere.

    Args:
        train: sentences to learn from.
        dev: sentences to measure on.
        words: the id of each spelling's word.
        counts: how often training has it.
        spellings: the ids of each spelling's characters.
        ids: how many words, characters and labels there are.
    """

    train: list[Sentence]
    dev: list[Sentence]
    words: Array
    counts: Array
    spellings: Array
    ids: tuple[int, int, int]

    @classmethod
    def read(cls, sizes: Sizes) -> "Corpus":
        """Read the files of a case."""
        train, dev = (read(path, int(sizes["sentences"])) for path in paths(sizes))
        return cls.of(train, dev, int(sizes["spelling"]))

    @classmethod
    def of(cls, train: list[Tokens], dev: list[Tokens], spelling: int) -> "Corpus":
        """Number everything that training has."""
        seen = [token for sentence in train for token, _ in sentence]
        words, counts = _numbered(map(_word, seen))
        characters, _ = _numbered(character for token in seen for character in token)
        labels = {tag: id for id, tag in enumerate(sorted({t for s in train for _, t in s}))}
        kinds: dict[str, int] = {}
        for sentence in (*train, *dev):
            for token, _ in sentence:
                kinds.setdefault(token, len(kinds) + 1)
        table = np.zeros((len(kinds) + 1, spelling), "int32")
        for token, kind in kinds.items():
            ids = [characters.get(each, UNKNOWN) for each in _shortened(token, spelling)]
            table[kind, : len(ids)] = ids

        def sentences(given: list[Tokens]) -> list[Sentence]:
            return [
                Sentence(
                    np.array([kinds[token] for token, _ in sentence], "int32"),
                    np.array([labels.get(tag, NO_TAG) for _, tag in sentence], "int32"),
                )
                for sentence in given
            ]

        return cls(
            sentences(train),
            sentences(dev),
            np.array([0, *(words.get(_word(token), UNKNOWN) for token in kinds)], "int32"),
            np.array([0, *(counts[_word(token)] for token in kinds)]),
            table,
            (len(words) + 2, len(characters) + 2, len(labels)),
        )

    def epoch(self, batch: int, random: np.random.Generator) -> Iterator[list[Sentence]]:
        """Batches to learn from, sorted within pools, in random order."""
        order = random.permutation(len(self.train))
        pools = [
            order[first : first + POOL * batch] for first in range(0, len(order), POOL * batch)
        ]
        batches = [group for pool in pools for group in self._by_length(self.train, pool, batch)]
        for turn in random.permutation(len(batches)):
            yield batches[turn]

    def measured(self, batch: int) -> list[list[Sentence]]:
        """Batches of dev, sorted by length."""
        return list(self._by_length(self.dev, np.arange(len(self.dev)), batch))

    @staticmethod
    def _by_length(sentences: list[Sentence], chosen: Array, batch: int) -> Iterator[Any]:
        order = sorted(chosen, key=lambda place: len(sentences[place].kinds))
        for first in range(0, len(order), batch):
            yield [sentences[place] for place in order[first : first + batch]]

    def dropped(self, kinds: Array, random: np.random.Generator) -> Array:
        """The words of spellings, those that training has n times unknown with 1 / (1 + n)."""
        chances = 1.0 / (1.0 + self.counts[kinds])
        words = self.words[kinds]
        return np.where((random.random(kinds.shape) < chances) & (kinds != 0), UNKNOWN, words)


def padded(batch: list[Sentence], rows: int, length: int) -> Sentence:
    """One array of spellings and one of labels, (rows, length), padded at the end."""
    made = Sentence(np.zeros((rows, length), "int32"), np.full((rows, length), NO_TAG, "int32"))
    for row, sentence in enumerate(batch):
        made.kinds[row, : len(sentence.kinds)] = sentence.kinds
        made.tags[row, : len(sentence.tags)] = sentence.tags
    return made


def accuracy(
    corpus: Corpus, batch: int, label: Callable[[list[Sentence]], tuple[Array, Array]]
) -> float:
    """The share of dev's steps that get their label.

    Args:
        corpus: where dev is.
        batch: how many sentences are labelled at once.
        label: gives for a batch what was found and what is right, of real steps.
    """
    right = [found == wanted for found, wanted in map(label, corpus.measured(batch))]
    return float(np.concatenate(right).mean())


def paths(sizes: Sizes) -> tuple[Path, Path]:
    """Where train and dev are."""
    folder = Path(__file__).parents[2] / str(sizes["corpus"])
    return folder / "en_ewt-ud-train.conllu", folder / "en_ewt-ud-dev.conllu"


def read(path: Path, most: int) -> list[Tokens]:
    """The tokens of a file of CoNLL-U, each with its part of speech."""
    blocks = path.read_text(encoding="utf-8").split("\n\n")[:most]
    rows = [[line.split("\t") for line in block.split("\n")] for block in blocks]
    # A range of words such as "1-2", or a word that is only implied, "1.1", is no step.
    found = [[(row[1], row[3]) for row in block if row[0].isdigit()] for block in rows]
    return [sentence for sentence in found if sentence]


def _numbered(texts: Iterable[str]) -> tuple[dict[str, int], Counter[str]]:
    """Ids from 2 on, the most frequent first, and how often each is there."""
    counts = Counter(texts)
    order = sorted(counts, key=lambda text: (-counts[text], text))
    return {text: id for id, text in enumerate(order, UNKNOWN + 1)}, counts


def _word(token: str) -> str:
    return re.sub(r"\d", "0", token.lower())


def _shortened(token: str, most: int) -> str:
    first = most // 2
    return token if len(token) <= most else token[:first] + token[first - most :]
