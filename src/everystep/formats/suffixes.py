"""Which suffix stands for which kind of file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from everystep.errors import FormatError

OWN_MODEL, KERAS_MODEL = ".everystep", ".keras"
OWN_WEIGHTS, KERAS_WEIGHTS = ".safetensors", ".weights.h5"
MODEL_SUFFIXES = (OWN_MODEL, KERAS_MODEL)
WEIGHTS_SUFFIXES = (OWN_WEIGHTS, KERAS_WEIGHTS)


def suffix_of(path: str | PathLike[str], suffixes: Sequence[str]) -> str:
    """Return which of the suffixes a path has.

    Args:
        path: where to write or read.
        suffixes: the suffixes of the kinds of files that can stand there.

    Raises:
        FormatError: the path ends otherwise.

    Example:
        >>> suffix_of("tagger.keras", MODEL_SUFFIXES)
        '.keras'
        >>> suffix_of("tagger.h5", MODEL_SUFFIXES)
        Traceback (most recent call last):
            ...
        everystep.errors.FormatError: tagger.h5: the file name must end with .everystep or .keras
    """
    name = os.fspath(path)
    for suffix in suffixes:
        if name.endswith(suffix):
            return suffix
    raise FormatError(f"{name}: the file name must end with {' or '.join(suffixes)}")


def place_to_write(path: str | PathLike[str], overwrite: bool) -> Path:
    """Return the path, if a file may be written there.

    Raises:
        FormatError: there is a file, and it must not be replaced.
    """
    place = Path(path)
    if not overwrite and place.exists():
        raise FormatError(f"{place}: the file is there already, and overwrite=False")
    return place
