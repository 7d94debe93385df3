"""The demonstration from the corpus to the report, told to a narrator while it runs."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import jax
import numpy as np

import everystep
from everystep import utils
from everystep.cli.demonstration import corpus, parenthesis, samples, scores, training
from everystep.cli.demonstration.corpus import Data
from everystep.cli.demonstration.settings import Settings
from everystep.cli.demonstration.training import TITLES, Trained
from everystep.drawing.explained import Comparison
from everystep.drawing.report import (
    Corpus,
    Label,
    ModelResult,
    Parenthesis,
    Report,
    Sample,
    SummaryLine,
)
from everystep.explanation.comparing import compare
from everystep.explanation.explaining import explain
from everystep.models.designs import DESIGNS

_SIZE = (4, 3, 5)
"""Steps, features and units of the five designs."""

_MAP_STEPS = 8
"""The number of steps that the maps of the trained models show."""


class Narrator(Protocol):
    """Who is told what was found, as soon as it was."""

    verbose: int
    """How training shows its progress, as `fit` takes it."""

    def busy(self, words: str) -> None:
        """Something begins that takes a while."""

    def designs(self, found: Comparison) -> None:
        """The five designs have been compared."""

    def corpus(self, found: Corpus) -> None:
        """The corpus has been read."""

    def model(self, title: str, layers: list[SummaryLine]) -> None:
        """A model has been made, and is trained next."""

    def scores(self, models: list[ModelResult], labels: list[Label], found: Corpus) -> None:
        """Both models have been scored."""

    def sample(self, found: Sample) -> None:
        """A run of unseen source has been labelled."""

    def parenthesis(self, found: Parenthesis, models: list[ModelResult]) -> None:
        """It has been counted why one model is better."""

    def done(self, out: Path, seconds: float) -> None:
        """All results are in the folder."""


class _Stopwatch:
    """Measures the parts of a run."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measuring(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 2)


def run(settings: Settings, narrator: Narrator, folder: Path) -> Report:
    """Do the whole demonstration, and save both models.

    Args:
        settings: what to learn from, and how.
        narrator: is told what was found, as soon as it was.
        folder: where to write the models; it must be there.

    Returns:
        All that was found, as plain data.

    Raises:
        CorpusError: there is no source to read, or too little of it.
        OSError: a file cannot be written.
    """
    watch = _Stopwatch()
    with watch.measuring("whole run"):
        utils.set_random_seed(settings.seed)
        with watch.measuring("five designs"):
            found = compare({each.words: each.model(*_SIZE) for each in DESIGNS}).data()
        narrator.designs(found)
        narrator.busy("reading the corpus")
        with watch.measuring("corpus"):
            data = corpus.read(settings)
            figures = corpus.figures(data, settings)
        narrator.corpus(figures)
        trained = {}
        for name, title in TITLES.items():
            with watch.measuring(f"{name} model"):
                trained[name] = _train(name, title, data, settings, narrator)
                trained[name].model.save(folder / f"{name}.everystep")
        report = _report(trained, data, settings, found, figures)
    narrator.scores(report["models"], report["labels"], figures)
    for sample in report["samples"][:1]:
        narrator.sample(sample)
    narrator.parenthesis(report["parenthesis"], report["models"])
    report["seconds"] = watch.seconds
    return report


def _train(name: str, title: str, data: Data, settings: Settings, narrator: Narrator) -> Trained:
    model = training.make_model(name, data, settings)
    narrator.model(title, training.summary_of(model))
    return training.train(model, data, settings, verbose=narrator.verbose)


def _report(
    trained: dict[str, Trained],
    data: Data,
    settings: Settings,
    designs: Comparison,
    figures: Corpus,
) -> Report:
    said = {name: one.said for name, one in trained.items()}
    return Report(
        versions={
            "everystep": everystep.__version__,
            "python": platform.python_version(),
            "jax": jax.__version__,
            "numpy": np.__version__,
        },
        settings={
            name: value
            for name, value in asdict(settings).items()
            if isinstance(value, int | float | str)
        },
        corpus=figures,
        models=[_result(name, one, data) for name, one in trained.items()],
        labels=scores.by_label(said, data),
        samples=samples.choose_samples(said, data),
        parenthesis=parenthesis.explain(trained, data, settings),
        designs=designs,
        seconds={},
    )


def _result(name: str, one: Trained, data: Data) -> ModelResult:
    true = data.pairs(data.corpus.test)[1]
    return ModelResult(
        name=name,
        title=TITLES[name],
        file=f"{name}.everystep",
        layers=training.summary_of(one.model),
        parameters=one.model.count_params(),
        accuracy=scores.accuracy(one.said, true),
        name_accuracy=scores.name_accuracy(one.said, true, data),
        curves=one.curves,
        seconds=round(one.seconds, 2),
        steps_per_second=round(one.steps_per_second),
        explained=explain(one.model, steps=_MAP_STEPS).data(),
    )
