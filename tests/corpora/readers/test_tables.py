"""Parquet and the files of Hugging Face datasets, written by pyarrow itself."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from everystep.corpora import Sentence, reader, reader_for, write_table
from everystep.corpora.readers import parquet
from everystep.errors import CorpusError, SettingError

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet  # noqa: E402

WORDS = [["The", "cat"], [], ["Sits"]]
NUMBERS = [[0, 1], [], [2]]
NAMES = ["DET", "NOUN", "VERB"]


def features(**columns: Any) -> dict[bytes, bytes]:
    return {b"huggingface": json.dumps({"info": {"features": columns}}).encode()}


def class_labels(form: str) -> Any:
    inner = {"names": NAMES, "_type": "ClassLabel"}
    return [inner] if form == "old" else {"feature": inner, "_type": form}


def write(
    folder: Path, columns: dict[str, Any], metadata: Any = None, suffix: str = "parquet"
) -> Path:
    table = pa.table(columns).replace_schema_metadata(metadata)
    path = folder / f"a.{suffix}"
    if suffix == "parquet":
        pyarrow.parquet.write_table(table, path, row_group_size=2)
    else:
        with pa.ipc.new_stream(path, table.schema) as sink:
            sink.write_table(table, max_chunksize=2)
    return path


def read(path: Path, label: str | None = None) -> list[Sentence]:
    return list(reader_for(path, label=label).read(path))


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
@pytest.mark.parametrize("form", ["old", "Sequence", "List"])
def test_numbers_are_the_names_of_the_metadata(suffix: str, form: str, tmp_path: Path) -> None:
    columns = {"id": [1, 2, 3], "tokens": WORDS, "tags": NUMBERS}
    path = write(tmp_path, columns, features(tags=class_labels(form)), suffix)
    assert read(path) == [
        Sentence(("The", "cat"), ("DET", "NOUN"), f"{path}: row 1"),
        Sentence((), (), f"{path}: row 2"),
        Sentence(("Sits",), ("VERB",), f"{path}: row 3"),
    ]


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {b"huggingface": b"["},
        {b"huggingface": b"[" * 99999},
        features(tags=3),
        features(x=[]),
    ],
)
def test_numbers_without_names_are_text(metadata: Any, tmp_path: Path) -> None:
    path = write(tmp_path, {"tokens": WORDS, "tags": NUMBERS}, metadata)
    assert [each.labels for each in read(path)] == [("0", "1"), (), ("2",)]


def test_which_column_has_the_labels(tmp_path: Path) -> None:
    text = [["A", "B"], [], ["C"]]
    both = {"tokens": WORDS, "labels": text, "tags": NUMBERS}
    assert read(write(tmp_path, both))[0].labels == ("A", "B")
    assert read(write(tmp_path, both), "tags")[0].labels == ("0", "1")
    assert read(write(tmp_path, {"tokens": WORDS, "n": [1, 2, 3]}))[0].labels is None
    with pytest.raises(SettingError, match=r"has the labels \['pos', 'tags'\]; name one"):
        read(write(tmp_path, {"tokens": WORDS, "pos": text, "tags": NUMBERS}))
    with pytest.raises(CorpusError, match=r"expected a column 'ner' .* got \['labels', 'tags'\]"):
        read(write(tmp_path, both), "ner")
    with pytest.raises(CorpusError, match=r"a column 'tokens' of lists of text, got \['words'\]"):
        read(write(tmp_path, {"words": WORDS}))


@pytest.mark.parametrize(
    ("tokens", "labels", "message"),
    [
        ([["a"], None], [[0], [0]], "row 2: expected tokens that are not empty, got None"),
        ([["a"], [None]], [[0], [0]], "row 2: expected tokens that are not empty"),
        ([["a"], [""]], [[0], [0]], "row 2: expected tokens that are not empty"),
        ([["a"], ["b"]], [[0], [0, 1]], "row 2: expected one label a token, got 2 .* 1 tokens"),
        ([["a"], ["b"]], [[0], [-1]], "row 2: .* numbers from 0 to 2, got -1 in 'tags'"),
        ([["a"], ["b"]], [[0], [3]], "row 2: .* numbers from 0 to 2, got 3"),
        ([["a"], ["b"]], [[0], [None]], "row 2: .* got None"),
    ],
)
def test_rows_that_make_no_sentence_are_refused(
    tokens: Any, labels: Any, message: str, tmp_path: Path
) -> None:
    path = write(
        tmp_path,
        {"tokens": tokens, "tags": labels},
        features(tags=class_labels("List")),
    )
    with pytest.raises(CorpusError, match=message):
        read(path)


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_damaged_tables_are_refused(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path, {"tokens": WORDS}, suffix=suffix)
    whole = path.read_bytes()
    for damaged in (b"", b"text\n" * 9, whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(CorpusError, match=r"a\.(parquet|arrow)"):
            read(path)


def test_standard_input_and_empty_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="expected a file, got standard input"):
        list(reader("parquet").read("-"))
    with pytest.raises(CorpusError, match="without a token"):
        read(write(tmp_path, {"tokens": pa.array([], pa.list_(pa.string()))}))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    tokens = random.integers(10**12, size=(12_000, 10)).astype(str).tolist()
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pa.table({"tokens": tokens}), path, row_group_size=300)
    del tokens
    before = pa.total_allocated_bytes()
    most = max(pa.total_allocated_bytes() - before for _ in reader("parquet").read(path))
    assert most < path.stat().st_size / 3


def test_sentences_are_written_as_json_lines(tmp_path: Path) -> None:
    path = write(tmp_path, {"tokens": WORDS, "tags": NUMBERS})
    first, *_ = read(path)
    assert json.loads(reader("parquet", "tags").write(first, ["X", "Y"])) == {
        "tokens": ["The", "cat"],
        "tags": ["X", "Y"],
    }


def test_what_is_written_as_a_table_is_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_ROWS_A_GROUP", 2)
    path = tmp_path / "a.parquet"
    wanted = [
        Sentence(("Das", "ä\t"), ("X", "Y"), f"{path}: row 1"),
        Sentence((), (), f"{path}: row 2"),
        Sentence(("b",), None, f"{path}: row 3"),
    ]
    write_table(path, iter(wanted), label="tags")
    assert list(reader("parquet", "tags").read(path)) == wanted
    assert pyarrow.parquet.ParquetFile(path).num_row_groups == 2
    with pytest.raises(SettingError, match="any column but 'tokens'"):
        write_table(path, wanted, label="tokens")


def test_a_table_that_cannot_be_finished_leaves_the_one_before(tmp_path: Path) -> None:
    def broken() -> Iterator[Sentence]:
        yield Sentence(("b",), ("Y",))
        raise CorpusError("b.conllu:7: broken")

    path = tmp_path / "a.parquet"
    write_table(path, [Sentence(("a",), ("X",))])
    with pytest.raises(CorpusError, match=r"b\.conllu:7"):
        write_table(path, broken())
    assert [each.tokens for each in reader("parquet").read(path)] == [("a",)]
    assert list(tmp_path.iterdir()) == [path]


def test_without_pyarrow_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SettingError, match=r"pip install 'everystep\[parquet\]'"):
        list(reader("parquet").read("a.parquet"))
