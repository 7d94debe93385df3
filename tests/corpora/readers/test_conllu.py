"""CoNLL-U: which lines are words, which labels they have, and what is kept of the rest."""

from pathlib import Path

import pytest

from everystep.corpora import Sentence, reader
from everystep.errors import CorpusError, DataError

ENGLISH = """\
# newdoc id = a
# text = I don't.
#no value

1\tI\tI\tPRON\tPRP\tCase=Nom|Person=1\t3\tnsubj\t3:nsubj\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
2\tdo\tdo\tAUX\tVBP\tMood=Ind\t0\troot\t0:root\tX=1|Y
3\tn't\tnot\tPART\tRB\tPolarity=Neg\t2\tadvmod\t2:advmod\t_
3.1\tgo\tgo\tVERB\tVB\t_\t_\t_\t2:xcomp\tCopyOf=2
4\t.  .\t.\tPUNCT\t_\t_\t2\tpunct\t2:punct\t_

1\tYes\tyes\t_\t_\t_\t0\troot\t_\t_

# the end
"""


def read(folder: Path, text: str, label: str | None = None) -> list[Sentence]:
    path = folder / "a.conllu"
    path.write_bytes(text.encode())
    return list(reader("conllu", label).read(path))


@pytest.mark.parametrize(
    ("label", "labels"),
    [
        (None, ("PRON", "AUX", "PART", "PUNCT")),
        ("xpos", ("PRP", "VBP", "RB", "_")),
        ("deprel", ("nsubj", "root", "advmod", "punct")),
        ("feats:Person", ("1", "_", "_", "_")),
        ("feats:Tense", ("_", "_", "_", "_")),
    ],
)
def test_words_are_the_lines_with_whole_numbers(
    label: str | None, labels: tuple[str, ...], tmp_path: Path
) -> None:
    first, second, rest = read(tmp_path, ENGLISH, label)
    assert first.tokens == ("I", "do", "n't", ".  .")
    assert first.labels == labels
    assert (second.tokens, rest.tokens) == (("Yes",), ())
    assert second.labels == (("root",) if label == "deprel" else None)
    assert [each.place.rpartition(":")[2] for each in (first, second, rest)] == ["5", "12", "14"]


def test_every_other_line_comes_back(tmp_path: Path) -> None:
    one = reader("conllu")
    written = [
        one.write(each, ["A", "B", "C", "D"][: len(each)]) for each in read(tmp_path, ENGLISH)
    ]
    wanted = ENGLISH
    for old, new in [("\tPRON", "\tA"), ("\tAUX", "\tB"), ("\tPART", "\tC"), ("\tPUNCT", "\tD")]:
        wanted = wanted.replace(old, new)
    assert "".join(written) == wanted.replace("Yes\tyes\t_", "Yes\tyes\tA")


def test_features_are_set_among_the_others_in_order(tmp_path: Path) -> None:
    one = reader("conllu", "feats:number")
    first, *_ = read(tmp_path, ENGLISH)
    text = one.write(first, ["Sing", "_", "Plur", "_"], [0.5, 1, 1, 1])
    columns = [line.split("\t") for line in text.split("\n") if "\t" in line]
    assert [fields[5] for fields in columns] == [
        "Case=Nom|number=Sing|Person=1",
        "_",
        "Mood=Ind",
        "number=Plur|Polarity=Neg",
        "_",
        "_",
    ]
    assert [fields[9] for fields in columns][::2] == [
        "Probability=0.5000",
        "X=1|Y|Probability=1.0000",
        "CopyOf=2",
    ]
    gone = reader("conllu", "feats:Person").write(first, ["_"] * 4)
    assert "\tCase=Nom\t" in gone
    assert "Person" not in gone


def test_a_reader_of_another_column_writes_into_its_own(tmp_path: Path) -> None:
    first, *_ = read(tmp_path, ENGLISH)
    text = reader("conllu", "xpos").write(first, first.labels or ())
    [again] = read(tmp_path, text, "xpos")
    assert again.labels == first.labels


def row(number: str, form: str = "a") -> str:
    return "\t".join([number, form] + ["_"] * 8) + "\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (row("1") + "2\tb\n", 2, "expected 10 columns separated by tabs, got 2"),
        (row("1") + row("2").replace("\t", " "), 2, "expected 10 columns .* got 1"),
        (row("1").replace("\n", "\t_\n"), 1, "got 11"),
        (row("1", ""), 1, "column 2 is empty"),
        (row("1") + row("3"), 2, "expected word 2, got the number '3'"),
        (row("1") + "\n" + row("1") + row("1"), 4, "expected word 2, got the number '1'"),
        (row("0"), 1, "expected word 1, got the number '0'"),
        (row("one"), 1, "got the number 'one'"),
        (row("_"), 1, "got the number '_'"),
        (row("2-3") + row("1"), 1, "got the number '2-3'"),
        (row("1-2") + row("1"), 2, "expected words up to 2, .* got 1"),
        (row("1-2") + row("1") + row("2-3") + row("2") + row("3"), 3, "got the number '2-3'"),
        (row("1") + row("2.1"), 2, "got the number '2.1'"),
        (row("2-1"), 1, "got the number '2-1'"),
        (row("1") + "# c\n" + row("1"), 2, "put a blank line between sentences"),
    ],
)
def test_broken_sentences_are_refused_with_their_line(
    text: str, line: int, message: str, tmp_path: Path
) -> None:
    whole = row("1") + "\n"
    with pytest.raises(CorpusError, match=rf"a\.conllu:{line + 2}: .*{message}"):
        read(tmp_path, whole + text)


def test_broken_features_are_refused_where_they_are_labels(tmp_path: Path) -> None:
    text = row("1").replace("_", "Number", 4).replace("Number", "_", 3)
    assert len(read(tmp_path, text)) == 1
    with pytest.raises(CorpusError, match=r":1: expected features as NAME=VALUE .* got 'Number'"):
        read(tmp_path, text, "feats:Number")


@pytest.mark.parametrize(("label", "value"), [("upos", "A B"), ("feats:A", "B|C=D")])
def test_labels_that_would_break_the_line_are_refused(label: str, value: str) -> None:
    with pytest.raises(DataError, match="white space"):
        reader("conllu", label).write(Sentence(("a",)), [value])


def test_a_file_of_comments_alone_holds_no_token(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="without a token"):
        read(tmp_path, "# text = a\n# b\n\n")
