"""What a tagger is once it is trained: features, labels and the network between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

import numpy as np
import numpy.typing as npt

from everystep.corpora.vocabulary import Vocabulary
from everystep.sequences import gather_back
from everystep.tagging.batches import Rows, prediction_batches
from everystep.tagging.features import Features
from everystep.tagging.network import Network, build
from everystep.tagging.settings import Settings

CHUNK = 1024
"""How many sentences are encoded at once, so that memory does not grow with their number."""


@dataclass(frozen=True)
class TaggerModel:
    """Features, labels and the network between them, which labels sentences.

    Args:
        settings: the sizes.
        features: from text to numbers.
        labels: the labels by their ids.
        rows: the shape of batches when it labels.
    """

    settings: Settings
    features: Features
    labels: Vocabulary
    rows: Rows
    network: Network = field(init=False)

    def __post_init__(self) -> None:
        sizes = (len(part) for part in (self.features.words, self.features.characters, self.labels))
        network = Network(self.settings, *sizes)
        build(network, self.settings.spelling)
        object.__setattr__(self, "network", network)

    @cached_property
    def _names(self) -> npt.NDArray[np.object_]:
        return np.array(self.labels.entries, dtype=object)

    def label(self, sentences: Iterable[Sequence[str]], chunk: int = CHUNK) -> Iterator[list[str]]:
        """Yield the labels of each sentence."""
        for scores in self.scores(sentences, chunk):
            yield list(self._names[scores.argmax(-1)])

    def probabilities(
        self, sentences: Iterable[Sequence[str]], chunk: int = CHUNK
    ) -> Iterator[npt.NDArray[np.float64]]:
        """Yield how likely each label is at each step of each sentence, (steps, labels)."""
        for scores in self.scores(sentences, chunk):
            shifted = np.exp(
                scores.astype(np.float64) - scores.max(-1, keepdims=True, initial=-np.inf)
            )
            yield shifted / shifted.sum(-1, keepdims=True)

    def scores(
        self, sentences: Iterable[Sequence[str]], chunk: int
    ) -> Iterator[npt.NDArray[np.float32]]:
        """Yield the scores of the labels at each step of each sentence, (steps, labels)."""
        waiting = iter(sentences)
        while some := list(islice(waiting, chunk)):
            encoded = self.features.encode(some)
            outputs, segments = [], []
            for inputs, ids in prediction_batches(encoded, self.rows):
                outputs.append(np.asarray(self.network.predict_on_batch(inputs).values))
                segments.append(ids)
            yield from gather_back(outputs, segments, encoded.kinds.lengths).split()
