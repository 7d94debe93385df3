"""SignalTagger: from labelled signals to a model that labels others, in one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from everystep.callbacks import Callback
from everystep.corpora.signals import Signal
from everystep.errors import SettingError
from everystep.kinds import EACH, LISTED, VERBOSE, Kind, checked, instance_of, optional
from everystep.tagging.measuring import Measured
from everystep.tagging.signals import training
from everystep.tagging.signals.files import read_signal_tagger, write_signal_tagger
from everystep.tagging.signals.live import LiveSignal
from everystep.tagging.signals.measuring import measure
from everystep.tagging.signals.model import SignalModel, likely
from everystep.tagging.signals.samples import MOST_LABELS, labelled, unlabelled
from everystep.tagging.signals.settings import SignalSettings

Labels = NDArray[np.int64]


_ONE_OR_MORE = Kind(
    "a Signal, or a list of them",
    lambda value: value if isinstance(value, Signal) else EACH.parse(value),
)
_SETTINGS = optional(
    instance_of("SignalSettings, or a mapping with some of them", SignalSettings, Mapping)
)


class SignalTagger:
    """Gives each step of a signal its label; `SignalTagger.train` and `SignalTagger.load` make one.

    Convolutions read what is near, a recurrent stack reads on, in both directions or forward alone.
    Labels are whole numbers from 0, the background, on. See `SignalSettings` for what can be
    chosen.

    Args:
        model: scale, labels and network.
        record: how it was trained: settings, seed, versions, the curve and the scores.

    Example:
        >>> import everystep as es
        >>> pulses = np.repeat([0, 1, 0, 1, 1, 0], 8)
        >>> settings = {"window": 48, "overlap": 24, "fold": 2, "units": 4, "layers": 1,
        ...             "batch_size": 2, "learning_rate": 0.03, "dropout": 0.0}
        >>> data = [(5.0 * pulses, pulses)] * 8
        >>> tagger = es.SignalTagger.train(data, settings=settings, verbose=0)
        >>> tagger.predict(np.repeat([0.0, 5.0, 5.0], 8)).tolist() == [0] * 8 + [1] * 16
        True
    """

    def __init__(self, model: SignalModel, record: Mapping[str, Any]) -> None:
        self._model = model
        self.record = dict(record)

    @classmethod
    @checked(
        signals=EACH, dev=optional(EACH), settings=_SETTINGS, verbose=VERBOSE, callbacks=LISTED
    )
    def train(
        cls,
        signals: Iterable[Any],
        dev: Iterable[Any] | None = None,
        settings: SignalSettings | Mapping[str, Any] | None = None,
        verbose: str | int = "auto",
        callbacks: Sequence[Callback] = (),
        resume: str | PathLike[str] | None = None,
    ) -> Self:
        """Train a tagger.

        The same signals, settings and seed give the same weights on one machine. With `dev`, it is
        measured after each epoch, training ends when it gets no better, and the weights of the best
        epoch are kept; without, all epochs are run and the last weights are kept.

        Args:
            signals: what to learn from: `Signal`s, or pairs of values (steps, channels) and labels
                (steps,); for one channel values may be (steps,).
            dev: other signals to measure on.
            settings: `SignalSettings`, or a mapping with some of them.
            verbose: as for `Model.fit`.
            callbacks: objects whose methods are called between steps and epochs.
            resume: a folder that keeps how far training is; see `Tagger.train`.

        Returns:
            The tagger; its `record` says how training went.

        Raises:
            DataError: a signal has no labels, or one that does not exist; signals differ in their
                channels; a number is not finite; or no step has a label.
            SettingError: a setting is not known, or has a value that it cannot take.
            FormatError: `resume` is damaged, or of other settings or signals.
        """
        if isinstance(settings, Mapping):
            settings = SignalSettings.from_dict(settings)
        chosen = settings or SignalSettings()
        known = labelled(signals, "train", chosen.ignore, len(chosen.names) or MOST_LABELS)
        names = training.names_of(known, chosen)
        measured = None
        if dev is not None:
            channels = known[0].values.shape[1]
            measured = labelled(dev, "dev", chosen.ignore, len(names), channels)
        trained = training.train(known, measured, names, chosen, verbose, callbacks, resume)
        return cls(*trained)

    @classmethod
    @checked
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a tagger that `save` wrote. Nothing in a file is ever run.

        Raises:
            FormatError: the file is damaged, hostile, holds no such tagger or is from a newer
                version.
            OSError: the file does not exist or cannot be read.
        """
        return cls(*read_signal_tagger(path))

    @checked
    def save(self, path: str | PathLike[str]) -> None:
        """Write the tagger with scale, labels, settings, weights and record into one file.

        Args:
            path: where to write, with the suffix `.everystep`; a file that is there is replaced in
                one move, or kept where anything fails.

        Raises:
            FormatError: the suffix is another one.
            OSError: the disk is full, read-only or broken.
        """
        write_signal_tagger(path, self._model, self.record)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of labels 0, 1 and so on."""
        return self._model.names

    @property
    def channels(self) -> int:
        """How many channels a signal has."""
        return self._model.channels

    @property
    def settings(self) -> SignalSettings:
        """The settings with which it was trained."""
        return self._model.settings

    @property
    def parameters(self) -> int:
        """How many numbers its weights are."""
        return int(self._model.network.count_params())

    @checked(signals=_ONE_OR_MORE)
    def predict(self, signals: Any) -> Any:
        """Return the label of each step.

        A network of both directions reads windows that overlap, and takes each step from the window
        that has most before and behind it.

        Args:
            signals: a list of `Signal`s or arrays (steps, channels); or one of these alone.

        Returns:
            An array (steps,) of whole numbers for each signal; one array for one signal.

        Raises:
            DataError: a signal has other channels than those of training, or a number that is not
                finite.
        """
        return self._of_each(signals, lambda scores: scores.argmax(-1))

    @checked(signals=_ONE_OR_MORE)
    def probabilities(self, signals: Any) -> Any:
        """Return how likely each label is at each step.

        Shapes: (steps, labels) for each signal, in the order of `labels`; rows add up to 1.

        Args:
            signals: as for `predict`.

        Raises:
            DataError: as for `predict`.
        """
        return self._of_each(signals, likely)

    def live(self) -> LiveSignal:
        """Open a signal that is labelled while it comes; see `LiveSignal`."""
        return LiveSignal(self._model)

    @checked(chunks=EACH)
    def predict_stream(self, chunks: Iterable[Any]) -> Iterator[Labels]:
        """Yield the labels of one endless signal as soon as they are final; see `LiveSignal`.

        All labels together are those that `predict` gives for the whole. Memory does not grow.

        Args:
            chunks: the steps as they come, each (steps, channels); for one channel (steps,).

        Yields:
            The labels of the next steps, (steps,), wherever there are some.

        Raises:
            DataError: as for `predict`.
        """
        live = self.live()
        for values in chunks:
            if len(scores := live.push(values)):
                yield scores.argmax(-1)
        if len(scores := live.finish()):
            yield scores.argmax(-1)

    @checked(signals=EACH)
    def evaluate(self, signals: Iterable[Any], rate: float | None = None) -> dict[str, Any]:
        """Return how well the tagger labels signals whose labels are known.

        Args:
            signals: `Signal`s with labels, or pairs of values and labels.
            rate: steps a second of these signals, to make sure that it is that of training.

        Returns:
            The figures of `Scores`, and as `segments` those of `SegmentScores` where the settings
            have a rate.

        Raises:
            DataError: a signal has no labels, a label that does not exist or other channels than
                those of training; or no step has a label.
            SettingError: the rate is another one.
        """
        self.check_rate(rate)
        return self.measure(signals).figures

    @checked(signals=EACH)
    def measure(self, signals: Iterable[Any]) -> Measured:
        """Return the figures of `evaluate`, and what intervals and comparisons are made of.

        Args:
            signals: as for `evaluate`.

        Raises:
            DataError: as for `evaluate`.
        """
        most, ignore = len(self.labels), self.settings.ignore
        return measure(self._model, labelled(signals, "data", ignore, most, self.channels))

    @checked
    def check_rate(self, rate: float | None) -> None:
        """Refuse signals of another rate than those of training.

        Raises:
            SettingError: the two are known and differ.
        """
        trained = self.settings.rate
        if None not in (rate, trained) and rate != trained:
            raise SettingError(
                f"rate: expected {trained:g} steps a second, as in training, got {rate:g}; "
                "resample the signals"
            )

    def _of_each(self, signals: Any, made: Any) -> Any:
        alone = isinstance(signals, Signal) or (
            isinstance(signals, np.ndarray) and signals.ndim < 3
        )
        given = unlabelled([signals] if alone else signals, self.channels)
        found = [made(scores) for scores in self._model.scores(given)]
        return found[0] if alone else found

    def __repr__(self) -> str:
        return f"SignalTagger({len(self.labels)} labels, {self.parameters} parameters)"
