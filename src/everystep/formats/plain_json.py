"""JSON from files that may be hostile: no deep nesting, no huge numbers, no key twice."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, NoReturn

from everystep.errors import FormatError

DEEPEST = 100
"""How many levels a value may have; far more than any model of layers in layers."""

LONGEST_INTEGER = 20
"""How many characters an integer may have: 64 bits and a sign."""


def write_json(value: Any) -> str:
    """Return plain data as JSON.

    Raises:
        ValueError: the data holds NaN or an infinite number, for which JSON has no word.
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def parse_json(text: bytes | str, where: str) -> Any:
    """Return the value that a JSON text stands for.

    Args:
        text: the text, in UTF-8 where it is bytes.
        where: the file and the field, for error messages.

    Raises:
        FormatError: it is not JSON, or is too deep, holds a huge integer or has a key twice.

    Example:
        >>> parse_json('{"units": 5}', "model.everystep: config")
        {'units': 5}
        >>> parse_json('{"units": 5, "units": 6}', "model.everystep: config")
        Traceback (most recent call last):
            ...
        everystep.errors.FormatError: model.everystep: config has the key 'units' twice
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
            raise FormatError(f"{where} has the key {twice[:80]!r} twice")
        return found

    def integer(digits: str) -> int:
        if len(digits) > LONGEST_INTEGER:
            raise FormatError(f"{where} holds an integer of {len(digits)} digits")
        return int(digits)

    def constant(word: str) -> NoReturn:
        raise FormatError(f"{where} holds {word}, which is not JSON")

    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        value = json.loads(
            decoded, object_pairs_hook=once, parse_int=integer, parse_constant=constant
        )
    except UnicodeDecodeError as error:
        raise FormatError(f"{where} is not UTF-8: byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise FormatError(f"{where} is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise FormatError(f"{where} is nested more than {DEEPEST} levels deep") from None
    _refuse_deep(value, where)
    return value


def _refuse_deep(value: Any, where: str) -> None:
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise FormatError(f"{where} is nested more than {DEEPEST} levels deep")
        inner = [item.values() if isinstance(item, dict) else item for item in level]
        level = [
            item
            for items in inner
            if not isinstance(items, str | int | float | None)
            for item in items
        ]
        depth += 1
