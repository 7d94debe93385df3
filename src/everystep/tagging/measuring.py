"""How well a tagger labels sentences, once and while it is trained."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from everystep.callbacks import Callback
from everystep.callbacks.base import Logs, say
from everystep.corpora.sentences import Sentence
from everystep.tagging.bootstrap import (
    FIGURES,
    Difference,
    confidence_interval,
    paired_bootstrap,
)
from everystep.tagging.features import Features
from everystep.tagging.model import TaggerModel
from everystep.tagging.scores import Scores, SentenceCounts


class Measured(NamedTuple):
    """How well some sentences were labelled.

    Args:
        figures: the figures of `Scores`.
        counts: what was counted of each sentence, of which intervals and comparisons are made.
    """

    figures: dict[str, Any]
    counts: list[SentenceCounts]

    def intervals(self, samples: int = 1000) -> dict[str, tuple[float, float]]:
        """Return the ends of the 95 % interval of each figure that has one.

        Args:
            samples: how many times the sentences are drawn again.

        Raises:
            SettingError: `samples` is less than 1.
        """
        return {
            name: confidence_interval(self.counts, name, samples=samples)[1:]
            for name in FIGURES
            if self.figures.get(name) is not None
        }

    def against(self, other: Measured, samples: int = 1000) -> dict[str, Difference]:
        """Return how much better these are than others on the same sentences, figure by figure.

        Args:
            other: the same sentences, labelled by another tagger.
            samples: how many times the sentences are drawn again.

        Raises:
            DataError: the sentences are others.
            SettingError: `samples` is less than 1.
        """
        return {
            name: paired_bootstrap(self.counts, other.counts, name, samples=samples)
            for name in FIGURES
            if None not in (self.figures.get(name), other.figures.get(name))
        }


def measure(model: TaggerModel, sentences: Iterable[Sentence]) -> Measured:
    """Return how well a model labels sentences, in all and one by one."""
    scores = Scores(known=_Known(model.features))
    waiting: deque[Sentence] = deque()
    counts = []

    def tokens() -> Iterator[tuple[str, ...]]:
        for sentence in sentences:
            waiting.append(sentence)
            yield sentence.tokens

    for predicted in model.label(tokens()):
        sentence = waiting.popleft()
        counts.append(scores.add(sentence.labels or (), predicted, sentence.tokens))
    return Measured(dict(scores.figures()), counts)


class _Known:
    """The words that training saw, as it looks them up."""

    def __init__(self, features: Features) -> None:
        self._features = features

    def __contains__(self, token: object) -> bool:
        return isinstance(token, str) and self._features.knows(token)


class DevScores(Callback):
    """Measures a tagger on dev after each epoch, for the callbacks that follow to watch.

    Args:
        measure: gives the figures of the model as it is now.
        told: whether to write a line about it.
    """

    def __init__(self, measure: Callable[[], Mapping[str, Any]], told: bool) -> None:
        super().__init__()
        self._measure, self._told = measure, told

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Put the scores into the logs."""
        figures = self._measure()
        found = {
            f"dev_{name}": figures[name]
            for name in ("accuracy", "accuracy_unknown", "entity_f1")
            if figures.get(name) is not None
        }
        if logs is not None:
            logs |= found
        if self._told:
            say(f"Epoch {epoch + 1}: " + ", ".join(f"{n} {v:.4f}" for n, v in found.items()))
