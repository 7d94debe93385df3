"""Python source through the same door as other formats."""

from pathlib import Path

import pytest

from everystep.corpora import read_source, reader
from everystep.corpora.readers import python
from everystep.errors import CorpusError
from tests.corpora.readers.examples import feed, packed

SOURCE = 'import os\n\n\ndef f(x):\n    return "é"\n'


def test_sentences_are_the_sequences_of_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(("# coding: latin-1\n" + SOURCE).encode("latin-1"))
    wanted = read_source("# coding: latin-1\n" + SOURCE, str(path))
    found = list(reader("python").read(path))
    assert [each.tokens for each in found] == [each.symbols for each in wanted]
    assert [each.labels for each in found] == [each.roles for each in wanted]
    assert [each.place for each in found] == [f"{path}:1", f"{path}:5"]
    feed(monkeypatch, packed(SOURCE.encode()))
    assert [each.place[-2:] for each in reader("python").read("-")] == [":1", ":4"]


def test_a_folder_is_read_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/c.py", "a.pyi", "d.txt"):
        (tmp_path / name).write_text("x = 1\n")
    places = [each.place for each in reader("python").read(tmp_path)]
    assert places == [f"{tmp_path}/a.pyi:1", f"{tmp_path}/b/c.py:1"]


def test_what_is_written_can_be_read_as_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(SOURCE, encoding="utf-8")
    found = list(reader("python").read(path))
    text = "".join(reader("python").write(each, each.labels or ()) for each in found)
    path.write_text(text, encoding="utf-8")
    again = list(reader("columns").read(path))
    assert [(each.tokens, each.labels) for each in again] == [
        (each.tokens, each.labels) for each in found
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"x = (\n", r"a\.py:\d: Python cannot read this"),
        (b"x = '\xe9'\n", r"a\.py: cannot be read as text: invalid or missing encoding"),
        (b"# coding: none\n", r"a\.py: cannot be read as text"),
        (b"x" * 41, r"a\.py: expected at most 40 bytes of source"),
        (b"\n", r"a\.py:1: expected sentences, got a file without a token"),
    ],
)
def test_source_that_cannot_be_read_is_refused(
    content: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(python, "LONGEST_SOURCE", 40)
    path = tmp_path / "a.py"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=message):
        list(reader("python").read(path))
