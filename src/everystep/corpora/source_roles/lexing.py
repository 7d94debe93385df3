"""Source text as parallel lists of tokens, found by the positions that the syntax tree uses.

`ast` counts columns in UTF-8 bytes and `tokenize` counts them in characters; this file is the only
one that knows. It also joins the parts of an f-string, which `tokenize` hands out one by one since
Python 3.12, so that the same source gives the same tokens on every version.
"""

import io
import itertools
import token as token_kinds
import tokenize
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from tokenize import TokenInfo

Position = tuple[int, int]
"""Line from 1, column from 0: in characters from `tokenize`, in UTF-8 bytes from `ast`."""


def _kinds_named(ending: str) -> frozenset[int]:
    """Return the kinds of the parts of f-strings (Python 3.12) and t-strings (3.14)."""
    names = ("FSTRING" + ending, "TSTRING" + ending)
    return frozenset(getattr(token_kinds, name) for name in names if hasattr(token_kinds, name))


_FORMATTED_STARTS = _kinds_named("_START")
_FORMATTED_ENDS = _kinds_named("_END")
_LAYOUT = frozenset(
    {
        tokenize.ENCODING,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
)
_UNUSUAL = _LAYOUT | _FORMATTED_STARTS | {tokenize.ERRORTOKEN}


@dataclass(frozen=True, slots=True)
class Lexemes:
    """The tokens of one source text that can be seen, as parallel lists.

    Attributes:
        kinds: the `tokenize` kind of each token; an f-string is one STRING.
        texts: the text of each token.
        offsets: where each token starts, in characters from the start of the source.
        line_firsts: index of the first token of each logical line; comments that stand before a
            logical line belong to it.
        first_at: position in `ast` -> index of the token that starts there.
        last_at: position in `ast` -> index of the token that ends there.
    """

    kinds: Sequence[int]
    texts: Sequence[str]
    offsets: Sequence[int]
    line_firsts: Sequence[int]
    first_at: dict[Position, int]
    last_at: dict[Position, int]

    def next_name(self, index: int) -> int:
        """Return the index of the first name or keyword at `index` or after it."""
        while self.kinds[index] != tokenize.NAME:
            index += 1
        return index

    def last_name(self, index: int) -> int:
        """Return the index of the last name or keyword at `index` or before it."""
        while self.kinds[index] != tokenize.NAME:
            index -= 1
        return index

    def line_of(self, index: int) -> int:
        """Return the number, from 0, of the logical line that holds the token at `index`."""
        return bisect_right(self.line_firsts, index) - 1


def lex(source: str) -> Lexemes:
    r"""Split source text into tokens, leaving out layout (line ends, indents and dedents).

    Args:
        source: Python source whose lines end in a line feed.

    Returns:
        The tokens.

    Raises:
        tokenize.TokenError: the source ends inside a bracket or a string.
        SyntaxError: the source cannot be split into tokens.

    >>> found = lex("x = f'{a}'  # why\n")
    >>> found.texts, found.offsets
    (['x', '=', "f'{a}'", '# why'], [0, 2, 4, 12])
    """
    lines = source.split("\n")
    line_offsets = list(itertools.accumulate((len(line) + 1 for line in lines), initial=0))
    tokens, line_firsts = _visible_tokens(source)
    texts = [token[1] for token in tokens]
    offsets = [line_offsets[line - 1] + column for _, _, (line, column), _, _ in tokens]
    for index, token in enumerate(tokens):
        if token.string == "":  # an f-string that was put together
            end_line, end_column = token.end
            texts[index] = source[offsets[index] : line_offsets[end_line - 1] + end_column]
    starts, ends = [token[2] for token in tokens], [token[3] for token in tokens]
    if not source.isascii():
        starts, ends = _in_bytes(starts, lines), _in_bytes(ends, lines)
    first_at = dict(zip(starts, itertools.count(), strict=False))
    last_at = dict(zip(ends, itertools.count(), strict=False))
    return Lexemes([token[0] for token in tokens], texts, offsets, line_firsts, first_at, last_at)


def _visible_tokens(source: str) -> tuple[list[TokenInfo], list[int]]:
    """Return the tokens without layout, and the index of the first of each logical line."""
    found: list[TokenInfo] = []
    line_firsts = [0]
    stream = tokenize.generate_tokens(io.StringIO(source).readline)
    for token in stream:
        kind = token[0]
        if kind not in _UNUSUAL:
            found.append(token)
        elif kind == tokenize.NEWLINE:
            line_firsts.append(len(found))
        elif kind in _FORMATTED_STARTS:
            found.append(_joined(token, stream))
        elif kind == tokenize.ERRORTOKEN:
            line, column = token.start
            message = f"tokenize cannot read {token.string!r}"
            raise SyntaxError(message, (None, line, column, None))
    if line_firsts[-1] == len(found):
        line_firsts.pop()
    return found, line_firsts


def _joined(opening: TokenInfo, stream: Iterator[TokenInfo]) -> TokenInfo:
    """Take the parts of an f-string from the stream; return one STRING, its text left empty."""
    depth = 1
    token = opening
    while depth:
        token = next(stream)
        depth += (token.type in _FORMATTED_STARTS) - (token.type in _FORMATTED_ENDS)
    return TokenInfo(tokenize.STRING, "", opening.start, token.end, "")


def _in_bytes(positions: list[Position], lines: list[str]) -> list[Position]:
    """Turn columns in characters into columns in UTF-8 bytes."""
    wide = {number for number, line in enumerate(lines, 1) if not line.isascii()}
    return [
        (line, len(lines[line - 1][:column].encode()) if line in wide else column)
        for line, column in positions
    ]
