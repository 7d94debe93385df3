"""Formats of a token a line, where a blank line ends a sentence."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from everystep.corpora.readers.lines import Line
from everystep.errors import CorpusError

LONGEST_BLOCK: Final = 1 << 24
"""Most characters of a sentence with all that belongs to it."""

MOST_LINES: Final = 1 << 17
"""Most lines of a sentence and of what is around it: short ones take more than their characters."""


class Kind(Enum):
    """What a line is: of a token, blank, or apart, such as a comment."""

    TOKEN = 1
    BLANK = 2
    APART = 3


@dataclass(slots=True)
class Block:
    """The lines of one sentence.

    Args:
        before: blank lines and lines apart, from the sentence before to the first token.
        tokens: a line for each token.
        after: the blank line that ends the sentence, empty where a file ends without.
    """

    before: list[Line] = field(default_factory=list)
    tokens: list[Line] = field(default_factory=list)
    after: str = ""

    @property
    def place(self) -> str:
        """Where the first token stands, or the first line where there is no token."""
        return (self.tokens or self.before)[0].place


def read_blocks(
    lines: Iterable[Line],
    kind_of: Callable[[str], Kind],
    parts: bool = False,
    unit: str = "sentence",
    most: int = MOST_LINES,
) -> Iterator[Block]:
    """Put the lines of sentences together, each sentence as soon as the line that ends it is there.

    Every line is in one block, but for blank lines behind the last sentence. Where a file ends
    with lines apart, its last block has no token.

    Args:
        lines: the lines of a file.
        kind_of: what a line is.
        parts: whether a line apart may follow a token without a blank line; it then starts a block.
        unit: what a block is, for messages.
        most: how many lines a block may have.

    Yields:
        Each block.

    Raises:
        CorpusError: a sentence is longer than `LONGEST_BLOCK` or has more than `most` lines, or a
            line apart is where it may not be; the message names file and line.
    """
    block, size = Block(), 0
    for line in lines:
        kind = kind_of(line.text)
        size += len(line.text)
        if size > LONGEST_BLOCK or len(block.before) + len(block.tokens) >= most:
            raise CorpusError(
                f"{line.place}: the {unit} from {block.place} on has more than {LONGEST_BLOCK} "
                f"characters or {most} lines; expected a blank line between one {unit} and the next"
            )
        if kind is Kind.TOKEN:
            block.tokens.append(line)
        elif not block.tokens:
            block.before.append(line)
        elif kind is Kind.BLANK:
            block.after = line.text
            yield block
            block, size = Block(), 0
        elif parts:
            yield block
            block, size = Block(before=[line]), len(line.text)
        else:
            raise CorpusError(
                f"{line.place}: expected a token or a blank line within the {unit} from "
                f"{block.place} on, got {line.text.strip()[:80]!r}; "
                "put a blank line between sentences"
            )
    if block.tokens or any(kind_of(line.text) is Kind.APART for line in block.before):
        yield block


def text_of(block: Block) -> str:
    """Return all lines of a block."""
    return "".join(line.text for line in (*block.before, *block.tokens)) + block.after


def rewrite(text: str, kind_of: Callable[[str], Kind], change: Callable[[str], str]) -> str:
    """Return the text of a block with the lines of its tokens changed, all others as they are.

    Args:
        text: what `text_of` gave.
        kind_of: what a line is.
        change: makes the new line of the old one, both without their ends.
    """
    found = []
    for line in text.split("\n"):
        body, end = (line[:-1], "\r") if line.endswith("\r") else (line, "")
        found.append(change(body) + end if body and kind_of(body) is Kind.TOKEN else line)
    return "\n".join(found)
