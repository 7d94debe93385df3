"""CoNLL-U, the format of Universal Dependencies: ten columns, a word a line.

What a word's number and its features mean is for the package `conllu` to say. Lines and columns are
cut here, since the package also cuts at two spaces, which a word may hold, and takes lines that
lack columns.

Source: https://universaldependencies.org/format.html, version 2.
"""

import re
from collections.abc import Iterator, Sequence
from os import PathLike
from typing import Any, ClassVar, Final

from everystep.corpora.readers.base import (
    CUTS_LINES,
    CUTS_WORDS,
    Reader,
    Unfit,
    Written,
    fit,
    shown,
)
from everystep.corpora.readers.blocks import Block, Kind, read_blocks, rewrite, text_of
from everystep.corpora.readers.lines import Line, cut_end, read_lines
from everystep.corpora.sentences import Sentence
from everystep.errors import CorpusError

_COLUMNS: Final = 10
_FORM, _UPOS, _FEATURES, _MISC = 1, 3, 5, 9
_LABELS: Final = {"upos": _UPOS, "xpos": 4, "deprel": 7, "feats": _FEATURES}
_NONE: Final = "_"
_FEATURES_ARE: Final = re.compile(r"_|[^\s|=]+=[^\s|=]+(\|[^\s|=]+=[^\s|=]+)*")
_CUTS_FEATURES: Final = Unfit(re.compile(r"[\s|=]"), "white space, | or =")


class Conllu(Reader):
    r"""Words of CoNLL-U with one of their columns as labels.

    Tokens are the syntactic words, those with whole numbers. Lines of multiword tokens (`1-2`) and
    empty nodes (`1.1`) are no words; they and comments come back when a sentence is written.

    `label` is `upos`, which is the usual one, `xpos`, `deprel`, or `feats:NAME` for one feature,
    which is `_` for the words that do not have it. A sentence where `_` stands for every word has
    no labels (for a feature, where no word has a part of speech either); where it stands for some,
    it is a label like others.

    Probabilities stand in the last column, as `Probability=0.9877`.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "two.conllu")
    >>> ids = ["1-2", "1", "2"]
    >>> forms = ["don't", "do", "n't"]
    >>> lines = ["\t".join([i, form] + ["_"] * 8) for i, form in zip(ids, forms)]
    >>> _ = path.write_text("\n".join(lines) + "\n\n")
    >>> [sentence] = Conllu().read(path)
    >>> sentence.tokens, sentence.labels
    (('do', "n't"), None)
    >>> Conllu("feats:Polarity").write(sentence, ["_", "Neg"]).split("\n")[2]
    "2\tn't\t_\t_\t_\tPolarity=Neg\t_\t_\t_\t_"
    """

    name: ClassVar[str] = "conllu"
    suffixes: ClassVar[tuple[str, ...]] = (".conllu",)
    summary: ClassVar[str] = "CoNLL-U, ten columns separated by tabs, a word a line"
    labels_are: ClassVar[str] = "the labels upos, xpos, deprel and feats:NAME"

    def __init__(self, label: str | None = None) -> None:
        super().__init__(label)
        column, _, self._feature = (label or "upos").partition(":")
        self._column = _LABELS[column]

    def has_label(self, label: str) -> bool:
        """Whether it is a column, or a feature by its name."""
        column, colon, feature = label.partition(":")
        is_feature = column == "feats"
        return column in _LABELS and bool(colon) == is_feature == bool(feature)

    def sentences(self, path: str | PathLike[str]) -> Iterator[Sentence]:
        """Yield the sentences of a file."""
        for block in read_blocks(read_lines(path), _kind_of):
            words = _words(block)
            labels = tuple(self._label(word, line) for line, word in words)
            columns = {self._column, _UPOS} if self._feature else {self._column}
            is_bare = all(word[column] == _NONE for _, word in words for column in columns)
            yield Sentence(
                tuple(word[_FORM] for _, word in words),
                None if is_bare and words else labels,
                block.place,
                Written(self.name, self.label, text_of(block)),
            )

    def text(
        self,
        sentence: Sentence,
        written: Written | None,
        labels: Sequence[str],
        probabilities: Sequence[float] | None,
    ) -> str:
        """Return the sentence with labels in their column."""
        unfit = _CUTS_FEATURES if self._feature else CUTS_WORDS
        fit(labels, unfit, sentence.place, f"a label {self.label or 'upos'} of CoNLL-U")
        steps = iter(range(len(sentence)))

        def change(line: str) -> str:
            fields = line.split("\t")
            if not fields[0].isdecimal():
                return line
            step = next(steps)
            fields[self._column] = (
                _changed(fields[_FEATURES], self._feature, labels[step], in_order=True)
                if self._feature
                else labels[step]
            )
            if probabilities is not None:
                chance = shown(probabilities[step])
                fields[_MISC] = _changed(fields[_MISC], "Probability", chance, in_order=False)
            return "\t".join(fields)

        return rewrite(written.text if written else _as_new(sentence), _kind_of, change)

    def _label(self, word: list[str], line: Line) -> str:
        if not self._feature:
            return word[self._column]
        if _FEATURES_ARE.fullmatch(word[_FEATURES]) is None:
            raise CorpusError(
                f"{line.place}: expected features as NAME=VALUE with | between them, or _, "
                f"got {word[_FEATURES][:80]!r}"
            )
        return _features(word[_FEATURES]).get(self._feature) or _NONE


