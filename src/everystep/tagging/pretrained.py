"""Word vectors of a file: which words have one, and how a word is found among them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from everystep.corpora import read_word_vectors
from everystep.corpora.vocabulary import Vocabulary
from everystep.errors import CorpusError, DataError, FormatError
from everystep.formats.opening import open_regular

_DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Pretrained:
    """The words that have a vector from a file.

    Args:
        words: the words, as the file spells them.
        size: how many numbers a vector has.

    Example:
        >>> pretrained = Pretrained(Vocabulary(["The", "cat", "0st"]), 50)
        >>> pretrained.ids(["The", "THE", "Cat", "1ST", "dog"]).tolist()
        [2, 1, 3, 4, 1]
    """

    words: Vocabulary
    size: int

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Make it of what `to_dict` gave, which may come from a file of anybody.

        Raises:
            FormatError: the data has another form.
        """
        if not isinstance(data, Mapping) or set(data) != {"words", "size"}:
            raise FormatError("pretrained: expected a mapping with keys 'size' and 'words'")
        words, size = Vocabulary.from_dict(data["words"]), data["size"]
        if type(size) is not int or size < 1 or not words.reserved:
            raise FormatError(
                "pretrained: expected words with ids for padding and for unknown, and of how many "
                f"numbers a vector is, got {size!r:.40}"
            )
        return cls(words, size)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; the vectors themselves are a weight of the network."""
        return {"words": self.words.to_dict(), "size": self.size}

    def ids(self, tokens: Iterable[str]) -> npt.NDArray[np.int32]:
        """Return the id of each token: its own, or that of it in lower case, or without digits."""
        known = self.words
        found = [next((w for w in spellings(t) if w in known), "") for t in tokens]
        return known.encode(found)


def spellings(token: str) -> tuple[str, str, str]:
    """Return under which words a token is looked up, the first that there is.

    >>> spellings("GPT-4")
    ('GPT-4', 'gpt-4', 'gpt-0')
    """
    lower = token.lower()
    return token, lower, without_digits(lower)


def without_digits(text: str) -> str:
    """Return a text with every digit as 0."""
    return _DIGIT.sub("0", text)


class Start(NamedTuple):
    """What a training starts from.

    Shapes: `table` (ids, size), the vectors of padding and of unknown words, both 0, first.

    Args:
        pretrained: which words have a vector.
        table: the vectors.
        record: the file, its checksum and what is known of it.
    """

    pretrained: Pretrained
    table: npt.NDArray[np.float32]
    record: dict[str, Any]


def start_from(path: str | PathLike[str], tokens: Iterable[str], unseen: int) -> Start:
    """Read the vectors of words.

    Args:
        path: the file.
        tokens: the tokens that training sees.
        unseen: how many other words get their vector.

    Raises:
        CorpusError: the file cannot be read, or is no file of word vectors.
        DataError: it has a vector for none of the tokens.
    """
    checksum = _checksum(path)
    wanted = {word for token in set(tokens) for word in spellings(token)}
    vectors = read_word_vectors(path, wanted, unseen)
    if wanted.isdisjoint(vectors.words):
        raise DataError(
            f"{os.fspath(path)}: none of its {vectors.lines} words is in the sentences to learn "
            "from: give vectors of the same language"
        )
    size = vectors.table.shape[1]
    pretrained = Pretrained(Vocabulary(vectors.words), size)
    record = {
        "file": os.fspath(path),
        "sha256": checksum,
        "words": vectors.lines,
        "kept": len(vectors.words),
        "size": size,
    }
    reserved = np.zeros((len(pretrained.words) - len(vectors.words), size), np.float32)
    return Start(pretrained, np.concatenate([reserved, vectors.table]), record)


def _checksum(path: str | PathLike[str]) -> str:
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = error.strerror or str(error)
        raise CorpusError(f"{os.fspath(path)}: cannot be opened: {reason}") from error
