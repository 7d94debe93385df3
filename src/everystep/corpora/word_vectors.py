"""Word vectors that were trained elsewhere, from the text files of word2vec, GloVe and fastText."""

import re
import warnings
from array import array
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain
from os import PathLike
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from everystep.corpora.readers.lines import Line, cut_end, name_of, open_bytes, read_lines
from everystep.corpora.vocabulary import PADDING, UNKNOWN
from everystep.errors import CorpusError
from everystep.kinds import WHOLE, WORDS, Kind, checked, optional

_OTHER_FILES: Final = {
    b"PK\x03\x04": "a zip archive: unpack it, and give the text file inside",
    b"\xba\x16\x4f\x2f": "a binary model of fastText: give the .vec file that comes with it",
    b"\x93NUMPY": "an array without words: write a line for each word, the word and its numbers",
    b"\x80": "a pickle: load it where it was saved, and write its vectors as text; "
    "in gensim, save_word2vec_format does so",
}
_BINARY_WORD2VEC: Final = (
    "a binary file of word2vec: write it as text; in gensim, "
    "KeyedVectors.load_word2vec_format(FILE, binary=True).save_word2vec_format(NEW_FILE) does so"
)
_HEADER: Final = re.compile(r"(\d{1,18}) (\d{1,9})", re.ASCII)
_LOOK: Final = 4096
_MANY: Final = 5


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Words, and a vector for each.

    Shapes: `table` (words, size), float32.

    Args:
        words: the words, each once, in the order of the file.
        table: their vectors.
        lines: how many words the file has, those that were left out included.
    """

    words: tuple[str, ...]
    table: NDArray[np.float32]
    lines: int


class _Odd:
    """Words that are not taken as they are: how many, and where the first of them stand."""

    def __init__(self, what: str) -> None:
        self._what, self._count = what, 0
        self._first: list[str] = []

    def add(self, word: str, place: str) -> None:
        """Count one more."""
        self._count += 1
        if self._count <= _MANY:
            self._first.append(f"{word!r} ({place})")

    def warn(self) -> None:
        """Warn of them, if there is any."""
        if self._count:
            more = f" and {self._count - _MANY} more" if self._count > _MANY else ""
            told = ", ".join(self._first)
            warnings.warn(f"words that {self._what}: {told}{more}", UserWarning, stacklevel=3)


class _Header(NamedTuple):
    """What the first line of word2vec's and fastText's files promises."""

    words: int
    size: int


_WANTED: Final = Kind("a set or list of words", lambda value: frozenset(WORDS.parse(value)))


@checked(wanted=_WANTED, further=optional(WHOLE))
def read_word_vectors(
    path: str | PathLike[str], wanted: Collection[str] = (), further: int | None = None
) -> WordVectors:
    r"""Read the vectors of some words of a file, in memory that grows with these words alone.

    A line holds a word and its numbers, with a space or a tab between. Files of word2vec and
    fastText say in a first line how many words of how many numbers follow; those of GloVe do not.
    A word may hold spaces, as some do in GloVe's. The number of columns is checked in every line,
    the numbers in those that are kept.

    A word that is there twice has its first vector, and a warning says so. Words that are empty or
    called as a `Vocabulary` calls padding and unknown words are left out with a warning.

    Args:
        path: the file, packed by gzip or not.
        wanted: words whose vectors are kept wherever they stand.
        further: of how many other words the vectors are kept, from the first line on, which files
            give to the most frequent words; None for all.

    Raises:
        CorpusError: the file cannot be read, is binary, has no word, has other columns or more
            or fewer words than its header promises, or something that is no finite number; the
            message names file and line.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "small.vec")
        ...     _ = path.write_text("3 2\nthe 0.5 1\nof 0 1\ncat -1 0.25\n")
        ...     vectors = read_word_vectors(path, wanted={"cat"}, further=1)
        >>> vectors.words, vectors.table.tolist()
        (('the', 'cat'), [[0.5, 1.0], [-1.0, 0.25]])

    Source: Mikolov et al. 2013, "Efficient Estimation of Word Representations in Vector Space";
    Pennington et al. 2014, "GloVe"; Bojanowski et al. 2017, "Enriching Word Vectors with Subword
    Information" for the three kinds of files.
    """
    _refuse_other_files(path)
    lines = read_lines(path)
    first = next(lines, None)
    if first is None:
        raise CorpusError(f"{name_of(path)}:1: expected words and vectors, got an empty file")
    header = _header_of(first)
    if header is None:
        lines, size = chain([first], lines), _size_of(first)
    else:
        size = header.size
    kept, values, left, count = dict[str, None](), array("f"), further, 0
    doubled = _Odd("are there more than once, and have their first vector")
    nameless = _Odd("name no word, and are left out")
    for line in _promised(lines, header, first.place):
        count += 1
        text = _bare(line.text)
        word = _word_of(text, size, line.place)
        if word in kept:
            doubled.add(word, line.place)
        elif word in ("", PADDING, UNKNOWN):
            nameless.add(word, line.place)
        elif word in wanted or left is None or left > 0:
            left = left if left is None or word in wanted else left - 1
            values.frombytes(_numbers_of(text, size, line.place).tobytes())
            kept[word] = None
    if not count:
        raise CorpusError(f"{name_of(path)}:1: expected words and vectors, got a header alone")
    doubled.warn()
    nameless.warn()
    return WordVectors(tuple(kept), np.frombuffer(values, np.float32).reshape(-1, size), count)


def _refuse_other_files(path: str | PathLike[str]) -> None:
    with open_bytes(path) as stream:
        head: bytes = stream.peek(_LOOK)[:_LOOK]  # type: ignore[attr-defined]
    found = [words for magic, words in _OTHER_FILES.items() if head.startswith(magic)]
    first, _, rest = head.partition(b"\n")
    if _HEADER.fullmatch(first.decode("latin-1").rstrip()) and b"\0" in rest:
        found = [_BINARY_WORD2VEC]
    if found:
        raise CorpusError(f"{name_of(path)}: expected word vectors as text, got {found[0]}")


def _bare(text: str) -> str:
    # word2vec and fastText write a space behind the last number.
    return cut_end(text)[0].replace("\t", " ").rstrip(" ")


def _header_of(first: Line) -> _Header | None:
    found = _HEADER.fullmatch(_bare(first.text))
    if found is None:
        return None
    header = _Header(*map(int, found.groups()))
    if not header.size:
        raise CorpusError(f"{first.place}: the header promises vectors of 0 numbers")
    return header


def _size_of(first: Line) -> int:
    """Return how many numbers end a line that is not a header."""
    size, (_, *fields) = 0, _bare(first.text).split(" ")
    while size < len(fields) and _is_number(fields[-1 - size]):
        size += 1
    if not size:
        raise CorpusError(
            f"{first.place}: expected a word and the numbers of its vector, or a header of two "
            f"whole numbers, got {first.text.strip()[:80]!r}"
        )
    return size


def _promised(lines: Iterator[Line], header: _Header | None, place: str) -> Iterator[Line]:
    """Yield the lines, if there are as many as a header promises."""
    count = 0
    for count, line in enumerate(lines, 1):
        if header is not None and count > header.words:
            raise CorpusError(
                f"{line.place}: expected the end of the file, as its header promises "
                f"{header.words} words, got another line"
            )
        yield line
    if header is not None and count < header.words:
        raise CorpusError(
            f"{place}: the header promises {header.words} words, but {count} came: "
            "is the file cut off?"
        )


def _word_of(text: str, size: int, place: str) -> str:
    spaces = text.count(" ")
    if spaces == size:
        return text[: text.index(" ")]
    # More columns belong to a word with spaces, as long as they do not look like numbers too many.
    word = text.rsplit(" ", size)[0] if spaces > size else ""
    if spaces < size or _is_number(word.rpartition(" ")[2]):
        raise CorpusError(
            f"{place}: expected a word and {size} numbers as in the lines before, "
            f"got {spaces + bool(text)} columns: {text[:60]!r}"
        )
    return word


def _numbers_of(text: str, size: int, place: str) -> NDArray[np.float32]:
    fields = text.rsplit(" ", size)[1:]
    try:
        with np.errstate(over="ignore"):
            numbers = np.array([float(field) for field in fields]).astype(np.float32)
        wrong = np.flatnonzero(~np.isfinite(numbers))
    except ValueError:
        wrong = np.array([k for k, field in enumerate(fields) if not _is_number(field)])
    if wrong.size:
        raise CorpusError(
            f"{place}: expected finite numbers that float32 holds, got {fields[wrong[0]][:40]!r} "
            f"as number {wrong[0] + 1} of {size}"
        )
    return numbers


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
