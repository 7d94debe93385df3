"""The labels of signals: of arrays signal by signal, of comma-separated values step by step."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from everystep.cli.corpus_files import as_they_come
from everystep.cli.signal_files import SignalFiles
from everystep.corpora.signals import CsvStep, read_csv_steps
from everystep.errors import DataError, EverystepError
from everystep.tagging import SignalTagger
from everystep.tagging.signals.model import likely

MOST_STEPS = 4096
"""How many steps are labelled together where they come faster than they are labelled."""
MOST_SIGNALS = 64
"""How many signals of an array are labelled together."""


def predict_signals(
    tagger: SignalTagger,
    data: str,
    reader: str | None,
    as_json: bool,
    probabilities: bool,
) -> None:
    """Write the labels of signals.

    Comma-separated values come back as they were, with a column of labels, each line as soon as
    its label is final. Of an array come the labels of its signals, one a line, with a blank line
    between two signals.

    Args:
        tagger: the tagger.
        data: the file, or `-` for comma-separated values from standard input.
        reader: which reader, if the file's name does not say it.
        as_json: whether to write JSON: an object a line of CSV, or a signal of an array.
        probabilities: whether to say how likely each label is.
    """
    files = SignalFiles.of(data, reader, tagger.record.get("data"))
    written = _of_steps if files.reader == "csv" else _of_arrays
    for text in written(tagger, data, files, as_json, probabilities):
        sys.stdout.write(text)
        sys.stdout.flush()


def _of_arrays(
    tagger: SignalTagger, data: str, files: SignalFiles, as_json: bool, probabilities: bool
) -> Iterator[str]:
    unlabelled = replace(files, label_channel=None)
    signals = unlabelled.read(data, None, tagger.settings.ignore)
    if not as_json:
        yield "label,probability\n" if probabilities else "label\n"
    before = ""
    while some := list(islice(signals, MOST_SIGNALS)):
        for shares in tagger.probabilities(some):
            labels, chances = shares.argmax(-1).tolist(), shares.max(-1).tolist()
            if as_json:
                found: dict[str, Any] = {"labels": labels}
                if probabilities:
                    found["probabilities"] = [round(each, 6) for each in chances]
                yield f"{json.dumps(found)}\n"
                continue
            lines = zip(labels, chances, strict=True)
            yield before + "".join(
                f"{label},{chance:.6f}\n" if probabilities else f"{label}\n"
                for label, chance in lines
            )
            before = "\n"


def _of_steps(
    tagger: SignalTagger, data: str, files: SignalFiles, as_json: bool, probabilities: bool
) -> Iterator[str]:
    channels = None if files.channels is None else list(files.channels)
    header, steps = read_csv_steps(data, label=files.label, channels=channels)
    lines = _Lines(tagger, as_json, probabilities)
    if not as_json:
        yield header.with_label(files.label, *["probability"] * probabilities)
    try:
        for some in as_they_come(steps, MOST_STEPS):
            yield "".join(lines.of(some))
    except EverystepError:
        # What came before is a signal that ends here.
        yield "".join(lines.rest())
        raise
    yield "".join(lines.rest())


class _Lines:
    """The lines of signals, which wait until their labels are final.

    Args:
        tagger: the tagger.
        as_json: whether to write JSON.
        probabilities: whether to say how likely each label is.
    """

    def __init__(self, tagger: SignalTagger, as_json: bool, probabilities: bool) -> None:
        self._tagger, self._as_json, self._probabilities = tagger, as_json, probabilities
        self._waiting: deque[CsvStep] = deque()
        self._live = tagger.live()

    def of(self, steps: Sequence[CsvStep]) -> Iterator[str]:
        """Take more lines, and yield those that are final."""
        for is_blank, some in groupby(steps, lambda step: step.values is None):
            if not is_blank:
                yield from self._pushed(list(some))
                continue
            yield from self.rest()
            self._live = self._tagger.live()
            if not self._as_json:
                yield from (step.text for step in some)

    def rest(self) -> Iterator[str]:
        """Yield the lines that are left, at the end of a signal."""
        return self._labelled(self._live.finish())

    def _pushed(self, steps: list[CsvStep]) -> Iterator[str]:
        count = len(steps[0].values or ())
        if count != self._tagger.channels:
            raise DataError(
                f"{steps[0].place}: expected {self._tagger.channels} channels, got {count}"
            )
        self._waiting += steps
        return self._labelled(self._live.push(np.array([step.values for step in steps])))

    def _labelled(self, scores: NDArray[Any]) -> Iterator[str]:
        shares = likely(scores)
        for label, chance in zip(shares.argmax(-1).tolist(), shares.max(-1).tolist(), strict=True):
            step = self._waiting.popleft()
            if self._as_json:
                found = {"label": label, "name": self._tagger.labels[label]}
                more = {"probability": round(chance, 6)} if self._probabilities else {}
                yield f"{json.dumps(found | more, ensure_ascii=False)}\n"
            else:
                yield step.with_label(str(label), *[f"{chance:.6f}"] * self._probabilities)
