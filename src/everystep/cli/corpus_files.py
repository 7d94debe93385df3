"""What commands on corpora share: which reader reads what is named, and sentences as they come."""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import suppress
from queue import Empty, Queue
from threading import Thread
from typing import Any, TypeVar

from everystep.corpora.readers import READERS, STANDARD_INPUT, Reader, reader_for
from everystep.corpora.readers.lines import GZIP

T = TypeVar("T")

_LONGEST_LOOK = 4096
_ENTITY = re.compile(r"O|[BIESLU]-\S+")


def reader_of(
    path: str,
    reader: str | None,
    label: str | None,
    trained_on: Mapping[str, Any] | None = None,
    labels: Container[str] | None = None,
) -> Reader:
    """Return the reader for a file: the one that is named, or by the file's name or first lines.

    Where nothing says it, the file is taken for one as the model was trained on.

    Args:
        path: the file, or `-` for standard input.
        reader: the name of a reader, or None.
        label: which labels are read, or None for those that a model was trained on.
        trained_on: the reader and the label that a model was trained on.
        labels: the labels that are to be given; None where they have to be in the data.

    Raises:
        SettingError: there is no such reader or label, or nothing says which to take.
    """
    # What stands in a model's file may be anything.
    known = trained_on if isinstance(trained_on, Mapping) else {}
    usual = next((name for name in READERS if name == known.get("reader")), None)
    if reader is None and path == STANDARD_INPUT:
        reader = _guessed(_first_lines(), labels)
    chosen = reader_for(path, reader, label, usual)
    if label is None and usual == chosen.name and known.get("label"):
        chosen = reader_for(path, chosen.name, str(known["label"]))
    return chosen


def _first_lines() -> str:
    """Look at the first lines of standard input that are not blank, and leave them there."""
    with suppress(ValueError, zlib.error):  # closed or damaged, of which the reader has to tell
        head: bytes = sys.stdin.buffer.peek(_LONGEST_LOOK)[:_LONGEST_LOOK]  # type: ignore[union-attr]
        if head.startswith(GZIP):
            head = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(head, _LONGEST_LOOK)
        return head.decode("utf-8-sig", errors="replace").lstrip()
    return ""


def _guessed(head: str, labels: Container[str] | None) -> str:
    r"""Return the format of a stream by its first lines, as far as they have come.

    Columns that spaces separate look like sentences, but for their last one, which holds labels.

    >>> _guessed("# sent_id = 1\n", {"X"}), _guessed('{"tokens": []}\n', {"X"})
    ('conllu', 'jsonl')
    >>> _guessed("cat\tO\n", {"X"}), _guessed("cat X\n. X\n", {"X"}), _guessed("a\nb\n\n", {})
    ('columns', 'columns', 'columns')
    >>> _guessed("the cat sat\nit sat there\n", {"X"}), _guessed("cat X\n", {"X"})
    ('tokens', 'tokens')
    """
    block, blank, _ = head.replace("\r\n", "\n").partition("\n\n")
    whole = block if blank else block.rpartition("\n")[0] or block
    lines = [line.split() for line in whole.split("\n")]
    first, last = whole.partition("\n")[0], [line[-1] for line in lines if line]
    is_even = len(lines) > 1 and len({len(line) for line in lines}) == 1
    if is_even and len(lines[0]) > 1 and _are_labels(last, labels or ()):
        return "columns"
    if first.startswith("# ") or first.count("\t") == 9:
        return "conllu"
    if first.startswith("{"):
        return "jsonl"
    alone = is_even and len(lines[0]) == 1 and blank
    is_told = "\t" in first or first.startswith("-DOCSTART-")
    return "columns" if alone or is_told or labels is None else "tokens"


def _are_labels(words: Iterable[str], known: Container[str]) -> bool:
    """Whether all words are labels, known ones or of entities, and not all such as a full stop."""
    words = list(words)
    return all(word in known or _ENTITY.fullmatch(word) for word in words) and any(
        word.isalpha() or _ENTITY.fullmatch(word) for word in words
    )


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
