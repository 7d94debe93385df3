"""What commands on corpora share: which reader reads what is named, and sentences as they come."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any, TypeVar

from everystep.corpora.readers import STANDARD_INPUT, Reader, reader_for
from everystep.corpora.readers.lines import GZIP
from everystep.errors import SettingError

T = TypeVar("T")

_LONGEST_LOOK = 4096


def reader_of(
    path: str, reader: str | None, label: str | None, trained_on: Mapping[str, Any] | None = None
) -> Reader:
    """Return the reader for a file: the one that is named, or by the file's name or first line.

    Args:
        path: the file, or `-` for standard input.
        reader: the name of a reader, or None.
        label: which labels are read, or None for those that a model was trained on.
        trained_on: the reader and the label that a model was trained on.

    Raises:
        SettingError: there is no such reader or label, or nothing says which to take.
    """
    known = trained_on or {}
    if reader is None and path == STANDARD_INPUT:
        reader = _guessed(_first_line())
    chosen = reader_for(path, reader, label)
    if label is None and known.get("reader") == chosen.name and known.get("label"):
        chosen = reader_for(path, chosen.name, str(known["label"]))
    return chosen


def _first_line() -> bytes:
    """Look at the first line of standard input that is not blank, and leave it there."""
    with suppress(ValueError, zlib.error):  # closed or damaged, of which the reader has to tell
        head: bytes = sys.stdin.buffer.peek(_LONGEST_LOOK)  # type: ignore[union-attr]
        if head.startswith(GZIP):
            head = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(head, _LONGEST_LOOK)
        return head.lstrip().partition(b"\n")[0]
    return b""


def _guessed(line: bytes) -> str:
    r"""Return the format of a stream by its first line.

    >>> _guessed(b"# sent_id = 1"), _guessed(b'{"tokens": []}'), _guessed(b"cat\tO")
    ('conllu', 'jsonl', 'columns')
    >>> _guessed(b"the cat sat")
    'tokens'
    """
    if line.startswith(b"# ") or line.count(b"\t") == 9:
        return "conllu"
    if line.startswith(b"{"):
        return "jsonl"
    return "columns" if b"\t" in line else "tokens"


def as_they_come(items: Iterable[T], most: int) -> Iterator[list[T]]:
    """Yield whatever has come since the last time, so that few are answered at once.

    While one batch is worked on the next is read, in a thread. At most two batches are held.

    Args:
        items: what comes, maybe slowly.
        most: how many a batch may have.

    Raises:
        Exception: what reading the items raised, after all that came before was given.
    """
    queue: Queue[tuple[str, Any]] = Queue(most)

    def read() -> None:
        try:
            for item in items:
                queue.put(("item", item))
        except BaseException as error:
            queue.put(("error", error))
        else:
            queue.put(("end", None))

    Thread(target=read, daemon=True).start()
    kind = "item"
    while kind == "item":
        batch, (kind, value) = [], queue.get()
        with suppress(Empty):
            while kind == "item":
                batch.append(value)
                if len(batch) == most:
                    break
                kind, value = queue.get_nowait()
        if batch:
            yield batch
    if kind == "error":
        raise value


def check_place(option: str, file: Path, suffix: str) -> None:
    """Find out before the work, not after it, that there is no place for a file.

    Args:
        option: the option that named it.
        file: the file.
        suffix: what its name must end with.

    Raises:
        SettingError: its name ends otherwise, or it cannot be written.
    """
    if file.suffix != suffix:
        raise SettingError(f"{option} {file}: expected a name that ends with {suffix}")
    if file.is_dir():
        raise SettingError(f"{option} {file}: is a folder: name a file")
    probe = file.with_name(f".{file.name}.writable")
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingError(f"{option} {file}: cannot be written: {reason}. Name another") from None
