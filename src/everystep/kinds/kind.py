"""What a kind of value is, how kinds are combined, and how values are shown in messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from everystep.errors import EverystepError, SettingError

_LONGEST_SHOWN = 120


def unchanged(value: Any) -> Any:
    """Return the value."""
    return value


@dataclass(frozen=True)
class Kind:
    """What a setting takes: the words for it, how to read a value, how to write it to a config.

    Args:
        wanted: what a value must be, as the error message says it.
        parse: returns the value to keep; raises ValueError, TypeError or KeyError for others.
        to_config: returns plain data for the value kept.
        refused: values that must be refused; the law over all settings tries them.
        error: the class of the error for what is refused.
    """

    wanted: str
    parse: Callable[[Any], Any]
    to_config: Callable[[Any], Any] = unchanged
    refused: tuple[Any, ...] = ()
    error: type[EverystepError] = SettingError

    def taken(self, where: str, value: Any) -> Any:
        """Return the value to keep.

        Args:
            where: whose value it is and what it is called there, for the message.
            value: what was given.

        Raises:
            EverystepError: one that names the place, what is wanted and what came.

        Example:
            >>> from everystep.kinds import POSITIVE
            >>> POSITIVE.taken("fit: epochs", -1)
            Traceback (most recent call last):
            everystep.errors.SettingError: fit: epochs must be a positive integer, not -1
        """
        try:
            return self.parse(value)
        except EverystepError as error:
            raise type(error)(f"{where}: {error}") from None
        except (ValueError, TypeError, LookupError, OverflowError, AttributeError):
            raise self.error(f"{where} must be {self.wanted}, not {shown(value)}") from None


def shown(value: Any) -> str:
    """Return a value in words that fit into a message.

    Example:
        >>> import numpy as np
        >>> shown("tahn"), shown(np.zeros((2, 3))), shown(object())
        ("'tahn'", 'an array of shape (2, 3) and dtype float64', 'an object of class object')
    """
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if isinstance(shape, tuple) and shape and dtype is not None:
        return f"an array of shape {shape} and dtype {dtype}"
    text = repr(value)
    if " at 0x" in text or "\n" in text:
        return str(getattr(value, "__name__", f"an object of class {type(value).__name__}"))
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def reject(value: Any) -> NoReturn:
    """Say, in a kind's `parse`, that it does not take a value; `Kind.taken` finds the words."""
    raise ValueError(value)


def optional(kind: Kind) -> Kind:
    """Return the kind that takes None as well."""
    return Kind(
        f"{kind.wanted}, or None",
        lambda value: None if value is None else kind.parse(value),
        lambda value: None if value is None else kind.to_config(value),
        tuple(value for value in kind.refused if value is not None),
        kind.error,
    )


def instance_of(words: str, *classes: type) -> Kind:
    """Return the kind that takes objects of these classes, which words describe."""
    return Kind(
        words,
        lambda value: value if isinstance(value, classes) else reject(value),
        refused=(None, "text", 3),
    )


def one_of(*values: Any) -> Kind:
    """Return the kind that takes exactly these values."""
    words = ", ".join(repr(value) for value in values)
    return Kind(
        f"one of {words}",
        lambda value: value if value in values else reject(value),
        refused=("no such value", -12345),
    )


def only(value: Any) -> Kind:
    """Return the kind that takes one value: Keras has more choices there, everystep has not."""
    return Kind(
        f"{value!r}, because everystep has nothing else there",
        lambda given: value if given is value else reject(given),
        refused=(4, "no such value"),
    )
