"""Attacks on formats of text, plain and packed by gzip, and on settings."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator

from everystep.corpora.readers.blocks import MOST_LINES
from everystep.corpora.readers.lines import LONGEST_LINE
from everystep.corpora.readers.python import LONGEST_SOURCE
from tests.hostile.attack import READ, WARNED, Attack, always, flipped, made_by
from tests.hostile.formats import SOURCE, TEXTS, TOML, VECTORS, packed
from tests.hostile.own import OBJECTS, PICKLE

Make = Callable[[bytes], bytes]


def bomb(piece: bytes, times: int) -> bytes:
    """Repeated lines, packed to almost nothing, again and again: members follow one another."""
    block = piece * max(1, 2**16 // len(piece))
    return gzip.compress(block, mtime=0) * -(-times * len(piece) // len(block))


EVERY_TEXT: list[tuple[int, str, Make, str]] = [
    (1, "gzip cut off", lambda good: packed(good)[:-9], "cannot be read to its end"),
    (2, "in gzip", lambda good: flipped(-6)(packed(good)), "cannot be read to its end"),
    (9, "at the end", lambda good: good + b"\xff\xfe\n", ""),
    (9, "alone", always(b"\xc3\n"), ""),
    (12, "a line without end", made_by(bomb, b"a" * LONGEST_LINE, 300), ""),
    (14, "pickle", always(PICKLE), ""),
    (14, "objects", always(OBJECTS), ""),
]
"""What is refused in each of the formats."""

ENDLESS: dict[str, tuple[bytes, int, str]] = {
    "conllu": (b"#\n", 4 * MOST_LINES, "blank line"),
    "columns": (b"a\n", 4 * MOST_LINES, "blank line"),
    "python": (b"a\n", LONGEST_SOURCE, "at most"),
}
"""Lines that are short and never end a sentence, how many, and the words for it."""

BLANK = ("conllu", "columns", "csv")
"""Formats in which blank lines belong to the sentence or signal behind them."""


def one(line: str) -> Make:
    return always(f"{line}\n".encode())


def conllu(number: str, form: str = "a") -> Make:
    return one("\t".join([number, form, "_", "X", *"______"]))


NINES = "9" * 10**4
DEEP = 10**5
RUNS = 'import os\nos.system("touch run")\nopen("run", "w")\nexec("1 / 0")\n'

SINGLE: list[tuple[int, str, str, Make, str]] = [
    (5, "conllu", "too few columns", one("1\ta\tX"), ":1: expected 10 columns"),
    (5, "columns", "too few columns", one("a\tX\nb"), ":2: expected 2 columns"),
    (
        5,
        "jsonl",
        "too few labels",
        one('{"tokens": ["a", "b"], "labels": ["X"]}'),
        ":1: expected one",
    ),
    (5, "csv", "too few columns", one("a,b\n1,2\n1"), ":3: expected 2 columns"),
    (5, "vectors", "too few numbers", one("a 1 2\nb 1"), ":2: expected a word and 2"),
    (6, "conllu", "a word", one("1\ta" + "\t_" * 8 + "\n1\tb" + "\t_" * 8), ":2: expected word 2"),
    (6, "jsonl", "a key", one('{"tokens": ["a"], "tokens": ["b"]}'), ":1 has the key"),
    (6, "csv", "a column", one("a,a\n1,2"), ":1: expected a name for each"),
    (3, "vectors", "words without end", one("999999999999999999 2\na 1 2"), ":1: the header"),
    (3, "vectors", "numbers without end", one("2 999999999\na 1 2"), ":2: expected a word"),
    (
        4,
        "vectors",
        "lines behind the last",
        lambda good: good + b"on 1 2\n",
        ":5: expected the end",
    ),
    (8, "conllu", "a number", conllu(NINES), ":1: expected word 1"),
    (8, "conllu", "a range", conllu(f"1-{NINES}"), ":1: "),
    (8, "jsonl", "lists", one('{"tokens": ' + "[" * DEEP + "]" * DEEP + "}"), ":1 "),
    (8, "jsonl", "a number", one('{"tokens": ["a"], "id": ' + NINES + "}"), ":1 holds"),
    (8, "csv", "a label", one(f"a,label\n1,{NINES}"), ":2: expected a whole number"),
    (8, "csv", "a value", one(f"a\n{NINES}"), "finite"),
    (8, "vectors", "a number", one(f"a {NINES}"), ":1: expected finite"),
    (8, "python", "brackets", one("(" * DEEP + ")" * DEEP), "Python cannot read this"),
    (8, "python", "signs", one("-" * DEEP + "1"), "Python cannot read this"),
    (8, "python", "attributes", one("a" + ".b" * DEEP), "Python cannot read this"),
    (8, "python", "sums", one("a" + "+a" * DEEP), "Python cannot read this"),
    (8, "python", "calls", one("a" + "()" * DEEP), "Python cannot read this"),
    (8, "python", "functions", one("lambda:" * DEEP + "0"), "Python cannot read this"),
    (8, "python", "a number", one(f"a = {NINES}"), "Python cannot read this"),
    (10, "python", "NUL", one("a = 'b\0'"), "Python cannot read this"),
    (19, "csv", "nan", one("a\nnan"), ":2: expected a number"),
    (19, "csv", "too large", one("a\n1e999"), "finite"),
    (19, "vectors", "nan", one("a 1\nb nan"), ":2: expected finite"),
    (19, "vectors", "too large", one("a 1\nb 1e99"), ":2: expected finite"),
    (1, "settings", "in a text", always(TOML[:-3]), "TOML"),
    (5, "settings", "below zero", one("units = -3"), "units"),
    (6, "settings", "a key", one("units = 3\nunits = 4"), "TOML"),
    (8, "settings", "lists", one("units = " + "[" * DEEP + "]" * DEEP), "TOML"),
    (8, "settings", "tables", one("a" + ".a" * DEEP + " = 1"), ""),
    (8, "settings", "a number", one(f"units = {NINES}"), "TOML"),
    (9, "settings", "in a text", always(b"encoder = '\xff'\n"), "TOML"),
    (12, "settings", "without end", always(b"#" * 2**21), "TOML"),
    (14, "settings", "pickle", always(PICKLE), "TOML"),
    (14, "settings", "objects", always(OBJECTS), "TOML"),
    (15, "settings", "a class", one("encoder = 'os.system'"), "encoder"),
    (15, "settings", "a table", one("[encoder]\nclass_name = 'Popen'"), "encoder"),
    (16, "settings", "a path", one("vectors = '/etc/passwd'"), "vectors"),
    (16, "settings", "an address", one("encoder = 'http://127.0.0.1:9/'"), "encoder"),
    (19, "settings", "nan", one("learning_rate = nan"), "learning_rate"),
    (19, "settings", "infinite", one("learning_rate = inf"), "learning_rate"),
]


def text_attacks() -> Iterator[Attack]:
    """All attacks on text, those that are read without harm among them."""
    for name in TEXTS:
        for case, what, make, says in EVERY_TEXT:
            yield Attack(case, name, what, make, says)
    for case, name, what, make, says in SINGLE:
        yield Attack(case, name, what, make, says)
    for name, (piece, times, says) in ENDLESS.items():
        yield Attack(12, name, "a sentence without end", made_by(bomb, piece, times), says)
    for name in BLANK:
        yield Attack(12, name, "blank lines without end", made_by(bomb, b"\n", 2 * MOST_LINES))
    same = always(VECTORS.replace(b"of", b"the"))
    yield Attack(6, "vectors", "a word", same, "'the'", WARNED)
    yield Attack(15, "python", "code", always(RUNS.encode() + SOURCE), ends=READ)
