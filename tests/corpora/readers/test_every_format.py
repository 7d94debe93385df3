"""What holds of all formats of text: streams, gzip, line ends, damage, and the way back."""

import os
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given

from everystep.corpora import READERS, Reader, Sentence, reader, reader_for
from everystep.corpora.readers import LONGEST_LINE
from everystep.errors import CorpusError, DataError, SettingError
from tests.corpora.readers.examples import EXAMPLES, Example, feed, packed
from tests.strategies import labelled_sentences

LABELLED = [one for one in EXAMPLES if one.labelled]
every_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.file)


def of(example: Example) -> Reader:
    return reader(example.reader)


@every_example
def test_sentences_have_tokens_labels_and_a_place(example: Example, tmp_path: Path) -> None:
    path = example.write(tmp_path)
    assert reader_for(path).name == example.reader
    assert list(of(example).read(path)) == example.sentences(str(path))


@every_example
@pytest.mark.parametrize(
    "change",
    [
        packed,
        lambda content: b"\xef\xbb\xbf" + content,
        lambda content: content.replace(b"\n", b"\r\n"),
        lambda content: content.rstrip(b"\n"),
    ],
    ids=["gzip", "byte order mark", "line ends of Windows", "no last line end"],
)
def test_how_a_file_is_kept_changes_nothing(
    example: Example, change: object, tmp_path: Path
) -> None:
    path = example.write(tmp_path, change)  # type: ignore[arg-type]
    assert list(of(example).read(path)) == example.sentences(str(path))


