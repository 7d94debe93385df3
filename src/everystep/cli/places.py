"""Whether there is a place for what a command writes: found out before the work, not after it."""

from __future__ import annotations

import os
from pathlib import Path

from everystep.errors import SettingError


def check_file(option: str, file: Path, suffix: str = "") -> None:
    """Check that a file can be written.

    Args:
        option: the option that named it.
        file: the file.
        suffix: what its name must end with.

    Raises:
        SettingError: its name ends otherwise, or it cannot be written.
    """
    if suffix and file.suffix != suffix:
        raise SettingError(f"{option} {file}: expected a name that ends with {suffix}")
    if os.path.isdir(file):  # As pathlib raises where a name is too long.
        raise SettingError(f"{option} {file}: is a folder: name a file")
    if not os.path.isdir(file.absolute().parent):
        raise SettingError(f"{option} {file}: there is no folder {file.parent}")
    if not os.path.exists(file):
        _try(option, file, file.with_name(f".{file.name}.writable"))
    elif not os.access(file, os.W_OK):
        raise SettingError(f"{option} {file}: is there and cannot be replaced. Name another")


def check_folder(option: str, folder: Path) -> None:
    """Check that files can be written into a folder, which is made if it is not there.

    Args:
        option: the option that named it.
        folder: the folder.

    Raises:
        SettingError: it cannot be made, or written to.
    """
    _try(option, folder, folder / ".writable", made=True)


def _try(option: str, named: Path, probe: Path, made: bool = False) -> None:
    try:
        if made:
            probe.parent.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingError(f"{option} {named}: cannot be written: {reason}. Name another") from None
