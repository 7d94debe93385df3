"""Signals of one length in an array of NumPy, and their labels in another."""

from collections.abc import Iterator
from os import PathLike, fspath
from pathlib import Path
from tokenize import TokenError
from typing import Any, Final

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from everystep.corpora.signals.signal import Signal
from everystep.errors import CorpusError, SettingError
from everystep.formats.opening import open_regular
from everystep.kinds import checked

# What NumPy raises for a file that is damaged or hostile; it evaluates the header as Python data.
_DAMAGE: Final = (
    OSError,
    ValueError,
    EOFError,
    OverflowError,
    TypeError,
    SyntaxError,
    TokenError,
    RecursionError,
    MemoryError,
)

_ARCHIVE: Final = b"PK\x03\x04"


@checked
def read_numpy_signals(
    path: str | PathLike[str],
    labels: str | PathLike[str] | None = None,
    label_channel: int | None = None,
) -> Iterator[Signal]:
    """Yield the signals of an array, one by one from the disk.

    Args:
        path: a file `.npy` of real numbers, shape (signals, steps, channels), or (signals, steps)
            for one channel.
        labels: a file `.npy` of whole numbers, shape (signals, steps), or (signals, steps,
            channels) where every channel has labels of its own; None if there is none.
        label_channel: which channel's labels are taken, from 0, where each has its own.

    Yields:
        Each signal, in the dtype of the file.

    Raises:
        CorpusError: a file is missing, damaged, of Python objects, or of another shape.
        DataError: a number is not finite; the message names signal, step and channel.
        SettingError: a channel of labels is named, but no labels.
    """
    if labels is None and label_channel is not None:
        raise SettingError("label_channel: expected labels of which it is one, got none")
    values = _open(path)
    if values.ndim == 2:
        values = values[..., None]
    # Without steps a file of no size could hold signals without number.
    if values.ndim != 3 or not values.size:
        raise CorpusError(
            f"{fspath(path)}: expected signals of shape (signals, steps, channels) or "
            f"(signals, steps), got shape {values.shape}"
        )
    marks = None if labels is None else _labels(labels, values.shape, label_channel)
    for number, value in enumerate(values):
        yield Signal(
            np.array(value),
            None if marks is None else np.array(marks[number]),
            f"{fspath(path)}: signal {number}",
        )


def _open(path: str | PathLike[str]) -> NDArray[Any]:
    try:
        with open_regular(path) as file:
            if file.read(len(_ARCHIVE)) == _ARCHIVE:
                raise CorpusError(
                    f"{fspath(path)}: expected one array (.npy), got an archive of several"
                )
        # Which reads neither archives nor pickles, as np.load does before it finds them damaged.
        found = open_memmap(path, mode="r")
    except CorpusError:
        raise
    except _DAMAGE as error:
        raise CorpusError(
            f"{fspath(path)}: cannot be read as an array of NumPy: {error}"
        ) from error
    behind = Path(path).stat().st_size - found.offset - found.nbytes
    if behind > 0:
        raise CorpusError(f"{fspath(path)}: expected one array, got {behind} more bytes behind it")
    return found


def _labels(path: str | PathLike[str], shape: tuple[int, ...], channel: int | None) -> NDArray[Any]:
    found = _open(path)
    wanted = shape[:2] if channel is None else shape
    if found.shape != wanted or found.dtype.kind not in "iu":
        raise CorpusError(
            f"{fspath(path)}: expected whole numbers of shape {wanted} for signals of shape "
            f"{shape}, got {found.dtype} of shape {found.shape}"
            + ("; say which label_channel is wanted" if found.ndim == 3 and channel is None else "")
        )
    if channel is None:
        return found
    if not 0 <= channel < shape[2]:
        raise CorpusError(
            f"{fspath(path)}: label_channel: expected 0 to {shape[2] - 1}, got {channel}"
        )
    picked: NDArray[Any] = found[..., channel]
    return picked
