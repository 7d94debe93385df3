"""Which suffix stands for which kind of file."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path

from everystep.errors import FormatError

MODEL_SUFFIX = ".everystep"
WEIGHTS_SUFFIX = ".safetensors"


def check_suffix(path: str | PathLike[str], suffix: str) -> Path:
    """Return the path, if a file of that kind can be written there.

    Args:
        path: where to write.
        suffix: the suffix that the kind of file has.

    Raises:
        FormatError: the path ends otherwise.

    Example:
        >>> check_suffix("tagger.keras", MODEL_SUFFIX)
        Traceback (most recent call last):
            ...
        everystep.errors.FormatError: tagger.keras: this version of everystep does not write \
Keras's formats yet: let the file name end with .everystep
    """
    name = os.fspath(path)
    if name.endswith(suffix):
        return Path(path)
    if name.endswith((".keras", ".h5", ".hdf5")):
        raise FormatError(
            f"{name}: this version of everystep does not write Keras's formats yet: let the file "
            f"name end with {suffix}"
        )
    raise FormatError(f"{name}: the file name must end with {suffix}")
