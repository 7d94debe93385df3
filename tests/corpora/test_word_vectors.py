"""Word vectors from text files, against what was written into them."""

import gzip
import struct
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from everystep.corpora import PADDING, UNKNOWN, read_word_vectors
from everystep.errors import CorpusError

_SIGNS = st.characters(exclude_categories=["Cs"], exclude_characters="\0\t\n\r \ufeff")
_PARTS = st.text(_SIGNS, min_size=1, max_size=5).filter(lambda text: text[0] not in "\x80\xba")


def _looks_like_a_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_SPACED = st.lists(_PARTS, min_size=2, max_size=3).filter(lambda p: not _looks_like_a_number(p[-1]))
_WORDS = st.one_of(_PARTS, _SPACED.map(" ".join)).filter(lambda w: w not in (PADDING, UNKNOWN))


@st.composite
def _tables(draw: st.DrawFn) -> tuple[list[str], np.ndarray]:
    words = draw(st.lists(_WORDS, min_size=1, max_size=8, unique=True))
    # The first line of a file without a header says how many numbers there are.
    words[0] = f"x{words[0].replace(' ', '')}"
    size = draw(st.integers(2, 4))
    number = st.floats(width=32, allow_nan=False, allow_infinity=False)
    values = [draw(st.tuples(*[number] * size)) for _ in words]
    return words, np.array(values, np.float32)


@given(_tables(), st.booleans(), st.booleans(), st.sampled_from([" ", "\t"]), st.data())
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    written: tuple[list[str], np.ndarray],
    header: bool,
    packed: bool,
    between: str,
    data: st.DataObject,
) -> None:
    words, table = written
    assume(len(set(words)) == len(words))
    lines = [f"{len(words)} {table.shape[1]}"] if header else []
    end = data.draw(st.sampled_from(["", " ", "\r"]))
    for word, row in zip(words, table, strict=True):
        lines.append(between.join([word, *(repr(float(value)) for value in row)]) + end)
    text = "\n".join(lines).encode() + b"\n"
    path = tmp_path_factory.getbasetemp() / "drawn.txt"
    path.write_bytes(gzip.compress(text, mtime=0) if packed else text)
    wanted = set(data.draw(st.lists(st.sampled_from(words))))
    further = data.draw(st.one_of(st.none(), st.integers(0, len(words))))
    found = read_word_vectors(path, wanted, further)
    others = [word for word in words if word not in wanted][:further]
    kept = [number for number, word in enumerate(words) if word in wanted or word in others]
    assert found.words == tuple(words[number] for number in kept)
    assert found.table.tobytes() == table[kept].tobytes()
    assert (found.lines, found.table.shape[1]) == (len(words), table.shape[1])


def test_words_with_spaces_are_told_by_the_columns_behind_them(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    path.write_text(", 0.5 1\n. . . 2 -3e-2\nat name@domain.com 4 5\n")
    found = read_word_vectors(path)
    assert found.words == (",", ". . .", "at name@domain.com")
    np.testing.assert_array_equal(found.table, np.array([[0.5, 1], [2, -0.03], [4, 5]], np.float32))


def test_the_first_vector_of_a_word_counts_and_the_others_are_named(tmp_path: Path) -> None:
    path = tmp_path / "doubled.txt"
    path.write_text("a 1 2\nb 3 4\na 5 6\n" + "b 0 0\n" * 7)
    with pytest.warns(UserWarning, match=r"'a' \(.*doubled.txt:3\), 'b' .* and 3 more") as warned:
        found = read_word_vectors(path)
    assert len(warned) == 1
    assert found.table.tolist() == [[1, 2], [3, 4]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_word_vectors(path, further=0).words == ()


def test_what_names_no_word_is_left_out_and_named(tmp_path: Path) -> None:
    path = tmp_path / "nameless.txt"
    path.write_text(f"a 1 2\n 3 4\n{UNKNOWN} 5 6\n")
    with pytest.warns(UserWarning, match=r"name no word.*'' .*:2\), '<unknown>' .*:3"):
        assert read_word_vectors(path).words == ("a",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r":1: expected words and vectors, got an empty file"),
        ("0 3\n", r":1: expected words and vectors, got a header alone"),
        ("2 0\n", r":1: the header promises vectors of 0 numbers"),
        ("3 2\na 1 2\n", r":1: the header promises 3 words, but 1 came: is the file cut off"),
        ("1 2\na 1 2\nb 1 2\n", r":3: expected the end of the file, .* promises 1 words"),
        ("a 1 2\nb 1\n", r":2: expected a word and 2 numbers .*, got 2 columns: 'b 1'"),
        ("a 1 2\n\nb 1 2\n", r":2: expected a word and 2 numbers .*, got 0 columns: ''"),
        ("a 1 2\nb 1 2 3\n", r":2: expected a word and 2 numbers .*, got 4 columns"),
        ("1 300\nthe 1 2\n", r":2: expected a word and 300 numbers .*, got 3 columns"),
        ("a 1 2\nb 1 x\n", r":2: expected finite numbers .*, got 'x' as number 2 of 2"),
        ("a 1 2\nb nan 1\n", r":2: expected finite numbers .*, got 'nan' as number 1 of 2"),
        ("a 1 2\nb 1 -inf\n", r":2: expected finite numbers .*, got '-inf' as number 2 of 2"),
        ("a 1 2\nb 1e39 1\n", r":2: expected finite numbers .*, got '1e39' as number 1 of 2"),
        ("the cat\n", r":1: expected a word and the numbers of its vector, .*, got 'the cat'"),
        (b"a 1 2\nb\xff 1 2\n", r":2: expected UTF-8, got byte 0xff"),
        (b"2 2\nab " + struct.pack("2f", 0.5, 1) + b"\n", r"word2vec: .*save_word2vec_format"),
        (b"\xba\x16\x4f\x2f\x0c\0\0\0", r"a binary model of fastText: give the .vec file"),
        (b"PK\x03\x04\x14\0", r"a zip archive: unpack it"),
        (b"\x80\x04\x95", r"a pickle: .*save_word2vec_format"),
        (b"\x1f\x8bno gzip", r"cannot be read to its end"),
    ],
)
def test_bad_files_are_named_with_line_and_cure(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    path = tmp_path / "bad.vec"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(CorpusError, match=message) as caught:
        read_word_vectors(path)
    assert str(caught.value).startswith(str(path))


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"none.vec: cannot be opened: No such file"):
        read_word_vectors(tmp_path / "none.vec")


def test_memory_is_that_of_the_words_that_are_kept(tmp_path: Path) -> None:
    path, words, size = tmp_path / "large.vec", 20_000, 50
    numbers = " 0.125" * size
    path.write_text(f"{words} {size}\n" + "".join(f"w{n}{numbers}\n" for n in range(words)))
    wanted = {f"w{n}" for n in range(0, words, 100)}
    tracemalloc.start()
    found = read_word_vectors(path, wanted, 100)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.words) == len(wanted) + 100
    assert found.lines == words
    assert most < 400_000 < path.stat().st_size / 10
