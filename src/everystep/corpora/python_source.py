"""Python source as labelled sequences: one a function, one a run of the lines between functions.

A step is a token that can be seen. Line ends, indents and dedents are no steps: their labels would
be right for free and would flatter every score. A string is one step, and so are an f-string with
all that it encloses, a number and a comment.
"""

import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from everystep.corpora.cutting import cut
from everystep.corpora.source_roles import Assigned, assign_roles
from everystep.errors import CorpusError, SettingError
from everystep.kinds import checked

LONGEST: Final = 128
"""Most steps of a sequence, unless told otherwise."""

_SYMBOL_OF_KIND: Final = {
    tokenize.STRING: "<string>",
    tokenize.NUMBER: "<number>",
    tokenize.COMMENT: "<comment>",
}


class Token(NamedTuple):
    """One step of a sequence of source, with what is needed to show it where it stood.

    Attributes:
        text: the token as it is written.
        symbol: what a model reads in its place.
        role: the role that the token plays, one of `ROLES`.
        before: the source between the token before and this one: spaces, line ends, backslashes.
        line: the line where the token starts, from 1.
        column: the column where the token starts, from 0, in characters.
    """

    text: str
    symbol: str
    role: str
    before: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class SourceSequence:
    r"""A run of tokens of one file, as parallel lists.

    Args:
        path: the file, as it was named to the reader.
        symbols: what a model reads at each step: the token's text, or `<string>`, `<number>` or
            `<comment>`, which have too many spellings to learn.
        roles: the label of each step.
        texts: the tokens as they are written.
        offsets: where each token starts in the source, in characters.
        after: where the token before the first one ends.
        source: the whole file.

    >>> first = read_source("x = f(1)\n", "example.py")[0]
    >>> first.symbols
    ('x', '=', 'f', '(', '<number>', ')')
    >>> first.roles[0], first.roles[2]
    ('variable written', 'function called')
    """

    path: str
    symbols: tuple[str, ...]
    roles: tuple[str, ...]
    texts: tuple[str, ...] = field(repr=False)
    offsets: tuple[int, ...] = field(repr=False)
    after: int = field(repr=False)
    source: str = field(repr=False)

    def __len__(self) -> int:
        return len(self.symbols)

    def tokens(self) -> Iterator[Token]:
        r"""Yield the steps with the layout between them.

        The `before` and `text` of all tokens of a file, joined, are the file, but for what follows
        its last token.

        >>> [sequence] = read_source("if x:\n    y = 1\n", "example.py")
        >>> "".join(token.before + token.text for token in sequence.tokens())
        'if x:\n    y = 1'
        >>> [(token.text, token.line, token.column) for token in sequence.tokens()][-3:]
        [('y', 2, 4), ('=', 2, 6), ('1', 2, 8)]
        """
        line, line_start, seen, end = 1, 0, 0, self.after
        for text, symbol, role, start in zip(
            self.texts, self.symbols, self.roles, self.offsets, strict=True
        ):
            # Counted from the start of the token before: a string may hold line ends too.
            line += self.source.count("\n", seen, start)
            line_start = max(line_start, self.source.rfind("\n", seen, start) + 1)
            yield Token(text, symbol, role, self.source[end:start], line, start - line_start)
            seen, end = start, start + len(text)


@checked
def read_source(text: str, path: str, longest: int = LONGEST) -> list[SourceSequence]:
    r"""Split Python source into labelled sequences.

    A sequence is a function or method, or the lines between two of them; comments go with the line
    that follows. Those longer than `longest` are cut into pieces of about one length at the ends
    of logical lines; a logical line longer than that is cut hard. Every token is in one sequence.

    Args:
        text: the source.
        path: a name for it, used in errors and in the sequences.
        longest: most steps of a sequence, at least 1.

    Returns:
        The sequences in order; none for a text without tokens.

    Raises:
        CorpusError: the running Python cannot read the text; the message names file and line.
        SettingError: `longest` is below 1.

    >>> [sequence.symbols for sequence in read_source("import os\n\ndef f(): pass\n", "a.py")]
    [('import', 'os'), ('def', 'f', '(', ')', ':', 'pass')]
    """
    if longest < 1:
        raise SettingError(f"longest: expected 1 or more steps a sequence, got {longest}")
    source = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    try:
        assigned = assign_roles(source)
    except (SyntaxError, ValueError, tokenize.TokenError, RecursionError, MemoryError) as error:
        raise CorpusError(f"{_place(path, error)}: {_reason(error)}") from error
    return _sequences(assigned, source, path, longest)


@checked
def read_source_file(file: str | Path, path: str, longest: int = LONGEST) -> list[SourceSequence]:
    """Read one file of Python source, in the encoding that it declares.

    Args:
        file: where the file is.
        path: a name for it, used in errors and in the sequences.
        longest: most steps of a sequence, at least 1.

    Returns:
        As `read_source`.

    Raises:
        CorpusError: the file cannot be opened, decoded or parsed; the message says where.
        SettingError: `longest` is below 1.

    >>> import keyword
    >>> read_source_file(keyword.__file__, "keyword.py")[0].symbols[:2]
    ('<string>', '__all__')
    """
    try:
        with tokenize.open(file) as stream:
            text = stream.read()
    except (OSError, SyntaxError, ValueError) as error:
        raise CorpusError(f"{path}: cannot be read as text: {error}") from error
    return read_source(text, path, longest)


def _place(path: str, error: BaseException) -> str:
    line: object = getattr(error, "lineno", None)
    if isinstance(error, tokenize.TokenError):
        line = error.args[1][0]
    return path if line is None else f"{path}:{line}"


def _reason(error: BaseException) -> str:
    if isinstance(error, RecursionError | MemoryError):
        return "Python cannot read this: it is nested too deeply"
    message: object = error
    if isinstance(error, SyntaxError):
        message = error.msg
    elif isinstance(error, tokenize.TokenError):
        message = error.args[0]
    return f"Python cannot read this: {message}"


def _sequences(assigned: Assigned, source: str, path: str, longest: int) -> list[SourceSequence]:
    lexemes = assigned.lexemes
    texts, offsets, roles = tuple(lexemes.texts), tuple(lexemes.offsets), tuple(assigned.roles)
    symbols = tuple(
        _SYMBOL_OF_KIND.get(kind, text) for kind, text in zip(lexemes.kinds, texts, strict=True)
    )
    starts = cut(len(texts), lexemes.line_firsts, _breaks(assigned), longest)
    found = []
    for start, end in pairwise([*starts, len(texts)]):
        steps = slice(start, end)
        after = offsets[start - 1] + len(texts[start - 1]) if start else 0
        found.append(
            SourceSequence(
                path, symbols[steps], roles[steps], texts[steps], offsets[steps], after, source
            )
        )
    return found


def _breaks(assigned: Assigned) -> list[int]:
    """Return the first tokens of the lines that start a function or class or follow one."""
    lexemes = assigned.lexemes
    lines = set()
    for first, last in assigned.units:
        lines.add(lexemes.line_of(first))
        lines.add(lexemes.line_of(last) + 1)
    lines.discard(len(lexemes.line_firsts))
    return [lexemes.line_firsts[line] for line in lines]
