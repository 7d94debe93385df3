"""The training of a tagger: from labelled sentences to weights, and the record of how it went."""

from __future__ import annotations

import platform
import sys
import time
import warnings
from collections.abc import Iterable, Sequence
from itertools import chain
from os import PathLike
from typing import Any

import jax
import numpy as np

import everystep
from everystep import callbacks, losses, optimizers
from everystep.callbacks import Callback
from everystep.core.randomness import seeded
from everystep.corpora.sentences import Sentence
from everystep.corpora.vocabulary import Vocabulary
from everystep.sequences import Ragged
from everystep.tagging.batches import Rows, TrainingBatches
from everystep.tagging.constraints import has_entities, scheme_of
from everystep.tagging.features import Features
from everystep.tagging.measuring import DevScores, evaluate
from everystep.tagging.model import TaggerModel
from everystep.tagging.resuming import Resumable, identity_of
from everystep.tagging.samples import unseen_labels
from everystep.tagging.settings import Settings

MOST_SHAPES = 64
"""How many shapes of batches may come without a warning: few, but of two kinds, each of a list."""
PREDICTED_ROWS = 16
"""How many rows a batch has that is to be labelled; more of them are no faster."""


def train(
    sentences: Sequence[Sentence],
    dev: Sequence[Sentence] | None,
    settings: Settings,
    verbose: str | int,
    further: Sequence[Callback] = (),
    resume: str | PathLike[str] | None = None,
) -> tuple[TaggerModel, dict[str, Any]]:
    """Train a tagger; see `Tagger.train`.

    Returns:
        The model with the best weights, and the record of the training.
    """
    began = time.monotonic()
    with seeded(settings.seed):
        model, batches = _prepared(sentences, dev or (), settings)
        stopping = _watching(model, dev, verbose) if dev else []
        kept = _kept(resume, model, batches, stopping, identity_of(settings, sentences, dev))
        history = model.network.fit(
            batches,
            epochs=settings.epochs,
            initial_epoch=max((each.go_on() for each in kept), default=0),
            callbacks=[*stopping, *kept, *further],
            verbose=verbose,
        ).history
    curve = kept[0].curve if kept else history
    best = stopping[-1].best_epoch if stopping else len(curve["loss"]) - 1
    record: dict[str, Any] = {
        "settings": settings.to_dict(),
        "seed": settings.seed,
        "versions": versions(),
        "sentences": len(sentences),
        "steps": sum(map(len, sentences)),
        "fill": batches.fill,
        "curve": {name: [float(value) for value in values] for name, values in curve.items()},
        "best_epoch": best + 1,
        "dev": evaluate(model, dev) if dev else None,
        "seconds": kept[0].seconds if kept else time.monotonic() - began,
    }
    return model, record


def _prepared(
    sentences: Sequence[Sentence], dev: Sequence[Sentence], settings: Settings
) -> tuple[TaggerModel, TrainingBatches]:
    """Return the model, compiled, and what it is to be trained on."""
    tokens = [sentence.tokens for sentence in sentences]
    given = [sentence.labels or () for sentence in sentences]
    labels = Vocabulary(sorted(set(chain.from_iterable(given))), reserved=False)
    _warn_of_unseen(dev, labels.entries)
    features = Features.of(tokens, settings)
    batches = TrainingBatches(
        features.encode(tokens),
        Ragged.of([labels.encode(each) for each in given]),
        settings.batch_size,
        settings.word_dropout,
        least=max(map(len, dev), default=1),
        seed=settings.seed,
    )
    rows = Rows(PREDICTED_ROWS, batches.rows.length)
    model = TaggerModel(settings, features, labels, rows, scheme_of(given, labels.entries))
    _compile(model, len(batches))
    return model, batches


def _kept(
    resume: str | PathLike[str] | None,
    model: TaggerModel,
    batches: TrainingBatches,
    stopping: Sequence[Any],
    identity: str,
) -> list[Resumable]:
    """Return what keeps the state of the training, where that is asked for."""
    if resume is None:
        return []
    watching = stopping[-1] if stopping else None
    return [Resumable(resume, model.network, batches, watching, identity)]


def _compile(model: TaggerModel, batches: int) -> None:
    settings = model.settings
    rate = optimizers.schedules.PolynomialDecay(
        settings.learning_rate, batches * settings.epochs, end_learning_rate=0.0
    )
    model.network.compile(
        optimizers.Adam(rate, global_clipnorm=settings.clip),
        losses.CRFLoss()
        if model.has_crf
        else losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        max_shapes=MOST_SHAPES,
    )


def _watching(model: TaggerModel, dev: Sequence[Sentence], verbose: str | int) -> list[Any]:
    """Return what measures dev, and what keeps the best weights."""
    monitor = model.settings.monitor
    if monitor == "auto":
        names = {label for sentence in dev for label in sentence.labels or ()}
        monitor = "entity_f1" if has_entities(names) else "accuracy"
    told = verbose in (1, 2) or (verbose == "auto" and sys.stdout.isatty())
    stopping = callbacks.EarlyStopping(
        f"dev_{monitor}", patience=model.settings.patience, mode="max", restore_best_weights=True
    )
    return [DevScores(model, dev, told), stopping]


def _warn_of_unseen(dev: Sequence[Sentence], names: Iterable[str]) -> None:
    unseen = unseen_labels(dev, names)
    if unseen:
        places = ", ".join(f"{label!r} ({place})" for label, place in list(unseen.items())[:20])
        warnings.warn(
            f"dev has {len(unseen)} label(s) that training never saw, which count as wrong: "
            f"{places}",
            stacklevel=5,
        )


def versions() -> dict[str, str]:
    """Return the versions of what a result depends on."""
    return {
        "everystep": everystep.__version__,
        "jax": jax.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }
