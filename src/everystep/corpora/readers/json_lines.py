"""JSON Lines: an object a line, with its tokens and labels as lists of text."""

import json
from collections.abc import Iterator, Sequence
from os import PathLike
from typing import Any, ClassVar, Final

from everystep.corpora.readers.base import Reader, Written
from everystep.corpora.readers.lines import Line, cut_end, read_lines
from everystep.corpora.sentences import Sentence
from everystep.errors import CorpusError, DataError, FormatError
from everystep.formats.plain_json import parse_json

_TOKENS: Final = "tokens"
_PROBABILITIES: Final = "probabilities"


class JsonLines(Reader):
    r"""Objects such as `{"tokens": ["a", "cat"], "labels": ["DET", "NOUN"]}`, one a line.

    Objects without labels, or with null for them, have none; either all objects of a file have
    labels or none has. Other keys come back when a sentence is written. Blank lines are left out.

    `label` is the key of the labels, `labels` if None. Probabilities get a key of that name.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "one.jsonl")
    >>> _ = path.write_text('{"id": 7, "tokens": ["a", "cat"]}\n')
    >>> [sentence] = JsonLines().read(path)
    >>> JsonLines().write(sentence, ["DET", "NOUN"])
    '{"id": 7, "tokens": ["a", "cat"], "labels": ["DET", "NOUN"]}\n'
    """

    name: ClassVar[str] = "jsonl"
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson")
    summary: ClassVar[str] = 'objects {"tokens": [...], "labels": [...]}, one a line'
    labels_are: ClassVar[str] = "labels under any key but 'tokens' and 'probabilities'"

    def has_label(self, label: str) -> bool:
        """Whether it may be the key of labels."""
        return bool(label) and label not in (_TOKENS, _PROBABILITIES)

    def sentences(self, path: str | PathLike[str]) -> Iterator[Sentence]:
        """Yield the sentences of a file."""
        key, has_labels = self.label or "labels", None
        for line in read_lines(path):
            if not line.text.strip():
                continue
            value = _object(line)
            tokens, labels = _texts(value, _TOKENS, line), _texts(value, key, line)
            if tokens is None:
                raise CorpusError(
                    f"{line.place}: expected the key 'tokens', got {sorted(value)[:10]}"
                )
            if has_labels not in (None, labels is not None):
                raise CorpusError(
                    f"{line.place}: expected {'the' if has_labels else 'no'} key {key!r}, as in "
                    "the lines before; either all lines have labels or none has"
                )
            has_labels = labels is not None
            if labels is not None and len(labels) != len(tokens):
                raise CorpusError(
                    f"{line.place}: expected one label a token, got {len(labels)} under {key!r} "
                    f"for {len(tokens)} tokens"
                )
            yield Sentence(tokens, labels, line.place, Written(self.name, self.label, line.text))

    def text(
        self,
        sentence: Sentence,
        written: Written | None,
        labels: Sequence[str],
        probabilities: Sequence[float] | None,
    ) -> str:
        """Return the object with labels under their key."""
        body, end = cut_end(written.text) if written else ("", "\n")
        value = json.loads(body) if body else {_TOKENS: list(sentence.tokens)}
        value[self.label or "labels"] = list(labels)
        if probabilities is not None:
            value[_PROBABILITIES] = [round(float(one), 4) for one in probabilities]
        try:
            return json.dumps(value, ensure_ascii=False, allow_nan=False) + end
        except ValueError:
            raise DataError(
                f"{sentence.place or 'a sentence'}: JSON cannot hold its probabilities, "
                "or another number of it, which are not finite"
            ) from None


def _object(line: Line) -> dict[str, Any]:
    try:
        value = parse_json(line.text, line.place)
    except FormatError as error:
        raise CorpusError(f"{error}; expected an object of JSON in one line") from error
    if not isinstance(value, dict):
        raise CorpusError(
            f"{line.place}: expected an object such as {{'tokens': [...]}}, "
            f"got {type(value).__name__}"
        )
    if "\\u" in line.text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise CorpusError(
                f"{line.place}: holds half of a pair of surrogates, which is no text; "
                f"got {error.object[error.start]!r}"
            ) from None
    return value


def _texts(value: dict[str, Any], key: str, line: Line) -> tuple[str, ...] | None:
    """Return the list of text under a key, None where it is not there."""
    found = value.get(key)
    if found is None:
        return None
    if not isinstance(found, list):
        raise CorpusError(
            f"{line.place}: expected a list under {key!r}, got {type(found).__name__}"
        )
    for position, text in enumerate(found):
        if not isinstance(text, str) or not text:
            raise CorpusError(
                f"{line.place}: expected text that is not empty under {key!r}, "
                f"got {str(text)[:80]!r} as number {position + 1} of the list"
            )
    return tuple(found)
