"""Bad values of every kind, and what makes an error one that a user can read."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from everystep.errors import EverystepError

BAD: dict[str, Any] = {
    "nothing": None,
    "text": "no such thing",
    "an object": object(),
    "a list": [],
    "a mapping": {},
    "a fraction": 2.5,
    "negative": -1,
    "zero": 0,
    "not a number": float("nan"),
    "true": True,
    "an array": np.ones((2, 3, 1, 1), "float32"),
    "words": np.array([["a", "b"]]),
    "bytes": b"bytes",
    "a class": dict,
}
# What Python, NumPy and JAX say of what they were handed, which tells a user nothing.
RAW = re.compile(
    r"'NoneType'|has no attribute|object at 0x|not subscriptable|not iterable|unsupported operand"
    r"|Tracer|dot_general|\blax\b|\bjnp\b|positional argument|unhashable|cannot unpack"
    r"|<function|<lambda>|Traceback|\n"
)


def complaint(error: BaseException, named: tuple[str, ...]) -> str | None:
    """Return what is wrong with an error that bad input brought, or None.

    Args:
        error: what was raised.
        named: words of which the message has at least one: the argument, the layer, the file.
    """
    message = str(error)
    if not isinstance(error, EverystepError | OSError):
        return f"is a {type(error).__name__}: {message}"
    raw = RAW.search(message)
    if raw:
        return f"holds {raw.group()!r}: {message}"
    if not any(word in message for word in named):
        return f"names none of {named}: {message}"
    if len(message) < 20 or message.rstrip()[-1] in ":,;":
        return f"ends in the middle: {message}"
    return None