def _kind_of(line: str) -> Kind:
    if not line.strip():
        return Kind.BLANK
    return Kind.APART if line.startswith("#") else Kind.TOKEN


def _words(block: Block) -> list[tuple[Line, list[str]]]:
    """Return the fields of the words, of lines whose numbers follow one another as they should."""
    from conllu.exceptions import ParseException
    from conllu.parser import parse_id_value

    words: list[tuple[Line, list[str]]] = []
    joined = 0
    for line in block.tokens:
        fields = cut_end(line.text)[0].split("\t")
        if len(fields) != _COLUMNS:
            raise CorpusError(
                f"{line.place}: expected {_COLUMNS} columns separated by tabs, got {len(fields)}; "
                "other column files are read as 'columns'"
            )
        if "" in fields:
            raise CorpusError(
                f"{line.place}: column {fields.index('') + 1} is empty; expected a value, or _"
            )
        if fields[0] == str(len(words) + 1):  # As nearly all are: parsing takes longer.
            words.append((line, fields))
            continue
        try:
            number: Any = parse_id_value(fields[0])
        except (ParseException, ValueError):  # The latter where there are thousands of digits.
            number = None
        match number:
            case (int(first), "-", int(last)) if first == len(words) + 1 > joined:
                joined = last
            case (int(before), ".", int()) if before == len(words):
                pass
            case int() if number == len(words) + 1:
                words.append((line, fields))
            case _:
                raise CorpusError(
                    f"{line.place}: expected word {len(words) + 1}, got the number {fields[0]!r}; "
                    "words are numbered from 1, and a blank line ends a sentence"
                )
    if joined > len(words):
        raise CorpusError(
            f"{block.tokens[-1].place}: expected words up to {joined}, which a multiword token "
            f"is made of, got {len(words)}"
        )
    return words


def _features(text: str) -> dict[str, str | None]:
    from conllu.parser import parse_dict_value

    found: dict[str, str | None] = parse_dict_value(text) or {}
    return found


def _changed(text: str, name: str, value: str, *, in_order: bool) -> str:
    """Return NAME=VALUE parts with one of them set, or taken out where the value is `_`."""
    parts = [] if text == _NONE else text.split("|")
    kept = [part for part in parts if part.partition("=")[0] != name]
    if value != _NONE:
        kept.append(f"{name}={value}")
    if in_order:
        kept.sort(key=lambda part: part.partition("=")[0].lower())
    return "|".join(kept) or _NONE


def _as_new(sentence: Sentence) -> str:
    tokens = fit(sentence.tokens, CUTS_LINES, sentence.place, "a word of CoNLL-U")
    rest = "\t".join([_NONE] * (_COLUMNS - 2))
    return "".join(f"{i}\t{token}\t{rest}\n" for i, token in enumerate(tokens, 1)) + "\n"
