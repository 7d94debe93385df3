"""The corpus as text, as ids, and in figures."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Any

import numpy as np

from everystep.cli.demonstration.settings import Settings
from everystep.corpora import (
    ROLES,
    MajorityBaseline,
    SourceCorpus,
    SourceSequence,
    Split,
    Vocabulary,
    majority_baseline,
    read_standard_library,
    score_baseline,
)
from everystep.drawing.report import Baselines, Corpus, Lengths, Part
from everystep.errors import CorpusError

Ids = list[np.ndarray[Any, Any]]

_BAR_WIDTH = 8
"""How many lengths one bar of the histogram counts."""


@dataclass(frozen=True)
class Data:
    """A corpus that is ready to be learned from.

    Args:
        corpus: the sequences as they were read.
        tokens: the ids of tokens.
        roles: the ids of labels.
        baseline: the labels that follow from counting alone.
    """

    corpus: SourceCorpus
    tokens: Vocabulary
    roles: Vocabulary
    baseline: MajorityBaseline

    def pairs(self, split: Split) -> tuple[Ids, Ids]:
        """Return the token ids and the label ids of a part, one array a sequence."""
        return (
            [self.tokens.encode(sequence.symbols) for sequence in split.sequences],
            [self.roles.encode(sequence.roles) for sequence in split.sequences],
        )

    @property
    def test(self) -> tuple[SourceSequence, ...]:
        """The sequences that no model has seen."""
        return self.corpus.test.sequences


def read(settings: Settings) -> Data:
    """Read the corpus, and count what there is to count in its training part.

    Raises:
        CorpusError: there is no source, or so little that a part is empty.
    """
    corpus = read_standard_library(limit=settings.steps, seed=settings.seed, root=settings.root)
    for name in ("train", "dev", "test"):
        if not getattr(corpus, name).steps:
            raise CorpusError(
                f"the {name} part of the corpus is empty: allow more steps than {settings.steps}"
            )
    symbols = [sequence.symbols for sequence in corpus.train.sequences]
    return Data(
        corpus,
        Vocabulary.from_sequences(
            symbols, minimum_count=settings.minimum_count, maximum_size=settings.vocabulary
        ),
        Vocabulary(list(ROLES), reserved=False),
        majority_baseline(symbols, [sequence.roles for sequence in corpus.train.sequences]),
    )


def figures(data: Data, settings: Settings) -> Corpus:
    """Return the figures of a corpus."""
    corpus = data.corpus
    parts = {"train": corpus.train, "dev": corpus.dev, "test": corpus.test}
    unknown = [symbol not in data.tokens for one in data.test for symbol in one.symbols]
    return Corpus(
        name=(
            f"standard library of Python {platform.python_version()}"
            if settings.root is None
            else str(settings.root)
        ),
        parts=[
            Part(name=name, files=len(s.files), sequences=len(s.sequences), steps=s.steps)
            for name, s in parts.items()
        ],
        skipped=len(corpus.skipped),
        labels=len(data.roles),
        vocabulary=len(data.tokens),
        unknown=sum(unknown) / len(unknown),
        lengths=_lengths(corpus.train),
        baselines=_baselines(data),
        test_files=list(corpus.test.files),
    )


def _lengths(split: Split) -> Lengths:
    lengths = np.array([len(sequence) for sequence in split.sequences])
    return Lengths(
        shortest=int(lengths.min()),
        median=int(np.median(lengths)),
        mean=float(lengths.mean()),
        longest=int(lengths.max()),
        counts=np.bincount((lengths - 1) // _BAR_WIDTH).tolist(),
        width=_BAR_WIDTH,
    )


def _baselines(data: Data) -> Baselines:
    score = score_baseline(
        data.baseline,
        [sequence.symbols for sequence in data.test],
        [sequence.roles for sequence in data.test],
    )
    return Baselines(
        majority=score.overall, majority_label=data.baseline.overall, by_token=score.by_symbol
    )
