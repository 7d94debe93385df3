"""Tables of Parquet and of Hugging Face datasets, where pyarrow is installed."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from os import PathLike, fspath
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

from everystep.corpora.readers.base import A_SENTENCE, Reader, Written
from everystep.corpora.readers.json_lines import JsonLines
from everystep.corpora.readers.lines import STANDARD_INPUT
from everystep.corpora.sentences import Sentence
from everystep.errors import CorpusError, SettingError
from everystep.formats.atomic import write_atomically
from everystep.kinds import EACH, checked

_TOKENS: Final = "tokens"
_USUAL_LABEL: Final = "labels"
_ROWS_A_BATCH: Final = 256
_ROWS_A_GROUP: Final = 1000
_BUFFER: Final = 1 << 16
_END: Final = b"\xff\xff\xff\xff\0\0\0\0"
"""What ends a stream of Arrow, since its version 0.15."""

MOST_TOKENS: Final = 1 << 17
"""Most tokens of a sentence; a table packs the same token again and again to almost nothing."""


class _Plan(NamedTuple):
    """Where in a table the labels are, and what they are called where they are numbers."""

    label: str | None
    names: list[str] | None


class Parquet(Reader):
    """Tables with a row a sentence: `tokens`, a list of text, and lists of labels.

    Files named `.arrow` are those in which Hugging Face datasets are kept on disk. Numbers are read
    as the names that the metadata of Hugging Face gives them, and as text where it gives none.

    `label` is the column of the labels. If None it is `labels`, else the one other column that
    holds lists of text or whole numbers. Since a table is no text, a sentence is written as an
    object of JSON Lines with its tokens and labels, and `write_table` writes all sentences at once.
    Other columns are not read.
    """

    name: ClassVar[str] = "parquet"
    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".arrow")
    summary: ClassVar[str] = "a table of Parquet or of a Hugging Face dataset, a row a sentence"
    labels_are: ClassVar[str] = "labels in any column but 'tokens'"

    def has_label(self, label: str) -> bool:
        """Whether it may be the column of labels."""
        return bool(label) and label != _TOKENS

    def sentences(self, path: str | PathLike[str]) -> Iterator[Sentence]:
        """Yield the sentences of a file."""
        name = fspath(path)
        damage = _errors()
        if path == STANDARD_INPUT:
            raise CorpusError("a table is read from its end: expected a file, got standard input")
        row = 0
        try:
            for batch in _batches(name, self.label):
                plan = _plan(batch.schema, name, self.label)
                tokens = _rows(batch, _TOKENS, name, row)
                labels = _rows(batch, plan.label, name, row) if plan.label else [None] * len(tokens)
                for one, its_labels in zip(tokens, labels, strict=True):
                    row += 1
                    yield _sentence(one, its_labels, plan, f"{name}: row {row}")
        except damage as error:
            raise CorpusError(f"{name}: cannot be read as a table: {error}") from error

    def text(
        self,
        sentence: Sentence,
        written: Written | None,
        labels: Sequence[str],
        probabilities: Sequence[float] | None,
    ) -> str:
        """Return an object of JSON in one line."""
        return JsonLines(self.label).text(sentence, None, labels, probabilities)


@checked(sentences=EACH)
def write_table(
    path: str | PathLike[str], sentences: Iterable[Sentence], label: str = _USUAL_LABEL
) -> None:
    """Write sentences as a table of Parquet, some rows at a time; a file that is there is replaced.

    The columns are `tokens` and the labels, lists of text, with null for the labels of a sentence
    that has none. The file is there when it is whole, or else not at all.

    Args:
        path: where the file goes.
        sentences: what is written, a row each.
        label: the name of the column of labels.

    Raises:
        SettingError: pyarrow is not installed, or the column may not have this name.
        OSError: the file cannot be written.
    """
    _errors()
    Parquet(label)
    known = (A_SENTENCE.taken("write_table: each of sentences", each) for each in sentences)
    write_atomically(path, lambda file: _write_rows(file, known, label))


def _write_rows(file: Any, sentences: Iterable[Sentence], label: str) -> None:
    import pyarrow
    import pyarrow.parquet

    texts = pyarrow.list_(pyarrow.string())
    schema = pyarrow.schema([(_TOKENS, texts), (label, texts)])
    rows = iter(sentences)
    with pyarrow.parquet.ParquetWriter(file, schema) as table:
        while batch := list(islice(rows, _ROWS_A_GROUP)):
            columns = [[each.tokens for each in batch], [each.labels for each in batch]]
            table.write_table(pyarrow.table(columns, schema))


def _errors() -> tuple[type[Exception], ...]:
    """Return what pyarrow raises where a file is damaged."""
    try:
        import pyarrow
    except ImportError:
        raise SettingError(
            "reader: 'parquet' needs pyarrow, which is not installed; "
            "pip install 'everystep[parquet]'"
        ) from None
    return OSError, UnicodeDecodeError, pyarrow.ArrowException


def _batches(path: str, label: str | None) -> Iterator[Any]:
    """Yield some rows at a time, of the columns that are wanted alone where the format can."""
    import pyarrow.ipc
    import pyarrow.parquet

    if Path(path).suffix == ".arrow":
        with pyarrow.memory_map(path) as source:
            _refuse_without_end(source, path)
            for batch in pyarrow.ipc.open_stream(source):
                _plan(batch.schema, path, label)
                for start in range(0, batch.num_rows, _ROWS_A_BATCH):
                    yield batch.slice(start, _ROWS_A_BATCH)
            if source.tell() < source.size():
                raise CorpusError(f"{path}: expected one table, got more bytes behind it")
        return
    # By default it reads the whole file ahead, and a whole group of rows where it does not.
    with pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER) as file:
        plan = _plan(file.schema_arrow, path, label)
        columns = [_TOKENS, plan.label] if plan.label else [_TOKENS]
        yield from file.iter_batches(_ROWS_A_BATCH, columns=columns)


def _refuse_without_end(source: Any, path: str) -> None:
    """Refuse a stream of batches that has lost its last ones, which pyarrow would not miss."""
    source.seek(max(0, source.size() - len(_END)))
    if source.read() != _END:
        raise CorpusError(f"{path}: expected the mark that ends a table: is the file cut off?")
    source.seek(0)


def _rows(batch: Any, column: str, path: str, before: int) -> list[Any]:
    """Return the lists of a column, whose places pyarrow takes for granted as a file gives them."""
    import pyarrow.compute

    values = batch.column(column)
    values.validate(full=True)
    longest = pyarrow.compute.max(values.value_lengths()).as_py() or 0
    if longest > MOST_TOKENS:
        raise CorpusError(
            f"{path}: expected at most {MOST_TOKENS} tokens a row, got {longest} in {column!r} "
            f"behind row {before}"
        )
    found: list[Any] = values.to_pylist()
    return found


def _plan(schema: Any, path: str, label: str | None) -> _Plan:
    import pyarrow.types as kinds

    def holds(column: str, *tests: Any) -> bool:
        kind = schema.field(column).type
        is_list = kinds.is_list(kind) or kinds.is_large_list(kind)
        return is_list and any(test(kind.value_type) for test in tests)

    if len(set(schema.names)) < len(schema.names):
        raise CorpusError(f"{path}: expected a name for each column, each once, got {schema.names}")
    text = (kinds.is_string, kinds.is_large_string)
    fitting = [name for name in schema.names if holds(name, *text, kinds.is_integer)]
    if _TOKENS not in fitting or not holds(_TOKENS, *text):
        raise CorpusError(
            f"{path}: expected a column 'tokens' of lists of text, got {schema.names}"
        )
    fitting.remove(_TOKENS)
    if label is None:
        label = _USUAL_LABEL if _USUAL_LABEL in fitting else None
        if label is None and len(fitting) > 1:
            raise SettingError(f"label: {path} has the labels {fitting}; name one of them")
        label = label or next(iter(fitting), None)
    elif label not in fitting:
        raise CorpusError(
            f"{path}: expected a column {label!r} of lists of text or whole numbers, "
            f"got {fitting or schema.names}"
        )
    return _Plan(label, _names(schema, label) if label else None)


def _names(schema: Any, label: str) -> list[str] | None:
    """Return what Hugging Face's metadata calls the numbers of a column, None where it does not."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        feature = features[label]
        # A list of labels is [label] in older versions, and {"feature": label} in newer ones.
        inner = feature[0] if isinstance(feature, list) else feature["feature"]
        names = inner["names"]
    except (KeyError, IndexError, TypeError, ValueError, RecursionError):
        return None
    is_text = isinstance(names, list) and all(isinstance(name, str) and name for name in names)
    return names if is_text else None


def _sentence(
    tokens: list[Any] | None, labels: list[Any] | None, plan: _Plan, place: str
) -> Sentence:
    if tokens is None or not all(tokens):
        raise CorpusError(f"{place}: expected tokens that are not empty, got {str(tokens)[:80]}")
    if labels is None:
        return Sentence(tuple(tokens), None, place)
    if len(labels) != len(tokens):
        raise CorpusError(
            f"{place}: expected one label a token, got {len(labels)} in {plan.label!r} "
            f"for {len(tokens)} tokens"
        )
    return Sentence(tuple(tokens), tuple(_text(label, plan, place) for label in labels), place)


def _text(label: str | int | None, plan: _Plan, place: str) -> str:
    if isinstance(label, str) and label:
        return label
    if isinstance(label, int):
        if plan.names is None:
            return str(label)
        if 0 <= label < len(plan.names):
            return plan.names[label]
    raise CorpusError(
        f"{place}: expected labels that are not empty"
        + (f", numbers from 0 to {len(plan.names) - 1}" if plan.names else "")
        + f", got {label!r} in {plan.label!r}"
    )
