"""What a tagger reads of a sentence: ids of words, and the characters of each distinct word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from everystep.corpora.vocabulary import Vocabulary
from everystep.errors import FormatError
from everystep.sequences import Ragged
from everystep.tagging.pretrained import Pretrained, without_digits
from everystep.tagging.settings import Settings

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Encoded:
    """Some sentences as numbers: each distinct spelling once, and which one each step has.

    Shapes:
        words (kinds,), counts (kinds,), spellings (kinds, characters), pretrained (kinds,)

    Args:
        kinds: for each sentence the number of each step's spelling; number 0 is no word.
        words: the id of each spelling's word.
        counts: how often training saw it.
        spellings: the ids of its characters, 0 after the last.
        pretrained: the id of its vector among those of a file, if there was one.
    """

    kinds: Ragged
    words: Ids
    counts: npt.NDArray[np.int64]
    spellings: Ids
    pretrained: Ids | None


@dataclass(frozen=True)
class Features:
    """Between the text of sentences and the numbers that a network reads.

    Args:
        words: the words that training saw, as they are looked up.
        characters: the characters that training saw.
        lowercase: whether words are looked up in lower case.
        digits: whether words are looked up with every digit as 0.
        spelling: how many characters of a word are read.
        pretrained: the words that have a vector from a file, if there was one.

    Example:
        >>> features = Features.of([["The", "cat", "sat"], ["the", "dog"]], Settings(spelling=4))
        >>> features.words.entries
        ('the', 'cat', 'dog', 'sat')
        >>> features.encode([["The", "cow", "The"]]).kinds.split()
        [array([1, 2, 1], dtype=int32)]
    """

    words: Vocabulary
    characters: Vocabulary
    lowercase: bool
    digits: bool
    spelling: int
    pretrained: Pretrained | None = None

    @classmethod
    def of(
        cls,
        sentences: Iterable[Sequence[str]],
        settings: Settings,
        pretrained: Pretrained | None = None,
    ) -> Self:
        """Collect the words and characters of the sentences to learn from."""
        empty = Vocabulary([])
        blank = cls(empty, empty, settings.lowercase, settings.digits, settings.spelling)
        sentences = list(sentences)
        words = Vocabulary.from_sequences(
            (map(blank.looked_up, tokens) for tokens in sentences),
            minimum_count=settings.minimum_count,
        )
        characters = Vocabulary.from_sequences(
            characters for tokens in sentences for characters in tokens
        )
        return replace(blank, words=words, characters=characters, pretrained=pretrained)

    @classmethod
    def from_dict(cls, data: Any, settings: Settings) -> Self:
        """Make features of what `to_dict` gave, which may come from a file of anybody.

        Raises:
            FormatError: the data has another form; the message says where.
        """
        keys = {"words", "characters", "pretrained"}
        if not isinstance(data, Mapping) or set(data) != keys:
            raise FormatError(f"features: expected a mapping with keys {sorted(keys)}")
        words, characters = map(Vocabulary.from_dict, (data["words"], data["characters"]))
        if not (words.reserved and characters.reserved):
            raise FormatError("features: both vocabularies need ids for padding and for unknown")
        found = data["pretrained"]
        return cls(
            words,
            characters,
            settings.lowercase,
            settings.digits,
            settings.spelling,
            None if found is None else Pretrained.from_dict(found),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the vocabularies as plain data; the rest stands in the settings."""
        return {
            "words": self.words.to_dict(),
            "characters": self.characters.to_dict(),
            "pretrained": None if self.pretrained is None else self.pretrained.to_dict(),
        }

    def looked_up(self, token: str) -> str:
        """Return the word under which a token is looked up."""
        word = token.lower() if self.lowercase else token
        return without_digits(word) if self.digits else word

    def knows(self, token: str) -> bool:
        """Whether training saw the word of a token often enough to give it a vector."""
        return self.looked_up(token) in self.words

    def encode(self, sentences: Sequence[Sequence[str]]) -> Encoded:
        """Turn sentences into numbers.

        Memory grows with these sentences alone; nothing is kept from call to call.
        """
        numbers: dict[str, int] = {}
        kinds = [
            np.fromiter((numbers.setdefault(t, len(numbers) + 1) for t in tokens), np.int32)
            for tokens in sentences
        ]
        words = np.zeros(len(numbers) + 1, np.int32)
        words[1:] = self.words.encode([self.looked_up(token) for token in numbers])
        counts = np.array([0, 0, *self.words.counts], np.int64)[words]
        spellings = np.zeros((len(words), self.spelling), np.int32)
        for row, token in enumerate(numbers, 1):
            ids = self.characters.encode(self._shortened(token))
            spellings[row, : len(ids)] = ids
        pretrained = None
        if self.pretrained is not None:
            pretrained = np.append(np.int32(0), self.pretrained.ids(numbers))
        return Encoded(Ragged.of(kinds, "tokens"), words, counts, spellings, pretrained)

    def _shortened(self, token: str) -> str:
        if len(token) <= self.spelling:
            return token
        first = self.spelling // 2
        return token[:first] + token[len(token) - (self.spelling - first) :]
