"""Source as sequences: what a sequence is, layout, encodings, errors."""

from pathlib import Path

import pytest

from everystep.corpora import LONGEST, SourceSequence, read_source, read_source_file
from everystep.errors import CorpusError, SettingError

_SOURCE = '''\
"""What it is."""
import os

# of f
@a
def f(x):
    """Doc."""
    def inner(): pass
    return x \\
        + 1  # end


class A:
    y = 1

    def g(self): pass
    async def h(self): pass

# last
print('é', "ü")
# end
'''


def shown(sequences: list[SourceSequence]) -> str:
    return "".join(
        token.before + token.text for sequence in sequences for token in sequence.tokens()
    )


def test_a_sequence_is_a_function_or_the_lines_between() -> None:
    firsts = [sequence.texts[0] for sequence in read_source(_SOURCE, "a.py")]
    assert firsts == ['"""What it is."""', "# of f", "class", "def", "async", "# last"]


@pytest.mark.parametrize("longest", [1, 2, 7, LONGEST])
def test_the_source_can_be_shown_as_it_was(longest: int) -> None:
    sequences = read_source(_SOURCE, "a.py", longest)
    assert shown(sequences) == _SOURCE.rstrip()
    assert max(map(len, sequences)) <= longest
    for token in (token for sequence in sequences for token in sequence.tokens()):
        line = _SOURCE.splitlines()[token.line - 1]
        assert line[token.column :].startswith(token.text.partition("\n")[0])


def test_symbols_hide_the_spelling_of_strings_numbers_and_comments() -> None:
    [sequence] = read_source("x = f('a', f'{b}', 1.5) # why", "a.py")
    assert sequence.symbols[4:9:2] == ("<string>", "<string>", "<number>")
    assert sequence.symbols[-1] == "<comment>"
    assert sequence.texts[-1] == "# why"
    assert len(sequence) == len(sequence.symbols) == len(sequence.roles) == len(sequence.texts)


@pytest.mark.parametrize("text", ["", "\n", "   \n"])
def test_text_without_tokens_has_no_sequences(text: str) -> None:
    assert read_source(text, "a.py") == []


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_ends_of_every_system_read_the_same(ending: str) -> None:
    other = read_source("\ufeff" + _SOURCE.replace("\n", ending), "a.py")
    assert other == read_source(_SOURCE, "a.py")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("x = 1\ny = (", "odd.py:2: "),
        ("x = 1\n\nreturn = 2", "odd.py:3: "),
        ("if x:\n    y\n  z", "odd.py:3: "),
        ("print 'x'", "odd.py:1: "),
        ("x = 'a\n", "odd.py:1: "),
        ("\\\n", "odd.py:1: "),
        ("x = \0", "odd.py: "),
        ("x = '\ud800'", "odd.py: "),
        ("-" * 100_000 + "x", "odd.py"),
        ("x" + "+x" * 5000, "odd.py"),
    ],
)
def test_an_error_names_file_and_line(text: str, place: str) -> None:
    with pytest.raises(CorpusError) as caught:
        read_source(text, "odd.py")
    assert str(caught.value).startswith(place)
    assert "\n" not in str(caught.value)
    assert "<unknown>" not in str(caught.value)


@pytest.mark.parametrize("longest", [0, -1])
def test_sequences_need_room_for_a_step(longest: int) -> None:
    with pytest.raises(SettingError, match="longest: expected 1 or more"):
        read_source("x", "a.py", longest)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("é".encode(), "é"),
        (b"\xef\xbb\xbf" + "é".encode(), "é"),
        (b"# coding: latin-1\n\xe9", "é"),
        (b"# coding: utf-8\r\na\r\n", "a"),
    ],
)
def test_a_file_is_read_in_the_encoding_that_it_declares(
    tmp_path: Path, content: bytes, text: str
) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(content)
    [sequence] = read_source_file(file, "b.py")
    assert (sequence.path, sequence.texts[-1]) == ("b.py", text)


@pytest.mark.parametrize("content", [b"\xff", b"# coding: nonsense\n", b"# coding: utf-8\n\n\xe9"])
def test_a_file_of_no_known_encoding_is_an_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(content)
    with pytest.raises(CorpusError, match=r"^b\.py: cannot be read as text"):
        read_source_file(file, "b.py")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot be read as text"):
        read_source_file(tmp_path / "none.py", "none.py")
