"""Plain text, tokens separated by spaces, a sentence a line: what a pipe is fed with by hand."""

import re
from collections.abc import Iterator
from os import PathLike
from typing import ClassVar, Final

from everystep.corpora.readers.base import Reader, Written
from everystep.corpora.readers.lines import cut_end, read_lines
from everystep.corpora.sentences import Sentence

_TOKEN: Final = re.compile(r"[^ \t\r\v\f]+")


class Tokens(Reader):
    r"""Text without labels: a sentence a line, its tokens separated by spaces.

    A blank line is a sentence without tokens, so that the answers to a stream of lines are as many
    as the lines. Written are lines of a token, a tab and its label, with a blank line behind each
    sentence, which `columns` reads. Probabilities make one more column.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "one.txt")
    >>> _ = path.write_text("a cat\n")
    >>> [sentence] = Tokens().read(path)
    >>> Tokens().write(sentence, ["DET", "NOUN"], [0.75, 1.0])
    'a\tDET\t0.7500\ncat\tNOUN\t1.0000\n\n'
    """

    name: ClassVar[str] = "tokens"
    suffixes: ClassVar[tuple[str, ...]] = (".txt",)
    summary: ClassVar[str] = "tokens separated by spaces, a sentence a line, without labels"
    labels_are: ClassVar[str] = "no labels to choose from"

    def has_label(self, label: str) -> bool:
        """Whether there is such a label: there is none."""
        return False

    def sentences(self, path: str | PathLike[str]) -> Iterator[Sentence]:
        """Yield the sentences of a file."""
        for line in read_lines(path):
            tokens = tuple(_TOKEN.findall(cut_end(line.text)[0]))
            yield Sentence(tokens, None, line.place, Written(self.name, self.label, line.text))
