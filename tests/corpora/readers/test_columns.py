"""Column files: what separates, which column is the label, and what is no token."""

from pathlib import Path

import pytest

from everystep.corpora import Sentence, reader
from everystep.corpora.readers import blocks
from everystep.errors import CorpusError, DataError

NEWS = """\
-DOCSTART- -X- -X- O

EU NNP I-NP B-ORG
rejects  VBZ I-VP O

Peter NNP I-NP B-PER
-DOCSTART- -X- O O

\t
Ja JJ I-NP O
-DOCSTART- end
"""


def read(folder: Path, text: str, label: str | None = None) -> list[Sentence]:
    path = folder / "a.conll"
    path.write_bytes(text.encode())
    return list(reader("columns", label).read(path))


@pytest.mark.parametrize(
    ("label", "labels"),
    [
        (None, [("B-ORG", "O"), ("B-PER",), ("O",), ()]),
        ("2", [("NNP", "VBZ"), ("NNP",), ("JJ",), ()]),
        ("4", [("B-ORG", "O"), ("B-PER",), ("O",), ()]),
    ],
)
def test_starts_of_documents_are_no_tokens_and_come_back(
    label: str | None, labels: list[tuple[str, ...]], tmp_path: Path
) -> None:
    found = read(tmp_path, NEWS, label)
    assert [each.tokens for each in found] == [("EU", "rejects"), ("Peter",), ("Ja",), ()]
    assert [each.labels for each in found] == labels
    assert [each.place.rpartition(":")[2] for each in found] == ["3", "6", "10", "11"]
    one = reader("columns", label)
    assert "".join(one.write(each, each.labels or ()) for each in found) == NEWS
    text = "".join(one.write(each, ["?"] * len(each)) for each in found)
    column = int(label or 4) - 1
    expected = [line.split(" ") for line in NEWS.replace("  ", " ").split("\n")]
    for fields in expected:
        if len(fields) == 4 and fields[0] != "-DOCSTART-":
            fields[column] = "?"
    assert text.replace("  ", " ") == "\n".join(" ".join(fields) for fields in expected)
    assert "rejects  " in text


def test_a_tab_alone_separates_where_there_is_one(tmp_path: Path) -> None:
    first, second = read(tmp_path, "New York\tB place\n\u00a0\tO\n \t \n \tO\n")
    assert (first.tokens, first.labels) == (("New York", "\u00a0"), ("B place", "O"))
    assert (second.tokens, second.labels) == ((" ",), ("O",))


def test_one_column_has_no_labels_and_gets_some(tmp_path: Path) -> None:
    [first, second] = read(tmp_path, "a\nb \r\n\n\u00a0\n")
    assert (first.labels, second.labels) == (None, None)
    assert second.tokens == ("\u00a0",)
    one = reader("columns")
    assert one.write(first, ["X", "Y Z"], [1, 0.5]) == "a\tX\t1.0000\nb\tY Z\t0.5000\r\n\n"
    assert one.write(second, ["O"]) == "\u00a0\tO\n"


@pytest.mark.parametrize(
    ("text", "label", "line", "message"),
    [
        ("a\tX\nb\n", None, 2, "expected 2 columns separated by tabs, as in .* got 1"),
        ("a X\nb\n", None, 2, "expected 2 columns separated by spaces, as in .* got 1"),
        ("a\tX\n\nb\tY\tZ\n", None, 3, "expected 2 columns .* got 3"),
        ("a\nb X\n", None, 2, "expected 1 columns .* got 2"),
        ("a\tX\nb\t\n", None, 2, "expected a label, got an empty column"),
        ("a\tX\n\tX\n", None, 2, "expected a token, got an empty column"),
        ("a\tX\tY\nb\t\tY\n", "2", 2, "expected a label"),
        ("a\tX\n", "3", 1, "expected column 3, of the labels, got 2 columns"),
        ("a\n", "2", 1, "expected column 2, of the labels, got 1 columns"),
    ],
)
def test_other_columns_than_before_are_refused_with_their_line(
    text: str, label: str | None, line: int, message: str, tmp_path: Path
) -> None:
    with pytest.raises(CorpusError, match=rf"a\.conll:{line}: {message}"):
        read(tmp_path, text, label)


def test_probabilities_are_separated_as_the_other_columns(tmp_path: Path) -> None:
    for between in ("\t", " "):
        [sentence] = read(tmp_path, f"a{between}N{between}X\n")
        text = reader("columns").write(sentence, ["Y"], [0.5])
        assert text == between.join(["a", "N", "Y", "0.5000"]) + "\n"


def test_labels_with_spaces_do_not_go_between_spaces(tmp_path: Path) -> None:
    [sentence] = read(tmp_path, "a X\n")
    with pytest.raises(DataError, match=r"a\.conll:1: .*white space, got 'Y Z'"):
        reader("columns").write(sentence, ["Y Z"])


def test_a_file_without_blank_lines_is_refused_before_it_fills_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "LONGEST_BLOCK", 40)
    assert [len(each) for each in read(tmp_path, "abc\tX\n" * 6 + "\n" + "abc\tX\n" * 6)] == [6, 6]
    with pytest.raises(CorpusError, match=r":7: the sentence from .*:1 on has more than 40"):
        read(tmp_path, "abc\tX\n" * 7)
