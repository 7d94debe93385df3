"""The lines of a text file that may be packed, endless, damaged or hostile, one at a time."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from os import PathLike, fspath
from typing import BinaryIO, Final, NamedTuple, cast

from everystep.errors import CorpusError

STANDARD_INPUT: Final = "-"
"""The path that stands for standard input."""

LONGEST_LINE: Final = 1 << 20
"""Most bytes of a line, its end included."""

GZIP: Final = b"\x1f\x8b"
_BOM: Final = "\ufeff"


class Line(NamedTuple):
    """One line of a file.

    Attributes:
        place: the file and the number of the line, from 1, for messages.
        text: the line with its end, which the last line of a file may lack.
    """

    place: str
    text: str


def name_of(path: str | PathLike[str]) -> str:
    """Return what messages call a path: itself, or that it is standard input."""
    return "<standard input>" if path == STANDARD_INPUT else fspath(path)


@contextmanager
def open_bytes(path: str | PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file, or standard input, and unpack what gzip has packed, whatever its name is.

    Args:
        path: the file, or `-` for standard input, which stays open.

    Raises:
        CorpusError: it cannot be opened or read, or a file named `.gz` is not of gzip.
    """
    name = name_of(path)
    is_file = path != STANDARD_INPUT
    try:
        # Opened here and closed below, as standard input is not ours to close.
        raw = open(path, "rb") if is_file else cast(BufferedReader, sys.stdin.buffer)  # noqa: SIM115
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CorpusError(f"{name}: cannot be opened: {reason}") from error
    try:
        first = raw.peek(len(GZIP))[: len(GZIP)]
        if first == GZIP:
            with gzip.open(raw) as unpacked:
                yield cast(BinaryIO, unpacked)
        elif first and name.endswith(".gz"):
            raise CorpusError(
                f"{name}: is named as a file of gzip but does not start as one; "
                "rename it, or pack it with gzip"
            )
        else:
            yield cast(BinaryIO, raw)
    except (OSError, EOFError, zlib.error) as error:
        raise CorpusError(f"{name}: cannot be read to its end: {error}") from error
    finally:
        if is_file:
            raw.close()


def read_lines(path: str | PathLike[str]) -> Iterator[Line]:
    r"""Yield the lines of a file as text, as soon as each is there.

    A line ends with a line feed alone; what else text may hold, a carriage return included, stays
    in it. A byte order mark at the start of the file is left out.

    Args:
        path: the file, packed by gzip or not, or `-` for standard input.

    Yields:
        Each line.

    Raises:
        CorpusError: the file cannot be read, is not UTF-8, or has a line of more than
            `LONGEST_LINE` bytes; the message names file and line.
    """
    name, number = name_of(path), 0
    with open_bytes(path) as stream:
        while line := stream.readline(LONGEST_LINE + 1):
            number += 1
            place = f"{name}:{number}"
            if len(line) > LONGEST_LINE:
                raise CorpusError(
                    f"{place}: expected at most {LONGEST_LINE} bytes a line, got more; "
                    "is this a text file, and are its lines ended by line feeds?"
                )
            text = decode(line, place)
            yield Line(place, text.removeprefix(_BOM) if number == 1 else text)


def decode(line: bytes, place: str) -> str:
    r"""Return bytes of UTF-8 as text.

    Raises:
        CorpusError: they are not UTF-8; the message names the place and the byte.

    >>> decode(b"caf\xe9", "a.txt:7")
    Traceback (most recent call last):
        ...
    everystep.errors.CorpusError: a.txt:7: expected UTF-8, got byte 0xe9 as byte 4 of the line;
    convert the file to UTF-8
    """
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{place}: expected UTF-8, got byte {line[error.start]:#04x} "
            f"as byte {error.start + 1} of the line; convert the file to UTF-8"
        ) from None


def cut_end(text: str) -> tuple[str, str]:
    r"""Return a line without its end, and the end, as Unix or Windows writes it.

    >>> cut_end("a b\r\n"), cut_end("a b")
    (('a b', '\r\n'), ('a b', ''))
    """
    body = text.removesuffix("\n")
    if len(body) < len(text):
        body = body.removesuffix("\r")
    return body, text[len(body) :]
