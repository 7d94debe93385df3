"""What a tagger is once it is trained: features, labels and the network between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, pairwise

import numpy as np
import numpy.typing as npt

from everystep.corpora.vocabulary import Vocabulary
from everystep.models import Model
from everystep.sequences import Ragged, gather_back
from everystep.tagging.batches import Rows, prediction_batches
from everystep.tagging.constraints import has_entities
from everystep.tagging.features import Features
from everystep.tagging.network import Likelihoods, Network, build
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
        scheme: the scheme of entities whose rules all labels keep, or None.
    """

    settings: Settings
    features: Features
    labels: Vocabulary
    rows: Rows
    scheme: str | None = None
    network: Network = field(init=False)

    def __post_init__(self) -> None:
        features, labels = self.features, self.labels.entries
        sizes = len(features.words), len(features.characters)
        network = Network(
            self.settings, *sizes, labels, self.has_crf, self.scheme, features.pretrained
        )
        self._build(network)
        object.__setattr__(self, "network", network)

    @property
    def has_crf(self) -> bool:
        """Whether a conditional random field scores whole sequences of labels."""
        asked = self.settings.crf
        return has_entities(self.labels.entries) if asked == "auto" else bool(asked)

    @cached_property
    def _likelihoods(self) -> Likelihoods:
        made = Likelihoods(self.network)
        self._build(made)
        return made

    def _build(self, network: Model) -> None:
        build(network, self.settings.spelling, self.features.pretrained is not None)

    @cached_property
    def _names(self) -> npt.NDArray[np.object_]:
        return np.array(self.labels.entries, dtype=object)

    def label(self, sentences: Iterable[Sequence[str]], chunk: int = CHUNK) -> Iterator[list[str]]:
        """Yield the labels of each sentence."""
        for scores in self._outputs(self.network, sentences, chunk):
            yield from self._named(scores)

    def likely(
        self, sentences: Iterable[Sequence[str]], chunk: int = CHUNK
    ) -> Iterator[tuple[list[str], npt.NDArray[np.float32]]]:
        """Yield the labels of each sentence, and how likely each is at each step."""
        count = len(self.labels)
        for found in self._outputs(self._likelihoods, sentences, chunk):
            scores = Ragged(found.values[:, :count], found.offsets)
            likely = Ragged(found.values[:, count:], found.offsets)
            yield from zip(self._named(scores), likely.split(), strict=True)

    def _named(self, scores: Ragged) -> Iterator[list[str]]:
        """Yield the names of the best labels, sentence by sentence."""
        names = self._names[scores.values.argmax(-1)].tolist()
        for first, end in pairwise(scores.offsets.tolist()):
            yield names[first:end]

    def _outputs(
        self, network: Model, sentences: Iterable[Sequence[str]], chunk: int
    ) -> Iterator[Ragged]:
        """Yield what a network gives for some sentences at a time, (steps, ...) for each."""
        waiting = iter(sentences)
        while some := list(islice(waiting, chunk)):
            encoded = self.features.encode(some)
            outputs, segments = [], []
            for inputs, ids in prediction_batches(encoded, self.rows):
                outputs.append(np.asarray(network.predict_on_batch(inputs).values))
                segments.append(ids)
            yield gather_back(outputs, segments, encoded.kinds.lengths)
