"""Settings with ranges: which values each takes, in words for messages and as a check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from everystep.errors import SettingError, cure_of_name


@dataclass(frozen=True)
class Range:
    """Which values a setting takes, in words, and how to know them."""

    words: str
    holds: Callable[[Any], bool]


def whole(least: int, most: int = 2**32 - 1) -> Range:
    """Return the range of whole numbers from one to another."""
    return Range(
        f"a whole number from {least} to {most}",
        lambda value: type(value) is int and least <= value <= most,
    )


def number(above: float, most: float, including: bool = False) -> Range:
    """Return the range of numbers above one, or from it on, to another."""
    words = f"a number {'from' if including else 'above'} {above:g} to {most:g}"

    def holds(value: Any) -> bool:
        if type(value) not in (int, float):
            return False
        return above < value <= most or (including and value == above)

    return Range(words, holds)


def one_of(*choices: Any) -> Range:
    """Return the range of these values alone."""
    words = " or ".join(
        repr(choice) if isinstance(choice, str) else str(choice).lower() for choice in choices
    )
    return Range(
        words, lambda value: any(type(value) is type(each) and value == each for each in choices)
    )


def either(one: Range, other: Range) -> Range:
    """Return the range of what either of two takes."""
    return Range(
        f"{one.words} or {other.words}", lambda value: one.holds(value) or other.holds(value)
    )


def setting(default: Any, takes: Range) -> Any:
    """Return a field of a subclass of `Ranged`."""
    return field(default=default, metadata={"range": takes})


@dataclass(frozen=True)
class Ranged:
    """Settings that are checked when they are made: plain values that TOML and JSON can hold.

    Each field of a subclass is made by `setting` with its range.

    Raises:
        SettingError: a value is out of its range; the message names all of them.
    """

    def __post_init__(self) -> None:
        wrong = [
            f"{each.name}: expected {each.metadata['range'].words}, "
            f"got {getattr(self, each.name)!r}"
            for each in fields(self)
            if not each.metadata["range"].holds(getattr(self, each.name))
        ]
        if wrong:
            raise SettingError("; ".join(wrong))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make settings of a mapping, as TOML and JSON give it; what it leaves out is the default.

        Raises:
            SettingError: a key is no setting, or a value is out of its range.
        """
        known = [each.name for each in fields(cls)]
        for name in data:
            if name not in known:
                raise SettingError(f"no setting is called {name!r}; {cure_of_name(name, known)}")
        return cls(**data)

    def to_dict(self) -> dict[str, Any]:
        """Return all settings as plain data, from which `from_dict` makes equal ones."""
        return asdict(self)
