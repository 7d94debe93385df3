"""Readers and writers of labelled sentences, one format a file.

All of them stream: a sentence is there as soon as its last line is, and memory does not grow with
the file. All say file and line in every error. To add a format, write its `Reader` and add it to
`READERS`; its tests are those over all of them, with an example of it.
"""

from os import PathLike, fspath
from typing import Final

from everystep.corpora.readers.base import Reader
from everystep.corpora.readers.columns import Columns
from everystep.corpora.readers.conllu import Conllu
from everystep.corpora.readers.json_lines import JsonLines
from everystep.corpora.readers.lines import LONGEST_LINE, STANDARD_INPUT
from everystep.corpora.readers.parquet import Parquet, write_table
from everystep.corpora.readers.python import PythonSource
from everystep.corpora.readers.tokens import Tokens
from everystep.errors import SettingError, nearest
from everystep.kinds import checked, shown

_FORMATS: Final[tuple[type[Reader], ...]] = (
    Conllu,
    Columns,
    JsonLines,
    Parquet,
    PythonSource,
    Tokens,
)
READERS: Final[dict[str, type[Reader]]] = {reader.name: reader for reader in _FORMATS}
"""The readers by the names of their formats."""

__all__ = [
    "LONGEST_LINE",
    "READERS",
    "STANDARD_INPUT",
    "Columns",
    "Conllu",
    "JsonLines",
    "Parquet",
    "PythonSource",
    "Reader",
    "Tokens",
    "reader",
    "reader_for",
    "write_table",
]


@checked
def reader(name: str, label: str | None = None) -> Reader:
    """Return the reader of a format.

    Args:
        name: a key of `READERS`.
        label: which labels are read, where the format may have several.

    Raises:
        SettingError: there is no such format, or it has no such label.

    >>> reader("conllu", label="xpos").name
    'conllu'
    """
    return _named(name, label)


@checked
def reader_for(
    path: str | PathLike[str],
    reader: str | None = None,
    label: str | None = None,
    otherwise: str | None = None,
) -> Reader:
    """Return the reader that is named, else the one of the files that are named like this one.

    Args:
        path: the file; `.gz` at its end says nothing of the format.
        reader: a key of `READERS`, None to go by the end of the file's name.
        label: which labels are read, where the format may have several.
        otherwise: a key of `READERS` for files whose names say nothing; None to refuse them.

    Raises:
        SettingError: there is no such reader or label, or none for such files.

    >>> reader_for("train.conllu.gz").name, reader_for("-", reader="tokens").name
    ('conllu', 'tokens')
    """
    return _named(reader or _name_for(fspath(path), otherwise), label)


def _named(name: str, label: str | None) -> Reader:
    if name not in READERS:
        raise SettingError(
            f"reader: expected one of {', '.join(READERS)}, got {shown(name)}. "
            f"{nearest(name, READERS)}".rstrip(". ")
        )
    return READERS[name](label)


def _name_for(path: str, otherwise: str | None) -> str:
    end = path.lower().removesuffix(".gz")
    for kind in _FORMATS:
        if end.endswith(kind.suffixes):
            return kind.name
    if otherwise is not None:
        return otherwise
    known = "; ".join(f"{kind.name} ({', '.join(kind.suffixes)})" for kind in _FORMATS)
    raise SettingError(
        f"{path}: its name does not say which format it has; name one of the readers {known}"
    )
