"""Running the code that a command line names: what it prints, and what becomes of its errors."""

from __future__ import annotations

import contextlib
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from everystep.errors import DataError, EverystepError, SettingError, ShapeError

_OURS = str(Path(__file__).parents[1])


@contextlib.contextmanager
def running(target: str) -> Iterator[None]:
    """Run code that somebody else wrote.

    What it prints goes to standard error, since standard output holds the result of the command
    alone. Its errors become ones that name the file and the line. An error with no line of
    theirs on its way passes as it is: it is a fault of ours.

    Args:
        target: the code, as the command line names it.

    Raises:
        DataError: the code fails, or ends the process.

    Example:
        >>> with running("net.py:model"):
        ...     print("loading")
    """
    with contextlib.redirect_stdout(sys.stderr):
        try:
            yield
        except EverystepError:
            raise
        except (Exception, SystemExit) as error:
            place = _place_of(error)
            if place is None:
                raise
            words = f"{type(error).__name__}: {error}".rstrip(": ")
            raise DataError(f"{target}: {place}: {words}") from error


@contextlib.contextmanager
def looking_into(target: str, examples: list[Any]) -> Iterator[None]:
    """Run code that somebody else wrote on inputs that the command line describes.

    Args:
        target: the code, as the command line names it.
        examples: what it says of the inputs.

    Raises:
        SettingError: the inputs do not fit, or have to be described.
        DataError: the code fails.
    """
    with running(target):
        try:
            yield
        except DataError as error:
            cure = "" if examples else ". Here --input gives one"
            raise SettingError(f"{error}{cure}") from error
        except ShapeError as error:
            cause = _first_cause(error)
            if isinstance(cause, TypeError | ValueError):
                raise SettingError(str(error)) from error
            raise cause from None  # Such code fails whatever its inputs are.


def _first_cause(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _place_of(error: BaseException) -> str | None:
    """Return the last line that led to an error and is neither Python's, installed nor ours."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        return f"{Path(error.filename).name}, line {error.lineno}"
    paths = sysconfig.get_paths()
    known = (_OURS, paths["stdlib"], paths["purelib"], paths["platlib"], "<")
    places = [
        f"{Path(frame.f_code.co_filename).name}, line {line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if not frame.f_code.co_filename.startswith(known)
    ]
    return places[-1] if places else None
