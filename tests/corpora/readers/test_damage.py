"""Whatever is changed in a file, it is read or refused: no other error, and no line lost."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everystep.corpora import reader
from everystep.errors import CorpusError
from tests.corpora.readers.examples import EXAMPLES, Example, packed
from tests.strategies import damage


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.file)
@given(changes=damage(), is_packed=st.booleans())
def test_damage_is_read_or_refused(
    example: Example,
    changes: list[tuple[int, int, bytes]],
    is_packed: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    content = packed(example.text.encode()) if is_packed else example.text.encode()
    for start, size, piece in changes:
        content = content[:start] + piece + content[start + size :]
    path = Path(tmp_path_factory.getbasetemp(), example.file)
    path.write_bytes(content)
    found, refusal = [], ""
    try:
        found = list(reader(example.reader).read(path))
    except CorpusError as error:
        refusal = str(error)
    if refusal:
        assert str(path) in refusal
    elif not content.startswith(packed(b"")[:2]):
        read = "".join(each.source.text for each in found)
        assert "".join(read.split()) == "".join(content.decode("utf-8-sig").split())
