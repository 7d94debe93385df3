"""One small corpus in every format, and what is in it."""

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from everystep.corpora import Sentence

TOKENS = (("The", "cat", "café"), ("Sits",), ("on", "it"))
LABELS = (("DET", "NOUN", "X"), ("VERB",), ("ADP", "PRON"))


def _conllu() -> str:
    sentences = []
    for tokens, labels in zip(TOKENS, LABELS, strict=True):
        lines = [f"# text = {' '.join(tokens)}"]
        lines += [
            f"{number}\t{token}\t_\t{label}\t_\t_\t_\t_\t_\tid={number}"
            for number, (token, label) in enumerate(zip(tokens, labels, strict=True), 1)
        ]
        sentences.append("\n".join(lines) + "\n\n")
    return "".join(sentences)


def _columns(between: str) -> str:
    return "".join(
        "".join(f"{token}{between}{label}\n" for token, label in zip(*pair, strict=True)) + "\n"
        for pair in zip(TOKENS, LABELS, strict=True)
    )


def _json_lines() -> str:
    return "".join(
        json.dumps({"id": number, "tokens": tokens, "labels": labels}, ensure_ascii=False) + "\n"
        for number, (tokens, labels) in enumerate(zip(TOKENS, LABELS, strict=True))
    )


@dataclass(frozen=True)
class Example:
    """The corpus in one format: its file's name, its text, and in which lines sentences start."""

    reader: str
    file: str
    text: str
    lines: tuple[int, ...]
    labelled: bool = True

    def write(self, folder: Path, change: Callable[[bytes], bytes] = bytes) -> Path:
        """Write the file, its bytes changed."""
        path = folder / self.file
        path.write_bytes(change(self.text.encode()))
        return path

    def sentences(self, path: str) -> list[Sentence]:
        """What is to be read of it."""
        return [
            Sentence(tokens, labels if self.labelled else None, f"{path}:{line}")
            for tokens, labels, line in zip(TOKENS, LABELS, self.lines, strict=True)
        ]


EXAMPLES = [
    Example("conllu", "a.conllu", _conllu(), (2, 7, 10)),
    Example("columns", "tabs.conll", _columns("\t"), (1, 5, 7)),
    Example("columns", "spaces.conll", _columns(" _  "), (1, 5, 7)),
    Example("jsonl", "a.jsonl", _json_lines(), (1, 2, 3)),
    Example("tokens", "a.txt", "The cat café\n Sits\non  it\n", (1, 2, 3), labelled=False),
]


def feed(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Let standard input hold these bytes."""
    stream = io.TextIOWrapper(io.BufferedReader(io.BytesIO(content)))
    monkeypatch.setattr("sys.stdin", stream)


def packed(content: bytes) -> bytes:
    """Pack bytes by gzip, in two members, as tools that append do."""
    return gzip.compress(content[:9], mtime=0) + gzip.compress(content[9:], mtime=0)
