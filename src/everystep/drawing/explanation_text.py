"""Explanations and comparisons as text for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from everystep.drawing.comparison_words import COLUMNS, comparison_words
from everystep.drawing.explained import Comparison, Explained, LayerRead, Port
from everystep.drawing.facts import Fact, facts_of
from everystep.drawing.layer_weights import layer_name, shapes_in_words, weights_of_layers
from everystep.drawing.map_text import map_text
from everystep.drawing.plain_table import plain_table
from everystep.drawing.reads import all_in_words
from everystep.drawing.words import number_of

_TERM: Final = 19
_LONGEST_NAME: Final = 24
_PLAIN: Final = {
    "█": "#", "▓": "%", "▒": "+", "·": ".", "→": ">", "↓": "v", "─": "-", "…": "~",
    "\N{MULTIPLICATION SIGN}": "x",
} | {chr(0x2080 + digit): str(digit) for digit in range(10)}  # fmt: skip
"""What stands for characters that an encoding does not have."""


def explanation_text(data: Explained, *, width: int = 100, encoding: str = "utf-8") -> str:
    """Draw an explanation in characters.

    Args:
        data: what was found out.
        width: how many characters a line may have; maps take what they need.
        encoding: the encoding of where it is going to; characters that it does not have are
            replaced.

    Returns:
        The text, which ends with a newline.
    """
    lines = [*wrap(_title(data), width, subsequent_indent="  "), ""]
    lines += [line for fact in facts_of(data) for line in _fact(fact, width)]
    for each in data["maps"]:
        lines += ["", *map_text(each)]
    if data["layers"]:
        lines += ["", *_layers(data, width)]
    return _encodable("\n".join(lines) + "\n", encoding)


def comparison_text(data: Comparison, *, width: int = 100, encoding: str = "utf-8") -> str:
    """Draw a comparison in characters: a table, then why each model is what it is to the first.

    Args:
        data: what was found out.
        width: how many characters a line may have.
        encoding: the encoding of where it is going to; characters that it does not have are
            replaced.

    Returns:
        The text, which ends with a newline.
    """
    lines = [f"{number_of(len(data['models']), 'model')}, {number_of(data['steps'], 'step')}", ""]
    whole = [COLUMNS.output_shape]
    rows = comparison_words(data)
    lines += plain_table(COLUMNS, rows, width, right=[COLUMNS.parameters], whole=whole)
    reasons = [(each["name"], each["relation_reason"]) for each in data["models"]]
    said = [f"{name}: {reason}" for name, reason in reasons if reason]
    lines += [""] if said else []
    lines += [line for each in said for line in wrap(each, width, subsequent_indent="  ")]
    return _encodable("\n".join(lines) + "\n", encoding)


def _title(data: Explained) -> str:
    reads = ", ".join(map(_port, data["inputs"]))
    gives = ", ".join(map(_port, data["outputs"]))
    return f"{data['name']} ({data['kind']}): {reads} → {gives}"


def _port(port: Port) -> str:
    return f"{port['name']} {port['shape']} {port['dtype']}"


def _fact(fact: Fact, width: int) -> Iterator[str]:
    words = f"{fact.value}; {fact.reason}" if fact.reason else fact.value
    first = f"  {fact.term:{_TERM}}"
    yield from wrap(words, width, initial_indent=first, subsequent_indent=" " * len(first)) or [
        first
    ]


def _layers(data: Explained, width: int) -> list[str]:
    letters = weights_of_layers(data["layers"])
    rows = [
        (
            _named(layer),
            shapes_in_words(layer)[0],
            layer["output_shape"],
            f"{layer['parameters']:,}",
            weights.in_words(layer["steps"]),
            all_in_words(layer["depends"]),
        )
        for layer, weights in zip(data["layers"], letters, strict=True)
    ]
    heads = ("layer", "before", "after", "parameters", "weights", "a step reads")
    return plain_table(heads, rows, width, right=["parameters"], whole=heads[:4])


def _named(layer: LayerRead) -> str:
    """Return a layer's name and kind, on two lines if they are long."""
    name, kind = layer_name(layer), f"({layer['kind']})"
    return f"{name}{' ' if len(name) + len(kind) <= _LONGEST_NAME else chr(10)}{kind}"


def _encodable(text: str, encoding: str) -> str:
    r"""Replace what an encoding does not have, and what a terminal would obey.

    >>> _encodable("██ · é", "ascii"), _encodable("██ · é", "latin-1")
    ('## . \\xe9', '## · é')
    >>> _encodable("\x1b[2J", "utf-8")
    '?[2J'
    """
    return text.translate({ord(char): _written(char, encoding) for char in set(text)})


def _written(char: str, encoding: str) -> str:
    if not char.isprintable() and char != "\n":
        return "?"
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return _PLAIN.get(char) or char.encode("ascii", "backslashreplace").decode("ascii")
    return char
