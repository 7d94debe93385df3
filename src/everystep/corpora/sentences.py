"""What every reader gives: the tokens of a sequence, with labels where the data has them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from everystep.errors import DataError


@dataclass(frozen=True, slots=True)
class Sentence:
    """Tokens in their order, and a label for each where the data has labels.

    Args:
        tokens: the text of each step; there may be none.
        labels: as many labels; None where the data has none.
        place: where the sentence starts, such as `train.conllu:12`, for messages.
        source: what the writer of its format needs to give it back with other labels.

    Raises:
        DataError: there are more labels or fewer than tokens.

    >>> sentence = Sentence(("a", "cat"), ("DET", "NOUN"))
    >>> len(sentence), list(sentence.pairs())
    (2, [('a', 'DET'), ('cat', 'NOUN')])
    """

    tokens: tuple[str, ...]
    labels: tuple[str, ...] | None = None
    place: str = ""
    source: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.labels is not None and len(self.labels) != len(self.tokens):
            where = f"{self.place}: " if self.place else ""
            raise DataError(
                f"{where}expected one label a token, got {len(self.labels)} labels "
                f"for {len(self.tokens)} tokens"
            )

    def __len__(self) -> int:
        return len(self.tokens)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield each token with its label.

        Raises:
            DataError: the sentence has no labels.
        """
        if self.labels is None:
            raise DataError(f"{self.place or 'a sentence'}: has no labels")
        yield from zip(self.tokens, self.labels, strict=True)
