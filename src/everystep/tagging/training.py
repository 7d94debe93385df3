"""The training of a tagger of sentences: from labelled sentences to weights and a record."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from os import PathLike
from typing import Any

from everystep import losses
from everystep.callbacks import Callback
from everystep.core.randomness import seeded
from everystep.corpora.sentences import Sentence
from everystep.corpora.vocabulary import Vocabulary
from everystep.formats import write_json
from everystep.sequences import Ragged
from everystep.tagging.batches import Rows, TrainingBatches
from everystep.tagging.constraints import has_entities, scheme_of
from everystep.tagging.features import Features
from everystep.tagging.fitting import Lesson, compile_network
from everystep.tagging.measuring import measure
from everystep.tagging.model import TaggerModel
from everystep.tagging.pretrained import Start, start_from
from everystep.tagging.resuming import identity_of
from everystep.tagging.samples import check_labels
from everystep.tagging.settings import Settings

PREDICTED_ROWS = 16
"""How many rows a batch has that is to be labelled; more of them are no faster."""


def train(
    sentences: Sequence[Sentence],
    dev: Sequence[Sentence] | None,
    settings: Settings,
    verbose: str | int,
    further: Sequence[Callback] = (),
    resume: str | PathLike[str] | None = None,
    vectors: str | PathLike[str] | None = None,
) -> tuple[TaggerModel, dict[str, Any]]:
    """Train a tagger; see `Tagger.train`.

    Returns:
        The model with the best weights, and the record of the training.
    """
    start = None if vectors is None else _start(vectors, sentences, settings)
    checksum = [] if start is None else [start.record["sha256"].encode()]
    with seeded(settings.seed):
        model, batches = _prepared(sentences, dev or (), settings, start)
        lesson = Lesson(
            settings,
            model.network,
            batches,
            (lambda: measure(model, dev).figures) if dev else None,
            _monitor(settings, dev or ()),
            identity_of(settings, map(_plain, sentences), map(_plain, dev or ()), checksum),
        )
        record = lesson.learn(verbose, further, resume)
    data = {
        "sentences": len(sentences),
        "steps": sum(map(len, sentences)),
        "batch_size": settings.batch_for(len(sentences)),
        "vectors": None if start is None else start.record | batches.covered(),
    }
    return model, data | record


def _start(
    vectors: str | PathLike[str], sentences: Sequence[Sentence], settings: Settings
) -> Start:
    tokens = chain.from_iterable(sentence.tokens for sentence in sentences)
    return start_from(vectors, tokens, settings.unseen_vectors)


def _prepared(
    sentences: Sequence[Sentence],
    dev: Sequence[Sentence],
    settings: Settings,
    start: Start | None,
) -> tuple[TaggerModel, TrainingBatches]:
    """Return the model, compiled, and what it is to be trained on."""
    tokens = [sentence.tokens for sentence in sentences]
    given = [sentence.labels or () for sentence in sentences]
    labels = Vocabulary(sorted(set(chain.from_iterable(given))), reserved=False)
    check_labels("dev", dev, labels.entries)
    features = Features.of(tokens, settings, None if start is None else start.pretrained)
    batches = TrainingBatches(
        features.encode(tokens),
        Ragged.of([labels.encode(each) for each in given]),
        settings.batch_for(len(sentences)),
        settings.word_dropout,
        least=max(map(len, dev), default=1),
        seed=settings.seed,
    )
    rows = Rows(PREDICTED_ROWS, batches.rows.length)
    model = TaggerModel(settings, features, labels, rows, scheme_of(given, labels.entries))
    if start is not None and model.network.pretrained is not None:
        model.network.pretrained.embeddings.assign(start.table)
    _compile(model, len(batches))
    return model, batches


def _compile(model: TaggerModel, batches: int) -> None:
    by_step = losses.SparseCategoricalCrossentropy(from_logits=True)
    loss = losses.CRFLoss() if model.has_crf else by_step
    compile_network(model.network, model.settings, batches, loss, ["accuracy"])


def _monitor(settings: Settings, dev: Sequence[Sentence]) -> str:
    """Return the score that says which epoch is best."""
    if settings.monitor != "auto":
        return settings.monitor
    names = {label for sentence in dev for label in sentence.labels or ()}
    return "entity_f1" if has_entities(names) else "accuracy"


def _plain(sentence: Sentence) -> bytes:
    """Return what a sentence holds, as text for a digest."""
    return write_json([sentence.tokens, sentence.labels]).encode()
