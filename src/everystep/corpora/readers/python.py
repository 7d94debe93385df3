"""Python source: each token with the role that it plays."""

import io
import tokenize
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import ClassVar, Final

from everystep.corpora.python_source import read_source
from everystep.corpora.readers.base import Reader
from everystep.corpora.readers.lines import STANDARD_INPUT, name_of, open_bytes
from everystep.corpora.sentences import Sentence
from everystep.errors import CorpusError

LONGEST_SOURCE: Final = 1 << 20
"""Most bytes of one file of source, whose tree takes up to a thousand times as many."""


class PythonSource(Reader):
    r"""Python source as sentences: a function each, or the lines between two of them.

    A step is what `everystep.corpora.read_source` makes one, its label the role of the token. A
    folder is read file by file, all that are named `.py` or `.pyi` in it, in alphabetical order.
    Since source holds no labels, lines of a token, a tab and its label are written.

    >>> import keyword
    >>> first = next(PythonSource().read(keyword.__file__))
    >>> first.tokens[1:3], first.labels[1:3]
    (('__all__', '='), ('variable written', 'operator'))
    """

    name: ClassVar[str] = "python"
    suffixes: ClassVar[tuple[str, ...]] = (".py", ".pyi")
    summary: ClassVar[str] = "Python source, each token with its role"
    labels_are: ClassVar[str] = "roles and no other label to choose from"

    def has_label(self, label: str) -> bool:
        """Whether it is the one label that there is."""
        return label == "role"

    def sentences(self, path: str | PathLike[str]) -> Iterator[Sentence]:
        """Yield the sentences of a file, or of all files of a folder."""
        for file in _files(path, self.suffixes):
            name = name_of(file)
            for sequence in read_source(_source(file, name), name):
                first = next(sequence.tokens())
                yield Sentence(
                    sequence.symbols,
                    sequence.roles,
                    f"{name}:{first.line}",
                    sequence,
                )


def _files(path: str | PathLike[str], suffixes: Sequence[str]) -> Sequence[str | PathLike[str]]:
    if path == STANDARD_INPUT or not Path(path).is_dir():
        return [path]
    return sorted(file for suffix in suffixes for file in Path(path).rglob(f"*{suffix}"))


def _source(path: str | PathLike[str], name: str) -> str:
    """Return source as text, in the encoding that it declares."""
    with open_bytes(path) as stream:
        content = stream.read(LONGEST_SOURCE + 1)
    if len(content) > LONGEST_SOURCE:
        raise CorpusError(f"{name}: expected at most {LONGEST_SOURCE} bytes of source, got more")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding)
    except (SyntaxError, ValueError) as error:
        raise CorpusError(f"{name}: cannot be read as text: {error}") from error
