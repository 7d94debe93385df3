"""What commands on signals share: which files hold signals, and how they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from everystep.corpora.readers import STANDARD_INPUT
from everystep.corpora.signals import Signal, read_csv_signals, read_numpy_signals
from everystep.errors import SettingError

_SUFFIXES = {".npy": "npy", ".csv": "csv", ".csv.gz": "csv"}
LABEL = "label"
"""The column of labels, unless told otherwise."""


def signals_reader(path: str, reader: str | None) -> str | None:
    """Return which reader of signals reads a file: `"npy"`, `"csv"`, or None for no signals.

    >>> signals_reader("a.npy", None), signals_reader("-", "csv"), signals_reader("a.conllu", None)
    ('npy', 'csv', None)
    """
    if reader is not None:
        return reader if reader in _SUFFIXES.values() else None
    return next((name for suffix, name in _SUFFIXES.items() if path.endswith(suffix)), None)


def split_names(names: str | None) -> tuple[str, ...] | None:
    """Return names that commas separate, if there are some."""
    return None if names is None else tuple(name.strip() for name in names.split(","))


def refuse_options(options: Mapping[str, object], why: str) -> None:
    """Refuse options of signals where there are none, or the other way round.

    Args:
        options: their values, None where one is not given.
        why: what there is instead.

    Raises:
        SettingError: one is given.
    """
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise SettingError(f"{given[0]}: does not go with this: {why}")


@dataclass(frozen=True)
class SignalFiles:
    """How signals are read from files, as a tagger remembers it.

    Args:
        reader: `"npy"` or `"csv"`.
        channels: which channels, by number from 0 or by the name of a column; all if None.
        label: the column of labels of a CSV file.
        label_channel: whose labels are taken where each channel of an array has its own.
    """

    reader: str
    channels: tuple[str, ...] | None = None
    label: str = LABEL
    label_channel: int | None = None

    @classmethod
    def chosen(cls, reader: str, trained_on: Mapping[str, Any], **options: Any) -> Self:
        """Take options where they are given, or else what a tagger was trained on.

        Raises:
            SettingError: a column of labels is named, but the file has no columns.
        """
        if reader == "npy" and options.get("label") is not None:
            raise SettingError(
                f"--label {options['label']}: arrays have no columns: --labels names the file of "
                "labels, and --label-channel whose they are"
            )
        known = trained_on if trained_on.get("reader") == reader else {}
        names = ("channels", "label", "label_channel")
        found = {name: known.get(name) for name in names}
        found |= {name: value for name, value in options.items() if value is not None}
        channels = found["channels"]
        return cls(
            reader,
            None if channels is None else tuple(channels),
            found["label"] or LABEL,
            found["label_channel"],
        )

    @classmethod
    def of(
        cls,
        path: str,
        reader: str | None,
        trained_on: Mapping[str, Any] | None,
        **options: Any,
    ) -> Self:
        """Say how a tagger's file of signals is read.

        Args:
            path: the file, or `-` for standard input, which is CSV unless told otherwise.
            reader: the name of a reader, or None.
            trained_on: how the data of training were read.
            options: what is told otherwise.

        Raises:
            SettingError: it is no file of signals.
        """
        kind = signals_reader(path, reader or ("csv" if path == STANDARD_INPUT else None))
        if kind is None:
            raise SettingError(
                f"{path}: the tagger labels signals: expected a file .npy or .csv, or --reader npy "
                "or csv"
            )
        return cls.chosen(kind, trained_on or {}, **options)

    def read(self, path: str, labels: str | None, ignore: int) -> Iterator[Signal]:
        """Yield the signals of a file, and their labels where there are some.

        Args:
            path: the file.
            labels: the file of the labels of an array; None if there is none.
            ignore: the label of steps that have none.

        Raises:
            SettingError: labels of a CSV file are said to stand elsewhere, or there is no such
                channel.
            DataError: the files hold no such signals; see `read_csv_signals` and
                `read_numpy_signals`.
        """
        if self.reader == "csv":
            if labels is not None:
                raise SettingError(
                    f"--labels {labels}: {path} has its labels in the column {self.label!r}; "
                    "--label names another one"
                )
            names = None if self.channels is None else list(self.channels)
            return read_csv_signals(path, label=self.label, channels=names, ignore=ignore)
        return map(self._picked, read_numpy_signals(path, labels, self.label_channel))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, from which `chosen` makes the same."""
        return asdict(self)

    def _picked(self, signal: Signal) -> Signal:
        if self.channels is None:
            return signal
        count = signal.values.shape[1]
        for each in self.channels:
            if not (each.isdecimal() and int(each) < count):
                raise SettingError(
                    f"--channels {','.join(self.channels)}: expected numbers from 0 to "
                    f"{count - 1}, as {signal.place} has {count} channels, got {each!r}"
                )
        columns = [int(each) for each in self.channels]
        return Signal(signal.values[:, columns], signal.labels, signal.place, signal.source)
