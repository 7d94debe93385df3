"""Signals as comma-separated values, step by step as they come, for signals that have no end."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike

from everystep.corpora.readers.lines import cut_end
from everystep.corpora.signals.csv_files import fields_of, number_in, open_csv
from everystep.errors import DataError


@dataclass(frozen=True, slots=True)
class CsvStep:
    """A line of a file of signals.

    Args:
        place: where it stands, for messages.
        values: the wanted channels; None for the line of names, and for a blank one, which ends a
            signal.
        text: the line as it was, its end included.
        label: where the column of labels is, or None where there is none.
    """

    place: str
    values: tuple[float, ...] | None
    text: str
    label: int | None

    def with_label(self, *label: str) -> str:
        """Return the line with a label, and behind it whatever else is to be said of it."""
        body, end = cut_end(self.text)
        fields = body.split(",")
        place = len(fields) if self.label is None else self.label
        return ",".join([*fields[:place], *label, *fields[place + 1 :]]) + (end or "\n")


def read_csv_steps(
    path: str | PathLike[str], *, label: str = "label", channels: list[str] | None = None
) -> tuple[CsvStep, Iterator[CsvStep]]:
    r"""Return the line of names, and the lines behind it as they come.

    Args:
        path: the file, packed by gzip or not, or `-` for standard input.
        label: the column of labels, which are not read.
        channels: the columns of values in the wanted order; all but the labels if None.

    Returns:
        The first line, and a stream of the others.

    Raises:
        CorpusError: the file cannot be read, lacks a column, or holds what is no number; the
            message names file, line and column.
        DataError: a number is too large.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "beats.csv")
    >>> _ = path.write_text("ii\n0.5\n-1.5\n")
    >>> header, steps = read_csv_steps(path)
    >>> header.with_label("label"), [(step.values, step.with_label("1")) for step in steps]
    ('ii,label\n', [((0.5,), '0.5,1\n'), ((-1.5,), '-1.5,1\n')])
    """
    columns, lines = open_csv(path, label, channels)

    def steps() -> Iterator[CsvStep]:
        for line in lines:
            if not line.text.strip():
                yield CsvStep(line.place, None, line.text, columns.label)
                continue
            fields = fields_of(line, columns)
            values = []
            for column in columns.channels:
                name = columns.names[column]
                values.append(float(number_in(fields[column], name, line)))
                if not math.isfinite(values[-1]):
                    raise DataError(f"{line.place}: {fields[column]!r} in {name!r} is too large")
            yield CsvStep(line.place, tuple(values), line.text, columns.label)

    return CsvStep(columns.line.place, None, columns.line.text, columns.label), steps()
