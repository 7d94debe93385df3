"""Column files: a token a line, its label in a column, a blank line between sentences.

Source: the shared tasks of CoNLL (Tjong Kim Sang and De Meulder 2003) and WNUT (Derczynski et al.
2017), whose files these are.
"""

import re
from collections.abc import Iterator, Sequence
from os import PathLike
from typing import ClassVar, Final, NamedTuple

from everystep.corpora.readers.base import (
    CUTS_WORDS,
    NO_LABEL,
    Reader,
    Written,
    fit,
    shown,
)
from everystep.corpora.readers.blocks import Kind, read_blocks, rewrite, text_of
from everystep.corpora.readers.lines import Line, cut_end, read_lines
from everystep.corpora.sentences import Sentence
from everystep.errors import CorpusError

_DOCUMENT: Final = "-DOCSTART-"
_WHITE: Final = " \t\r\n\v\f"
_FIELD: Final = re.compile(r"[^ \t]+")


class _Layout(NamedTuple):
    """How the lines of one file are cut, which its first token says."""

    tabs: bool
    columns: int
    label: int | None

    def fields(self, line: str) -> list[str]:
        return line.split("\t") if self.tabs else _FIELD.findall(line)


_NEW: Final = _Layout(tabs=True, columns=1, label=None)


class Columns(Reader):
    r"""Files of columns: the token in the first, its label in the last or in one by number.

    Where the first line of a token has a tab, tabs alone separate columns, and tokens may hold
    spaces; else spaces do. A line of white space alone ends a sentence, as a blank line does. Lines
    that start with `-DOCSTART-` are no tokens; they come back when a sentence is written. A file of
    one column has no labels.

    `label` is the number of a column, from 2. Probabilities make one more column at the end.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "two.conll")
    >>> _ = path.write_text("New York\tB-place\n.\tO\n\t\nYes\tO\n")
    >>> [first, second] = Columns().read(path)
    >>> first.tokens, first.labels, second.place[-7:]
    (('New York', '.'), ('B-place', 'O'), 'conll:4')
    >>> Columns().write(second, ["X"])
    'Yes\tX\n'
    """

    name: ClassVar[str] = "columns"
    suffixes: ClassVar[tuple[str, ...]] = (".conll", ".bio", ".iob", ".tsv", ".annotated")
    summary: ClassVar[str] = "a token a line, its label in the last column, blank lines between"
    labels_are: ClassVar[str] = "labels by the number of their column, 2 or more"

    def has_label(self, label: str) -> bool:
        """Whether it is the number of a column behind the first."""
        return label.isdecimal() and int(label) > 1

    def sentences(self, path: str | PathLike[str]) -> Iterator[Sentence]:
        """Yield the sentences of a file."""
        layout = None
        for block in read_blocks(read_lines(path), _kind_of, parts=True):
            if layout is None and block.tokens:
                layout = self._layout(block.tokens[0])
            rows = [_row(line, layout) for line in block.tokens] if layout else []
            column = layout.label if layout else None
            yield Sentence(
                tuple(row[0] for row in rows),
                None if column is None and rows else tuple(row[column or 0] for row in rows),
                block.place,
                Written(self.name, self.label, text_of(block), layout or _NEW),
            )

    def text(
        self,
        sentence: Sentence,
        written: Written | None,
        labels: Sequence[str],
        probabilities: Sequence[float] | None,
    ) -> str:
        """Return the sentence with labels in their column."""
        if written is None:
            return super().text(sentence, written, labels, probabilities)
        layout = written.parts
        unfit = CUTS_WORDS if layout.columns > 1 and not layout.tabs else NO_LABEL
        fit(labels, unfit, sentence.place, "a label in a column")
        steps = iter(range(len(sentence)))

        def change(line: str) -> str:
            step = next(steps)
            if layout.label is None:
                parts, between = [*layout.fields(line), labels[step]], "\t"
            else:
                parts = [_replaced(line, layout, labels[step])]
                between = "\t" if layout.tabs else " "
            if probabilities is not None:
                parts.append(shown(probabilities[step]))
            return between.join(parts)

        return rewrite(written.text, _kind_of, change)

    def _layout(self, line: Line) -> _Layout:
        body = cut_end(line.text)[0]
        columns = len(_Layout("\t" in body, 0, None).fields(body))
        column = columns if self.label is None else int(self.label)
        if column > columns:
            raise CorpusError(
                f"{line.place}: expected column {column}, of the labels, got {columns} columns"
            )
        return _Layout("\t" in body, columns, None if columns == 1 else column - 1)


def _kind_of(line: str) -> Kind:
    if not line.strip(_WHITE):
        return Kind.BLANK
    return Kind.APART if line.startswith(_DOCUMENT) else Kind.TOKEN


def _row(line: Line, layout: _Layout) -> list[str]:
    fields = layout.fields(cut_end(line.text)[0])
    if len(fields) != layout.columns:
        between = "tabs" if layout.tabs else "spaces"
        raise CorpusError(
            f"{line.place}: expected {layout.columns} columns separated by {between}, as in the "
            f"lines before, got {len(fields)}; put in what is missing"
        )
    if not fields[0] or not fields[layout.label or 0]:
        which = "token" if not fields[0] else "label"
        raise CorpusError(f"{line.place}: expected a {which}, got an empty column")
    return fields


def _replaced(line: str, layout: _Layout, label: str) -> str:
    """Return a line with its label replaced, and all that separates columns as it was."""
    if layout.tabs:
        fields = line.split("\t")
        fields[layout.label or 0] = label
        return "\t".join(fields)
    span = list(_FIELD.finditer(line))[layout.label or 0]
    return line[: span.start()] + label + line[span.end() :]
