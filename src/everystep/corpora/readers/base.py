"""What all readers share: a stream of sentences in, and each sentence back in its own format."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, ClassVar, Final, NamedTuple

from everystep.corpora.readers.lines import name_of
from everystep.corpora.sentences import Sentence
from everystep.errors import CorpusError, DataError, SettingError
from everystep.kinds import WORDS, Kind, checked, instance_of, optional


@dataclass(frozen=True, slots=True)
class Written:
    """A sentence as it stood in a file.

    Args:
        format: the name of the reader, since another may be asked to write the sentence.
        label: which labels were read.
        text: its lines, with their ends, and what stood before them.
        parts: what the writer needs besides, such as where the labels stand.
    """

    format: str
    label: str | None
    text: str
    parts: Any = None


_PROBABILITIES: Final = Kind("a list of numbers", lambda value: [float(each) for each in value])
A_SENTENCE: Final = instance_of("a Sentence", Sentence)


class Reader(ABC):
    """One format of labelled sentences.

    Args:
        label: which of the labels of the data is read, where there are several; None for the
            usual one.

    Raises:
        SettingError: the format has no such label.

    Attributes:
        name: what the format is called, such as `conllu`.
        suffixes: the ends of names of its files.
        summary: what the format is, in one line.
        labels_are: which labels may be chosen, in words.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    summary: ClassVar[str]
    labels_are: ClassVar[str]

    def __init__(self, label: str | None = None) -> None:
        self.label = label
        if label is not None and not self.has_label(label):
            raise SettingError(
                f"label: the format {self.name!r} has {self.labels_are}, got {label!r}"
            )

    @checked
    def read(self, path: str | PathLike[str]) -> Iterator[Sentence]:
        """Yield the sentences of a file one by one, in memory that does not grow with the file.

        Args:
            path: the file, packed by gzip or not, or `-` for standard input.

        Yields:
            Each sentence. One without tokens holds what else the data has at that place, such as
            comments behind the last sentence, so that writing all sentences loses nothing.

        Raises:
            CorpusError: the data cannot be read, or has no token at all; the message names the
                file, the line, what was expected and what came.
        """
        tokens = 0
        for sentence in self.sentences(path):
            tokens += len(sentence)
            yield sentence
        if not tokens:
            raise CorpusError(
                f"{name_of(path)}:1: expected sentences, got a file without a token; "
                f"it is read as {self.name!r}: {self.summary}"
            )

    @checked(sentence=A_SENTENCE, labels=WORDS, probabilities=optional(_PROBABILITIES))
    def write(
        self,
        sentence: Sentence,
        labels: Sequence[str],
        probabilities: Sequence[float] | None = None,
    ) -> str:
        """Return one sentence in this format with other labels.

        What this reader has read comes back as it was, but for labels that are others; with the
        same labels, it is the same text to the last byte. A sentence from elsewhere gets the least
        that the format needs.

        Args:
            sentence: a sentence of any reader.
            labels: a label for each token.
            probabilities: how probable each label is, from 0 to 1, where it is to be written.

        Returns:
            Its text, with the line that ends it, ready to stand before the next.

        Raises:
            DataError: there are more labels or fewer than tokens, or one that the format cannot
                hold.
        """
        for name, values in (("labels", labels), ("probabilities", probabilities)):
            if values is not None and len(values) != len(sentence):
                raise DataError(
                    f"{name}: expected one for each of {len(sentence)} tokens "
                    f"of {sentence.place or 'a sentence'}, got {len(values)}"
                )
        written = sentence.source
        if not isinstance(written, Written) or written.format != self.name:
            written = None
        elif (tuple(labels), self.label, probabilities) == (sentence.labels, written.label, None):
            return written.text
        return self.text(sentence, written, labels, probabilities)

    @abstractmethod
    def has_label(self, label: str) -> bool:
        """Whether the format can have labels of this name."""

    @abstractmethod
    def sentences(self, path: str | PathLike[str]) -> Iterator[Sentence]:
        """Yield the sentences of a file."""

    def text(
        self,
        sentence: Sentence,
        written: Written | None,
        labels: Sequence[str],
        probabilities: Sequence[float] | None,
    ) -> str:
        """Return the text of a sentence: what was written with other labels, or as new if None.

        A format without a place for labels has a line for each token and its label.
        """
        return labelled_lines(sentence, labels, probabilities)


def shown(probability: float) -> str:
    """Return a probability as formats of text have it.

    >>> shown(0.98765)
    '0.9877'
    """
    return f"{probability:.4f}"


class Unfit(NamedTuple):
    """What a token or a label may not hold in some format: as a pattern, and in words."""

    pattern: re.Pattern[str]
    words: str


CUTS_LINES: Final = Unfit(re.compile(r"[\t\r\n]"), "tabs or line ends")
NO_LABEL: Final = Unfit(re.compile(r"[\t\r\n]|^\s+$"), "tabs, line ends or white space alone")
CUTS_WORDS: Final = Unfit(re.compile(r"\s"), "white space")


def fit(texts: Sequence[str], unfit: Unfit, place: str, what: str) -> Sequence[str]:
    """Return texts that a format can hold as they are.

    Args:
        texts: tokens or labels.
        unfit: what none of them may hold.
        place: of which sentence they are.
        what: what they are and where they are to stand, for the message.

    Raises:
        DataError: one is empty, or holds what it may not.
    """
    for text in texts:
        if not text or unfit.pattern.search(text):
            raise DataError(
                f"{place or 'a sentence'}: {what} can neither be empty nor hold {unfit.words}, "
                f"got {text[:80]!r}; write it as 'jsonl'"
            )
    return texts


def labelled_lines(
    sentence: Sentence, labels: Sequence[str], probabilities: Sequence[float] | None
) -> str:
    """Return a line for each token: the token, its label, its probability, with tabs between."""
    columns = [
        fit(sentence.tokens, CUTS_LINES, sentence.place, "a token in a column"),
        fit(labels, NO_LABEL, sentence.place, "a label in a column"),
    ]
    if probabilities is not None:
        columns.append([shown(probability) for probability in probabilities])
    return "".join("\t".join(row) + "\n" for row in zip(*columns, strict=True)) + "\n"
