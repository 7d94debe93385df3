"""Attacks on arrays of NumPy and on tables of Parquet and Arrow."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.hostile.attack import READ, Attack, always, cut
from tests.hostile.formats import array
from tests.hostile.own import PICKLE


def npy(shape: str, descr: str = "'<i2'", data: bytes = bytes(48), more: str = "") -> bytes:
    """An array of NumPy with a header of one's own."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}{more}}}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header + data


def objects() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], object), allow_pickle=True)
    return buffer.getvalue()


def archive() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.zeros((2, 4)))
    return buffer.getvalue()


ARRAYS: list[tuple[int, str, Callable[[bytes], bytes], str]] = [
    *[(1, f"{part} of it", cut(part), "") for part in (0, 7, 60, 0.9)],
    (3, "a header beyond the file", lambda good: good[:8] + b"\xff\xff" + good[10:], ""),
    (3, "a header over the cap", always(b"\x93NUMPY\x02\0" + b"\xff" * 4 + bytes(2**16)), ""),
    (4, "trailing bytes", lambda good: good + b"\0", "more bytes"),
    (4, "an array behind it", lambda good: good + good, "more bytes"),
    (5, "overflow", always(npy(f"({2**40}, {2**40}, 3)")), ""),
    (5, "negative", always(npy("(-2, -4, 3)")), ""),
    (5, "more than the file", always(npy("(2, 4, 3000000000)")), ""),
    (5, "no axis", always(npy("()")), ""),
    (5, "nothing, again and again", always(npy(f"({2**55}, 0, 2)", data=b"")), "shape"),
    (5, "a word", always(npy("'2, 4'")), ""),
    (6, "a key of its own", always(npy("(2, 4, 3)", more=", 'more': 1")), ""),
    (7, "object", always(npy("(2, 4, 3)", "'O'")), ""),
    (7, "unknown", always(npy("(2, 4, 3)", "'<f3'")), ""),
    (7, "fields", always(npy("(2, 4, 3)", "[('a', '<i2')]")), ""),
    (7, "no size", always(npy("(2, 4, 3)", "'|V0'")), ""),
    (7, "text", always(npy("(2, 4, 3)", "'|S2'")), ""),
    (8, "brackets", always(npy("(" * 3000 + ")" * 3000)), ""),
    (8, "a number", always(npy(f"({'9' * 5000},)")), ""),
    (9, "in the header", lambda good: good.replace(b"descr", b"\xff\xfescr"), ""),
    (14, "pickle", always(PICKLE), ""),
    (14, "objects", always(objects()), ""),
    (15, "a call in the header", always(npy("__import__('os').system('touch run')")), ""),
    (16, "an archive of several", always(archive()), "archive"),
    (16, "an archive that is damaged", always(b"PK\x03\x04" + bytes(40)), "archive"),
]


def arrow_table(columns: dict[str, Any], schema: Any = None) -> bytes:
    import pyarrow
    import pyarrow.ipc

    table, buffer = pyarrow.table(columns, schema), io.BytesIO()
    with pyarrow.ipc.new_stream(buffer, table.schema) as stream:
        stream.write_table(table)
    return buffer.getvalue()


def parquet_table(columns: dict[str, Any], schema: Any = None) -> bytes:
    import pyarrow
    import pyarrow.parquet

    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns, schema), buffer)
    return buffer.getvalue()


def same_names() -> Any:
    """Columns of which two have one name."""
    import pyarrow

    texts = pyarrow.list_(pyarrow.string())
    return pyarrow.schema([("tokens", texts), ("tokens", texts)])


def code() -> Any:
    """A type that a version of pyarrow before 14.0.1 would have unpickled."""
    import pyarrow

    metadata = {
        "ARROW:extension:name": "arrow.py_extension_type",
        "ARROW:extension:metadata": PICKLE,
    }
    texts = pyarrow.list_(pyarrow.string())
    return pyarrow.schema([pyarrow.field("tokens", texts, metadata=metadata)])


def nested(depth: int) -> Any:
    import pyarrow

    kind = pyarrow.string()
    for _ in range(depth):
        kind = pyarrow.list_(kind)
    return pyarrow.schema([("tokens", kind)])


