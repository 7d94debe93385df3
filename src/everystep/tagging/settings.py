"""What a tagger is made of and how it is trained: plain values, each with its range."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from everystep.errors import SettingError


@dataclass(frozen=True)
class _Range:
    """Which values a setting takes, in words, and how to know them."""

    words: str
    holds: Callable[[Any], bool]


def _whole(least: int, most: int = 2**32 - 1) -> _Range:
    return _Range(
        f"a whole number from {least} to {most}",
        lambda value: type(value) is int and least <= value <= most,
    )


def _number(above: float, most: float, including: bool = False) -> _Range:
    words = f"a number {'from' if including else 'above'} {above:g} to {most:g}"

    def holds(value: Any) -> bool:
        if type(value) not in (int, float):
            return False
        return above < value <= most or (including and value == above)

    return _Range(words, holds)


def _one_of(*choices: Any) -> _Range:
    words = " or ".join(
        repr(choice) if isinstance(choice, str) else str(choice).lower() for choice in choices
    )
    return _Range(
        words, lambda value: any(type(value) is type(each) and value == each for each in choices)
    )


def _setting(default: Any, takes: _Range) -> Any:
    return field(default=default, metadata={"range": takes})


_SIZE = _whole(1, 65_536)
_SHARE = _number(0, 0.95, including=True)


@dataclass(frozen=True)
class Settings:
    """The settings of a `Tagger`, all of them plain values that TOML and JSON can hold.

    The defaults were chosen on the development part of UD English-EWT alone.

    Args:
        embedding: features of a word's vector.
        lowercase: whether words are looked up in lower case; characters keep their case.
        digits: whether words are looked up with every digit as 0.
        minimum_count: how often training must see a word to give it a vector of its own.
        word_dropout: a word seen n times is unknown with the chance a / (a + n) in training; this
            is a.
        characters: what reads the characters of a word: `"lstm"`, `"cnn"` or `"none"`.
        character_embedding: features of a character's vector.
        character_units: units in each direction, or half the filters of the convolution.
        spelling: how many characters of a word are read; of longer ones the first and last halves.
        encoder: what reads the sentence: `"lstm"`, `"gru"`, `"convolution"` (dilated) or
            `"attention"`.
        layers: how many of these are stacked.
        units: units in each direction; half the features of a convolution or of attention.
        dropout: the share of features that are left out in training, before and after each layer.
        crf: whether a conditional random field scores whole label sequences: true, false, or
            `"auto"` for true where labels are those of entities (BIO, BIOES).
        batch_size: about how many sentences a step of training reads.
        epochs: how often training goes through all sentences at most.
        learning_rate: the first rate of Adam, which falls to zero in a straight line.
        clip: the largest norm of all gradients together.
        patience: after how many epochs without a better score on dev training ends.
        monitor: the score that says which epoch is best: `"accuracy"`, `"entity_f1"`, or `"auto"`
            for the second where there are entities.
        seed: where all random numbers come from.

    Raises:
        SettingError: a value is out of its range; the message names all of them.

    Example:
        >>> Settings(units=64).units
        64
        >>> Settings(units=0)
        Traceback (most recent call last):
            ...
        everystep.errors.SettingError: units: expected a whole number from 1 to 65536, got 0
    """

    embedding: int = _setting(100, _SIZE)
    lowercase: bool = _setting(True, _one_of(True, False))
    digits: bool = _setting(True, _one_of(True, False))
    minimum_count: int = _setting(1, _SIZE)
    word_dropout: float = _setting(1.0, _number(0, 1000, including=True))
    characters: str = _setting("lstm", _one_of("lstm", "cnn", "none"))
    character_embedding: int = _setting(48, _SIZE)
    character_units: int = _setting(64, _SIZE)
    spelling: int = _setting(16, _whole(2, 256))
    encoder: str = _setting("lstm", _one_of("lstm", "gru", "convolution", "attention"))
    layers: int = _setting(1, _whole(1, 64))
    units: int = _setting(200, _SIZE)
    dropout: float = _setting(0.5, _SHARE)
    crf: bool | str = _setting("auto", _one_of(True, False, "auto"))
    batch_size: int = _setting(64, _SIZE)
    epochs: int = _setting(10, _SIZE)
    learning_rate: float = _setting(4e-3, _number(0, 10))
    clip: float = _setting(5.0, _number(0, 1e6))
    patience: int = _setting(4, _SIZE)
    monitor: str = _setting("auto", _one_of("accuracy", "entity_f1", "auto"))
    seed: int = _setting(1, _whole(0))

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

        Example:
            >>> Settings.from_dict({"layers": 2, "untis": 9})
            Traceback (most recent call last):
                ...
            everystep.errors.SettingError: no setting is called 'untis'; did you mean 'units'?
        """
        known = [each.name for each in fields(cls)]
        for name in data:
            if name not in known:
                raise SettingError(f"no setting is called {name!r}; {_advice(name, known)}")
        return cls(**data)

    def to_dict(self) -> dict[str, Any]:
        """Return all settings as plain data, from which `from_dict` makes equal ones."""
        return asdict(self)


def _advice(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(str(name), known, 1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
