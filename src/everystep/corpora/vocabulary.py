"""Between tokens or labels, which are text, and the ids that a model reads and writes."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from everystep.errors import DataError, FormatError, SettingError
from everystep.kinds import EACH, LISTED, Kind, checked, optional, reject, shown

PADDING: Final = "<padding>"
UNKNOWN: Final = "<unknown>"
_LARGEST: Final = 10_000_000


def _texts(value: Iterable[Any]) -> list[Any]:
    texts = list(value)
    return texts if all(isinstance(text, Hashable) for text in texts) else reject(value)


_ENTRIES: Final = Kind("a list of texts", list)
_TEXTS: Final = Kind("a list of texts, or one text for its characters", _texts)


class Vocabulary:
    """A fixed list of entries with ids in their order.

    With `reserved`, id 0 is padding and id 1 stands for every token that is no entry: a vocabulary
    of tokens. Without, ids start at 0 with the first entry, and text that is no entry is an error:
    a set of labels.

    Args:
        entries: the entries in the order of their ids, each once.
        counts: how often each entry was seen; 0 each if None.
        reserved: whether ids 0 and 1 are padding and unknown.

    Raises:
        DataError: an entry is empty, doubled, no text or a reserved name; or the counts do not fit.

    >>> words = Vocabulary(["the", "cat"])
    >>> words.encode(["the", "dog"]), words.decode([2, 1, 0])
    (array([2, 1], dtype=int32), ['the', '<unknown>', '<padding>'])
    >>> Vocabulary(["noun", "verb"], reserved=False).encode(["verb"])
    array([1], dtype=int32)
    """

    @checked(entries=_ENTRIES, counts=optional(LISTED))
    def __init__(
        self, entries: Iterable[str], counts: Iterable[int] | None = None, *, reserved: bool = True
    ) -> None:
        self.entries = tuple(entries)
        self.counts = (0,) * len(self.entries) if counts is None else tuple(counts)
        self.reserved = reserved
        self._texts = ((PADDING, UNKNOWN) if reserved else ()) + self.entries
        self._check()
        first = len(self._texts) - len(self.entries)
        self._ids = {entry: first + position for position, entry in enumerate(self.entries)}

    def _check(self) -> None:
        if len(self.counts) != len(self.entries):
            raise DataError(
                f"counts: expected one for each of {len(self.entries)} entries, "
                f"got {len(self.counts)}"
            )
        for count in self.counts:
            if type(count) is not int or count < 0:
                raise DataError(f"counts: expected whole numbers from 0, got {shown(count)}")
        for entry in self.entries:
            if not isinstance(entry, str) or not entry:
                raise DataError(f"entries: expected text that is not empty, got {shown(entry)}")
        if len(set(self._texts)) != len(self._texts):
            doubled = next(text for text, times in Counter(self._texts).items() if times > 1)
            raise DataError(f"entries: {doubled!r} is there twice, or is a reserved name")

    @classmethod
    @checked(sequences=EACH)
    def from_sequences(
        cls,
        sequences: Iterable[Iterable[str]],
        *,
        minimum_count: int = 1,
        maximum_size: int | None = None,
    ) -> "Vocabulary":
        """Collect the tokens of a corpus, most frequent first, ties in alphabetical order.

        Args:
            sequences: the tokens of each sequence.
            minimum_count: how often a token must be seen to become an entry.
            maximum_size: most ids, the two reserved ones included; as many as there are if None.

        Returns:
            A vocabulary with padding and unknown.

        Raises:
            SettingError: `minimum_count` is below 1 or `maximum_size` below 2.

        >>> Vocabulary.from_sequences([["a", "b"], ["b", "c"]], maximum_size=4).entries
        ('b', 'a')
        """
        if minimum_count < 1:
            raise SettingError(f"minimum_count: expected 1 or more, got {minimum_count}")
        if maximum_size is not None and maximum_size < 2:
            raise SettingError(
                f"maximum_size: expected 2 or more, for padding and unknown, got {maximum_size}"
            )
        seen: Counter[str] = Counter()
        for sequence in sequences:
            seen.update(_TEXTS.taken("sequences: each", sequence))
        # A corpus may spell a reserved name or an empty token: both are read as unknown.
        for text in (PADDING, UNKNOWN, ""):
            seen.pop(text, None)
        ordered = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
        kept = [item for item in ordered if item[1] >= minimum_count]
        kept = kept[: None if maximum_size is None else maximum_size - 2]
        return cls((text for text, _ in kept), (count for _, count in kept))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Vocabulary":
        """Make a vocabulary from what `to_dict` gave, which may come from a file of anybody.

        Args:
            data: a mapping with the keys "entries", "counts" and "reserved".

        Returns:
            An equal vocabulary.

        Raises:
            FormatError: the data has another form; the message says where.

        >>> Vocabulary.from_dict({"entries": ["a"], "counts": [3], "reserved": True}).counts
        (3,)
        """
        keys = {"entries", "counts", "reserved"}
        if not isinstance(data, Mapping) or set(data) != keys:
            got = sorted(map(str, data)) if isinstance(data, Mapping) else type(data).__name__
            raise FormatError(f"vocabulary: expected a mapping with keys {sorted(keys)}, got {got}")
        entries, counts, reserved = data["entries"], data["counts"], data["reserved"]
        if not isinstance(reserved, bool):
            raise FormatError(
                f"vocabulary, reserved: expected true or false, got {shown(reserved)}"
            )
        for name, values in (("entries", entries), ("counts", counts)):
            if not isinstance(values, list) or len(values) > _LARGEST:
                raise FormatError(f"vocabulary, {name}: expected a list of at most {_LARGEST}")
        try:
            return cls(entries, counts, reserved=reserved)
        except (DataError, TypeError) as error:
            raise FormatError(f"vocabulary, {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, fit for JSON, from which `from_dict` makes an equal vocabulary."""
        return {
            "entries": list(self.entries),
            "counts": list(self.counts),
            "reserved": self.reserved,
        }

    @checked(texts=_TEXTS)
    def encode(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """Turn one sequence of tokens or labels into ids.

        Args:
            texts: the tokens of one sequence.

        Returns:
            int32 ids, shape (steps,).

        Raises:
            DataError: a text is no entry, where nothing is reserved for unknown ones.

        >>> Vocabulary(["a"]).encode([])
        array([], dtype=int32)
        """
        if self.reserved:
            ids = [self._ids.get(text, 1) for text in texts]
        else:
            try:
                ids = [self._ids[text] for text in texts]
            except KeyError as error:
                raise DataError(
                    f"{error.args[0]!r} is none of the {len(self)} labels, "
                    f"which are {', '.join(self.entries[:20])}"
                ) from None
        return np.asarray(ids, np.int32)

    def decode(self, ids: ArrayLike) -> list[str]:
        """Turn the ids of one sequence back into text.

        Args:
            ids: whole numbers, shape (steps,).

        Returns:
            The entry of each, or the name of the reserved id.

        Raises:
            DataError: an id is out of range, or the array is not of whole numbers and one axis.

        >>> Vocabulary(["a", "b"]).decode([3, 2])
        ['b', 'a']
        """
        values = np.asarray(ids)
        if values.ndim != 1 or (values.size and not np.issubdtype(values.dtype, np.integer)):
            raise DataError(
                f"ids: expected whole numbers of shape (steps,), got {values.dtype} of shape "
                f"{values.shape}"
            )
        outside = [value for value in values.tolist() if not 0 <= value < len(self)]
        if outside:
            raise DataError(f"ids: expected 0 to {len(self) - 1}, got {outside[0]}")
        return [self._texts[value] for value in values.tolist()]

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, text: object) -> bool:
        return text in self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.entries, self.counts, self.reserved))

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} ids, reserved={self.reserved})"