@every_example
def test_standard_input_is_a_file(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (example.text.encode(), packed(example.text.encode())):
        feed(monkeypatch, content)
        assert list(of(example).read("-")) == example.sentences("<standard input>")
        assert not sys.stdin.buffer.closed


@every_example
def test_a_sentence_is_there_as_soon_as_it_is_whole(
    example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, sink = os.pipe()
    first = "".join(example.text.splitlines(keepends=True)[: example.lines[1] - 1])
    with os.fdopen(source) as stream, os.fdopen(sink, "wb", buffering=0) as pipe:
        monkeypatch.setattr("sys.stdin", stream)
        pipe.write(first.removesuffix("# text = Sits\n").encode())
        found: list[Sentence] = []
        sentences = of(example).read("-")
        thread = threading.Thread(target=lambda: found.append(next(sentences)), daemon=True)
        thread.start()
        thread.join(10)
        assert found == example.sentences("<standard input>")[:1]


@every_example
def test_a_file_is_closed_when_nobody_reads_on(example: Example, tmp_path: Path) -> None:
    path = example.write(tmp_path)
    sentences = of(example).read(path)
    next(sentences)
    sentences.close()  # type: ignore[attr-defined]
    os.truncate(path, 0)  # A file that is left open makes a ResourceWarning, which is an error.


@pytest.mark.parametrize("example", LABELLED, ids=lambda one: one.file)
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_written_with_its_own_labels_a_file_is_as_it_was(
    example: Example, end: str, tmp_path: Path
) -> None:
    whole = example.text if end else example.text.rstrip("\n")
    whole = whole.replace("\n", end or "\n")
    path = example.write(tmp_path, lambda _: whole.encode())
    found = of(example)
    assert "".join(found.write(each, each.labels or ()) for each in found.read(path)) == whole


@every_example
def test_other_labels_change_labels_alone(example: Example, tmp_path: Path) -> None:
    path, found = example.write(tmp_path), of(example)
    before = list(found.read(path))
    labels = [[f"L{step}" for step in range(len(each))] for each in before]
    text = "".join(found.write(*pair) for pair in zip(before, labels, strict=True))
    back = "columns" if example.reader == "tokens" else example.reader
    path.write_text(text, encoding="utf-8")
    after = list(reader(back).read(path))
    assert [each.tokens for each in after] == [each.tokens for each in before]
    assert [list(each.labels or ()) for each in after] == labels
    again = [each.labels or ["?"] * len(each) for each in before]
    if example.labelled:
        rewritten = (found.write(*pair) for pair in zip(after, again, strict=True))
        assert "".join(rewritten) == example.text


@every_example
def test_probabilities_are_written_beside_labels(example: Example, tmp_path: Path) -> None:
    found = of(example)
    first = next(found.read(example.write(tmp_path)))
    text = found.write(first, ["A", "B", "C"], [1.0, 0.25, 0.123456])
    numbers = ["1.0", "0.25", "0.1235"]
    positions = [text.index(number) for number in numbers]
    assert positions == sorted(positions)


@pytest.mark.parametrize("name", ["conllu", "columns", "jsonl"])
@given(sentences=labelled_sentences())
def test_what_is_written_anew_is_read_back(
    name: str, sentences: list[list[tuple[str, str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    wanted = [tuple(zip(*pairs, strict=True)) for pairs in sentences]
    found, path = reader(name), tmp_path_factory.getbasetemp() / f"anew.{name}"
    text = "".join(found.write(Sentence(tokens), labels) for tokens, labels in wanted)
    path.write_bytes(text.encode())
    assert [(each.tokens, each.labels) for each in found.read(path)] == wanted


def test_a_sentence_of_another_format_is_written_as_new(tmp_path: Path) -> None:
    first = EXAMPLES[0]
    sentence = next(of(first).read(first.write(tmp_path)))
    assert reader("columns").write(sentence, ["A", "B", "C"]) == "The\tA\ncat\tB\ncafé\tC\n\n"
    assert reader("columns").write(sentence, sentence.labels or ())[:8] == "The\tDET\n"


def test_blank_lines_of_plain_text_are_answered(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\na  b\n \n")
    found = list(reader("tokens").read(path))
    assert [each.tokens for each in found] == [(), ("a", "b"), ()]
    assert reader("tokens").write(found[0], []) == "\n"


@every_example
@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n\r\n", packed(b"\n" * 20)])
def test_a_file_without_a_token_is_an_error(
    example: Example, content: bytes, tmp_path: Path
) -> None:
    path = example.write(tmp_path, lambda _: content)
    with pytest.raises(CorpusError, match=r"a file without a token") as caught:
        list(of(example).read(path))
    assert str(path) + ":1" in str(caught.value)


@every_example
def test_a_broken_byte_is_an_error_that_says_where(example: Example, tmp_path: Path) -> None:
    path = example.write(tmp_path, lambda content: content.replace("é".encode(), b"\xe9"))
    line = 1 + example.text[: example.text.index("café")].count("\n")
    if example.reader == "conllu":
        line = 1  # The comment has the word too.
    with pytest.raises(CorpusError, match=rf":{line}: expected UTF-8, got byte 0xe9 as byte \d+ "):
        list(of(example).read(path))


@every_example
def test_a_line_without_end_is_refused(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    feed(monkeypatch, example.text.encode() + b"a" * (LONGEST_LINE + 1))
    number = 1 + example.text.count("\n")
    sentences = of(example).read("-")
    whole = [next(sentences) for _ in range(2)]
    assert whole == example.sentences("<standard input>")[:2]
    with pytest.raises(
        CorpusError, match=rf"input>:{number}: expected at most {LONGEST_LINE} byte"
    ):
        list(sentences)


@every_example
def test_damaged_gzip_is_an_error(example: Example, tmp_path: Path) -> None:
    whole = packed(example.text.encode())
    wrong_sum = whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:]
    for damaged in (whole[:-9], whole[:15], wrong_sum):
        path = example.write(tmp_path, lambda _, damaged=damaged: damaged)  # type: ignore[misc]
        with pytest.raises(CorpusError, match="cannot be read to its end") as caught:
            list(of(example).read(path))
        assert str(path) in str(caught.value)
    path = path.rename(f"{path}.gz")
    path.write_bytes(example.text.encode())
    with pytest.raises(CorpusError, match="named as a file of gzip"):
        list(of(example).read(path))


@pytest.mark.parametrize("name", READERS)
def test_what_cannot_be_opened_is_an_error(name: str, tmp_path: Path) -> None:
    for path in (tmp_path / "missing", "a\0b"):
        with pytest.raises(CorpusError, match=r"missing|a\x00b"):
            list(reader(name).read(path))


@pytest.mark.parametrize("name", READERS)
def test_writing_needs_one_label_a_token(name: str) -> None:
    sentence = Sentence(("a", "b"), place="a.txt:7")
    with pytest.raises(DataError, match=r"labels: expected .* 2 tokens of a\.txt:7, got 1"):
        reader(name).write(sentence, ["X"])
    with pytest.raises(DataError, match=r"probabilities: expected .* got 3"):
        reader(name).write(sentence, ["X", "Y"], [1.0, 1.0, 1.0])


@pytest.mark.parametrize("name", ["conllu", "columns", "tokens", "python"])
@pytest.mark.parametrize(
    ("token", "label"), [("a\tb", "X"), ("a\nb", "X"), ("", "X"), ("a", "X\tY"), ("a", "")]
)
def test_what_would_break_the_columns_is_not_written(name: str, token: str, label: str) -> None:
    with pytest.raises(DataError, match=r"a\.txt:7: .*; write it as 'jsonl'"):
        reader(name).write(Sentence((token,), place="a.txt:7"), [label])


def test_unknown_formats_and_labels_are_named_with_what_there_is() -> None:
    with pytest.raises(SettingError, match=r"expected one of conllu, columns, .*, got 'csv'"):
        reader("csv")
    with pytest.raises(SettingError, match=r"a\.xml: .* conllu \(\.conllu\); columns"):
        reader_for("a.xml")
    with pytest.raises(SettingError, match="name one of the readers"):
        reader_for("-")
    assert reader_for("A.CONLLU.GZ", label="xpos").label == "xpos"
    assert reader_for("a.xml", reader="jsonl").name == "jsonl"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("conllu", "pos"),
        ("conllu", "feats"),
        ("conllu", "feats:"),
        ("conllu", "upos:X"),
        ("columns", "1"),
        ("columns", "last"),
        ("columns", "-1"),
        ("jsonl", "tokens"),
        ("parquet", "tokens"),
        ("tokens", "upos"),
        ("python", "upos"),
    ],
)
def test_labels_that_a_format_cannot_have_are_refused(name: str, label: str) -> None:
    with pytest.raises(SettingError, match=f"the format '{name}' has .*, got '{label}'"):
        reader(name, label)
