"""How well a tagger labels sentences, once and while it is trained."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from everystep.callbacks import Callback
from everystep.callbacks.base import Logs, say
from everystep.corpora.sentences import Sentence
from everystep.tagging.features import Features
from everystep.tagging.model import TaggerModel
from everystep.tagging.scores import Scores


def evaluate(model: TaggerModel, sentences: Iterable[Sentence]) -> dict[str, Any]:
    """Return how well a model labels sentences: the figures of `Scores`."""
    scores = Scores(known=_Known(model.features))
    waiting: deque[Sentence] = deque()

    def tokens() -> Iterator[tuple[str, ...]]:
        for sentence in sentences:
            waiting.append(sentence)
            yield sentence.tokens

    for predicted in model.label(tokens()):
        sentence = waiting.popleft()
        scores.add(sentence.labels or (), predicted, sentence.tokens)
    return dict(scores.figures())


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