def binary() -> Any:
    """Text that is none: bytes in a column that says it holds text."""
    import pyarrow

    data = pyarrow.array([[b"\xff\xfe"]], pyarrow.list_(pyarrow.binary()))
    return {"tokens": data.view(pyarrow.list_(pyarrow.string()))}


MANY = 2**24


def long_row() -> Any:
    """One sentence of the same token again and again, which a table packs to some bytes."""
    import pyarrow

    one = pyarrow.array(["a"]).dictionary_encode()
    tokens = pyarrow.DictionaryArray.from_arrays(
        pyarrow.array(np.zeros(MANY, "int32")), one.dictionary
    ).cast(pyarrow.string())
    offsets = pyarrow.array([0, MANY], pyarrow.int32())
    return {"tokens": pyarrow.ListArray.from_arrays(offsets, tokens)}


def table_attacks() -> Iterator[Attack]:
    """All attacks on arrays and tables."""
    for name in ("npy", "npy labels"):
        for case, what, make, says in ARRAYS:
            yield Attack(case, name, what, make, says)
    for value in (np.nan, np.inf):
        made = always(array(np.full((2, 4, 3), value)))
        yield Attack(19, "npy", f"{value}", made, "finite")
        yield Attack(19, "npy labels", f"{value}", always(array(np.full((2, 4), value))), "whole")
    for name, table in (("parquet", parquet_table), ("arrow", arrow_table)):
        for part in (0, 3, 20, 0.5, 0.9):
            yield Attack(1, name, f"{part} of it", cut(part))
        yield from _on_tables(name, table)
    length = lambda good: good[:-8] + b"\xff\xff\xff\x7f" + good[-4:]  # noqa: E731
    yield Attack(3, "parquet", "the end's length", length)
    yield Attack(4, "parquet", "trailing bytes", lambda good: good + b"\0")
    yield Attack(4, "arrow", "trailing bytes", lambda good: good + bytes(9), "cut off?")
    yield Attack(4, "arrow", "a table behind it", lambda good: good + good, "behind")
    yield Attack(1, "arrow", "no end", lambda good: good[:-8], "cut off?")
    yield Attack(3, "arrow", "a length", lambda good: good[:4] + b"\xff\xff\xff\x7f" + good[8:])
    yield Attack(12, "parquet", "a row without end", tabled(parquet_table, long_row), "tokens")


def tabled(
    table: Callable[..., bytes], columns: Any, schema: Callable[[], Any] | None = None
) -> Callable[[bytes], bytes]:
    """Return a table that is made when it is wanted."""

    def make(good: bytes) -> bytes:
        given = columns() if callable(columns) else columns
        return table(given, schema and schema())

    return make


def in_lists(depth: int) -> Any:
    deep: list[Any] = ["a"]
    for _ in range(depth):
        deep = [deep]
    return deep


TABLES: list[tuple[int, str, Any, Callable[[], Any] | None, str]] = [
    (5, "too few labels", {"tokens": [["a", "b"]], "labels": [["X"]]}, None, "row 1: expected one"),
    (6, "a column", [[["a"]], [["b"]]], same_names, "tokens"),
    (7, "numbers for tokens", {"tokens": [[1]]}, None, "tokens"),
    (7, "a column of texts", {"tokens": ["a"]}, None, "tokens"),
    (8, "lists", {"tokens": in_lists(40)}, lambda: nested(40), "tokens"),
    (9, "a token", binary, None, ""),
    (18, "no tokens", {"words": [["a"]]}, None, "expected a column 'tokens'"),
]


def _on_tables(name: str, table: Callable[..., bytes]) -> Iterator[Attack]:
    for case, what, columns, schema, says in TABLES:
        yield Attack(case, name, what, tabled(table, columns, schema), says)
    yield Attack(14, name, "pickle", always(PICKLE))
    by_pickle = tabled(table, {"tokens": [["a"]]}, code)
    yield Attack(15, name, "a type by pickle", by_pickle, ends=READ)
