"""Signals as comma-separated values: a step a line, a channel a column, and a column of labels."""

import re
from collections.abc import Iterator
from os import PathLike
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from everystep.corpora.readers.blocks import Block, Kind, read_blocks, rewrite, text_of
from everystep.corpora.readers.lines import Line, cut_end, name_of, read_lines
from everystep.corpora.signals.signal import Signal
from everystep.errors import CorpusError, DataError
from everystep.kinds import ARRAY, checked, instance_of

IGNORE: Final = 255
"""The label of steps that have none, unless told otherwise."""

MOST_STEPS: Final = 1 << 20
"""Most steps of a signal, blank lines before it included; longer ones are read as arrays."""


# Neither of Python's own liberties: no underscores, no names of numbers that are not finite.
_NUMBERS: Final = {
    "a number": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII),
    "a whole number": re.compile(r"[+-]?\d{1,18}", re.ASCII),
}


_SIGNAL: Final = instance_of("a Signal", Signal)


class Columns(NamedTuple):
    """What the first line of a file says."""

    line: Line
    names: list[str]
    channels: list[int]
    label: int | None


class _Written(NamedTuple):
    text: str
    columns: Columns


@checked
def read_csv_signals(
    path: str | PathLike[str],
    *,
    label: str = "label",
    channels: list[str] | None = None,
    ignore: int = IGNORE,
) -> Iterator[Signal]:
    r"""Yield the signals of a file of comma-separated values, each as soon as it is whole.

    The first line names the columns; a blank line ends a signal.

    Args:
        path: the file, packed by gzip or not, or `-` for standard input.
        label: the column of labels, which are whole numbers; signals have none where the file does
            not have it. An empty field is a step without a label.
        channels: the columns of values in the wanted order; all but the labels if None.
        ignore: the label of steps without one.

    Yields:
        Each signal, in double precision.

    Raises:
        CorpusError: the file cannot be read, lacks a column, or holds what is no number; the
            message names file, line and column.
        DataError: a number is not finite.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "beats.csv")
    >>> _ = path.write_text("ii,label\n0.5,1\n-1.5,\n")
    >>> [signal] = read_csv_signals(path)
    >>> signal.values.tolist(), signal.labels.tolist()
    ([[0.5], [-1.5]], [1, 255])
    """
    columns, lines = open_csv(path, label, channels)
    steps = 0
    for block in read_blocks(lines, _kind_of, unit="signal", most=MOST_STEPS):
        steps += len(block.tokens)
        yield _signal(block, columns, ignore)
    if not steps:
        place = columns.line.place
        raise CorpusError(f"{place}: expected lines of numbers behind the names, got none")


def open_csv(
    path: str | PathLike[str], label: str, channels: list[str] | None
) -> tuple[Columns, Iterator[Line]]:
    """Return what the first line of a file says, and the lines behind it.

    Raises:
        CorpusError: the file cannot be read, is empty, or lacks a column.
    """
    lines = read_lines(path)
    header = next(lines, None)
    if header is None:
        raise CorpusError(f"{name_of(path)}:1: expected a line of names of columns, got nothing")
    return columns_of(header, label, channels), lines


@checked(signal=_SIGNAL)
def csv_header(signal: Signal, label: str = "label") -> str:
    """Return the line that goes before the signals of a file, with a column for labels.

    Args:
        signal: what `read_csv_signals` gave.
        label: the name of the column where the file has none.
    """
    columns = _written(signal).columns
    body, end = cut_end(columns.line.text)
    return body + ("," + label if columns.label is None else "") + (end or "\n")


def csv_channels(signal: Signal) -> list[str]:
    """Return the names of a signal's channels.

    Args:
        signal: what `read_csv_signals` gave.
    """
    columns = _written(signal).columns
    return [columns.names[place] for place in columns.channels]


@checked(signal=_SIGNAL, labels=ARRAY)
def csv_text(signal: Signal, labels: ArrayLike, ignore: int = IGNORE) -> str:
    """Return the lines of a signal with other labels, all else as it was.

    Args:
        signal: what `read_csv_signals` gave.
        labels: whole numbers, shape (steps,).
        ignore: the label that is written as an empty field.

    Raises:
        DataError: the signal is not from such a file, or the labels are not one a step.
    """
    written = _written(signal)
    marks = np.asarray(labels)
    if marks.shape != (len(signal),) or marks.dtype.kind not in "iu":
        raise DataError(
            f"{signal.place}: expected whole numbers as labels, one for each of {len(signal)} "
            f"steps, got {marks.dtype} of shape {marks.shape}"
        )
    texts = iter(["" if mark == ignore else str(mark) for mark in marks.tolist()])

    def change(line: str) -> str:
        fields = line.split(",")
        if written.columns.label is None:
            return ",".join([*fields, next(texts)])
        fields[written.columns.label] = next(texts)
        return ",".join(fields)

    return rewrite(written.text, _kind_of, change)


def _kind_of(line: str) -> Kind:
    return Kind.TOKEN if line.strip() else Kind.BLANK


def _written(signal: Signal) -> _Written:
    if not isinstance(signal.source, _Written):
        raise DataError(f"{signal.place or 'the signal'}: was not read from comma-separated values")
    return signal.source


def fields_of(line: Line, columns: Columns) -> list[str]:
    """Return the fields of a line, as many as the first line names."""
    fields = _fields(line)
    if len(fields) != len(columns.names):
        raise CorpusError(
            f"{line.place}: expected {len(columns.names)} columns separated by commas, "
            f"as the first line names, got {len(fields)}"
        )
    return fields


def _fields(line: Line) -> list[str]:
    body = cut_end(line.text)[0]
    if '"' in body:
        raise CorpusError(
            f"{line.place}: expected names and numbers without quotes, got {body[:80]!r}"
        )
    return [field.strip() for field in body.split(",")]


def columns_of(header: Line, label: str, channels: list[str] | None) -> Columns:
    """Read the first line of a file; see `read_csv_signals`."""
    names = _fields(header)
    if "" in names or len(set(names)) < len(names):
        raise CorpusError(
            f"{header.place}: expected a name for each column, each once, got {names[:20]}"
        )
    wanted = [name for name in names if name != label] if channels is None else channels
    missing = [name for name in wanted if name not in names]
    if missing or not wanted:
        raise CorpusError(
            f"{header.place}: expected columns {missing or 'of values'}, got {names[:20]}"
        )
    return Columns(
        header,
        names,
        [names.index(name) for name in wanted],
        names.index(label) if label in names else None,
    )


def _signal(block: Block, columns: Columns, ignore: int) -> Signal:
    values = np.empty((len(block.tokens), len(columns.channels)))
    labels = None if columns.label is None else np.empty(len(block.tokens), np.int64)
    for step, line in enumerate(block.tokens):
        fields = fields_of(line, columns)
        for place, column in enumerate(columns.channels):
            text = number_in(fields[column], columns.names[column], line)
            values[step, place] = float(text)
        if labels is not None and columns.label is not None:
            mark = fields[columns.label]
            name = columns.names[columns.label]
            labels[step] = int(number_in(mark, name, line, "a whole number")) if mark else ignore
    return Signal(values, labels, block.place, _Written(text_of(block), columns))


def number_in(text: str, column: str, line: Line, what: str = "a number") -> str:
    """Return the text of a number in a column, if it is one."""
    if _NUMBERS[what].fullmatch(text):
        return text
    raise CorpusError(f"{line.place}: expected {what} in column {column!r}, got {text[:80]!r}")
