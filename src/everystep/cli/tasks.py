"""What `everystep train` is to learn, once, from several seeds or in folds."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from everystep.errors import SettingError

if TYPE_CHECKING:
    from everystep.corpora.sentences import Sentence
    from everystep.tagging import Settings, SignalSettings

LARGEST_CONFIG = 2**14
"""In bytes; what a file of settings may take. Reading a name takes the square of its parts."""


@dataclass(frozen=True)
class Task:
    """What is to be learned, and how.

    Args:
        train: `Tagger.train` or `SignalTagger.train`.
        settings: the settings.
        data: the sentences or signals to learn from.
        dev: others to measure on while training, or None.
        source: where they come from and how they are read, as plain data.
    """

    train: Callable[..., Any]
    settings: Settings | SignalSettings
    data: list[Any]
    dev: list[Any] | None
    source: dict[str, Any]

    def runs(self, seeds: int, folds: int | None) -> Iterator[Run]:
        """Yield each time that something is trained.

        Folds are drawn by the seed, not cut as they stand: records of a file often stand in some
        order, of place or time, and then the parts would be of different kinds.

        Raises:
            SettingError: there are more folds than records, or folds beside dev or several seeds.
        """
        if folds is None:
            for number in range(seeds):
                settings = replace(self.settings, seed=self.settings.seed + number)
                yield Run(f"seed{settings.seed}", settings, self.data, self.dev)
            return
        if self.dev is not None or seeds > 1:
            raise SettingError(
                f"--folds {folds}: goes neither with --dev nor with --seeds: each fold is measured "
                "by a tagger that was trained on all others for all epochs"
            )
        if folds > len(self.data):
            raise SettingError(f"--folds {folds}: there are only {len(self.data)} records")
        order = np.random.default_rng(self.settings.seed).permutation(len(self.data))
        for number, left_out in enumerate(np.array_split(order, folds), 1):
            learned = np.setdiff1d(order, left_out)
            yield Run(
                f"fold{number}",
                self.settings,
                [self.data[place] for place in learned],
                None,
                np.sort(left_out).tolist(),
            )


@dataclass(frozen=True)
class Run:
    """One time that something is trained.

    Args:
        name: what tells it from the others.
        settings: the settings.
        data: what it learns from.
        dev: what it is measured on while it is trained, or None.
        left_out: the places of the records of its fold, which it does not see.
    """

    name: str
    settings: Settings | SignalSettings
    data: list[Any]
    dev: list[Any] | None
    left_out: list[int] = field(default_factory=list)


def of_sentences(
    data: str,
    dev: str | None,
    reader: str | None,
    label: str | None,
    config: Path | None,
    seed: int | None,
    vectors: Path | None,
) -> Task:
    """Read sentences and settings."""
    from everystep.cli.corpus_files import reader_of
    from everystep.tagging import Settings, Tagger

    settings = settings_of(Settings, config, {"seed": seed})

    def read(path: str, reader: str | None) -> tuple[list[Sentence], str]:
        chosen = reader_of(path, reader, label)
        return [one for one in chosen.read(path) if one.tokens], chosen.name

    sentences, name = read(data, reader)
    measured = None if dev is None else read(dev, reader or name)[0]
    source = {"reader": name, "label": label, "train": data, "dev": dev}
    return Task(partial(Tagger.train, vectors=vectors), settings, sentences, measured, source)


def of_signals(
    data: tuple[str, str | None],
    dev: tuple[str, str | None] | None,
    reader: str,
    places: dict[str, Any],
    config: Path | None,
    options: dict[str, Any],
) -> Task:
    """Read signals and settings.

    Args:
        data: the file, and that of its labels.
        dev: the same of others, or None.
        reader: what reads them.
        places: which channels and labels are taken.
        config: a file of settings.
        options: settings that stand above it.
    """
    from everystep.cli.signal_files import SignalFiles
    from everystep.corpora.signals import csv_channels
    from everystep.tagging import SignalSettings, SignalTagger

    settings = settings_of(SignalSettings, config, options)
    files = SignalFiles.chosen(reader, {}, **places)
    signals = list(files.read(*data, settings.ignore))
    measured = None if dev is None else list(files.read(*dev, settings.ignore))
    source = {"train": data[0], "labels": data[1], "dev": dev and dev[0], **files.to_dict()}
    if reader == "npy":
        del source["label"]
    elif signals:
        # Other files may have their columns in another order.
        source["channels"] = csv_channels(signals[0])
    return Task(SignalTagger.train, settings, signals, measured, source)


def settings_of(kind: type, config: Path | None, options: dict[str, Any]) -> Any:
    """Return the settings of a TOML file, or the defaults, and what options say otherwise.

    Raises:
        SettingError: the file cannot be read, is no TOML, or has a setting that does not exist.
    """
    given: dict[str, Any] = {}
    if config is not None:
        try:
            with config.open("rb") as file:
                text = file.read(LARGEST_CONFIG + 1)
            if len(text) > LARGEST_CONFIG:
                raise ValueError(f"it has more than {LARGEST_CONFIG} bytes")
            given = tomllib.loads(text.decode("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise SettingError(f"--config {config}: cannot be read as TOML: {error}") from None
    named = {name: value for name, value in options.items() if value is not None}
    # Options are looked at first, so that a message about the file is about the file.
    from_dict: Callable[[dict[str, Any]], Any] = kind.from_dict  # type: ignore[attr-defined]
    try:
        from_dict(given)
    except SettingError as error:
        raise SettingError(f"--config {config}: {error}") from None
    return from_dict(given | named)
