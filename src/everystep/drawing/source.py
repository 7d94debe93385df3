"""A sample of source as lines of pieces, each piece with the step that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field

from everystep.drawing.report import Sample, Token

_WIDEST = 66


@dataclass(frozen=True)
class Piece:
    """A run of characters on one line.

    Args:
        text: the characters.
        token: the step that they belong to; None for the layout between steps.
        column: where the run starts, from 0.
        first: whether the step starts here; a string may go on over further lines.
    """

    text: str
    token: Token | None
    column: int
    first: bool = True


@dataclass
class Line:
    """One line of source.

    Args:
        number: its number in the file.
        pieces: what stands on it.
    """

    number: int
    pieces: list[Piece] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The line as it is written."""
        return "".join(piece.text for piece in self.pieces)


def lines_of(sample: Sample) -> list[Line]:
    r"""Break a sample into lines.

    >>> step = dict(role="variable read", forward="variable read", bidirectional="variable read")
    >>> tokens = [Token(text="a", before="", **step), Token(text="b", before="\n  ", **step)]
    >>> [line.text for line in lines_of(Sample(path="x.py", line=1, tokens=tokens))]
    ['a', '  b']
    """
    lines = [Line(sample["line"])]
    for token in sample["tokens"]:
        _append(lines, token["before"], None)
        _append(lines, token["text"], token)
    return lines


def _append(lines: list[Line], text: str, token: Token | None) -> None:
    for place, run in enumerate(text.split("\n")):
        if place:
            lines.append(Line(lines[-1].number + 1))
        if run:
            lines[-1].pieces.append(Piece(run, token, len(lines[-1].text), first=not place))


def said(token: Token, model: str) -> str:
    """Return what a model says of a step.

    Args:
        token: the step.
        model: "forward" or "bidirectional".

    >>> step = Token(text="f", before="", role="type", forward="type", bidirectional="built-in")
    >>> said(step, "forward"), said(step, "bidirectional")
    ('type', 'built-in')
    """
    return token["forward"] if model == "forward" else token["bidirectional"]


def pointing(piece: Piece, words: str, pointer: str) -> str:
    """Return a line that points at a piece from below, and says something about it.

    Words that would reach too far to the right stand to the left of the pointer.

    Args:
        piece: what is pointed at.
        words: what is said.
        pointer: what points at it, such as an arrow.

    >>> pointing(Piece("name", None, column=2), "wrong", "^^^^")
    '  ^^^^ wrong'
    >>> pointing(Piece("name", None, column=60), "wrong", "^^^^").lstrip()
    'wrong ^^^^'
    """
    right = f"{' ' * piece.column}{pointer} {words}"
    if len(right) <= _WIDEST or piece.column <= len(words):
        return right
    return f"{words} ".rjust(piece.column) + pointer


def mistakes(sample: Sample, model: str) -> list[Token]:
    """Return the steps that a model has wrong."""
    return [token for token in sample["tokens"] if said(token, model) != token["role"]]
