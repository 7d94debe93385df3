"""Reading takes no more memory for many sentences than for few."""

import io
import itertools
import tracemalloc
from types import SimpleNamespace

import pytest

from everystep.corpora import reader

MANY = 200_000
FEWER = 20_000
SENTENCES = {
    "tokens": (MANY, b"a b\n"),
    "columns": (FEWER, b"a\tX\n\n"),
    "conllu": (FEWER, b"1\ta" + b"\t_" * 8 + b"\n\n"),
    "jsonl": (FEWER, b'{"tokens": ["a"]}\n'),
}
# A buffer and a sentence. One small object that is kept for each sentence takes more.
MOST_BYTES = 40_000


class Repeated(io.RawIOBase):
    """A stream of one sentence many times, as a pipe gives it."""

    def __init__(self, sentence: bytes, times: int) -> None:
        self._chunk = memoryview(sentence * 100)
        self._left = times // 100

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._left:
            return 0
        self._left -= 1
        buffer[: len(self._chunk)] = self._chunk
        return len(self._chunk)


@pytest.mark.parametrize("name", SENTENCES)
def test_memory_is_flat(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    times, sentence = SENTENCES[name]
    stream = io.BufferedReader(Repeated(sentence, times))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=stream))
    sentences = reader(name).read("-")
    first = sum(1 for _ in itertools.islice(sentences, times * 9 // 10))
    tracemalloc.start()
    try:
        rest = sum(1 for _ in sentences)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert first + rest == times
    assert peak < MOST_BYTES
