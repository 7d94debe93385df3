"""What stands where nobody said otherwise: Keras's global settings of precision and data format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from everystep.errors import SettingError
from everystep.kinds import NOT_NEGATIVE, checked, shown

FLOATS = ("bfloat16", "float16", "float32", "float64")
FORMATS = ("channels_last", "channels_first")


@dataclass
class _Defaults:
    floatx: str = "float32"
    epsilon: float = 1e-7
    image_data_format: str = "channels_last"
    finite_inputs: bool = False


_defaults = _Defaults()


def floatx() -> str:
    """Return the dtype of numbers where none is given.

    Example:
        >>> floatx()
        'float32'
    """
    return _defaults.floatx


def set_floatx(value: str) -> None:
    """Set the dtype of numbers where none is given.

    Layers that exist keep theirs.

    Args:
        value: `"float32"`, `"float64"`, `"float16"` or `"bfloat16"`.

    Raises:
        SettingError: it is none of these.
    """
    _defaults.floatx = _one_of("floatx", value, FLOATS)


def epsilon() -> float:
    """Return the small number that keeps divisions and logarithms finite.

    Example:
        >>> epsilon()
        1e-07
    """
    return _defaults.epsilon


@checked(value=NOT_NEGATIVE)
def set_epsilon(value: float) -> None:
    """Set the small number that keeps divisions and logarithms finite.

    Args:
        value: the number; losses and layers that take one of their own are not changed.
    """
    _defaults.epsilon = float(value)


def image_data_format() -> str:
    """Return where the channels of an image stand if a layer does not say.

    Example:
        >>> image_data_format()
        'channels_last'
    """
    return _defaults.image_data_format


@checked
def set_image_data_format(data_format: str) -> None:
    """Set where the channels of an image stand if a layer does not say.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.

    Raises:
        SettingError: it is neither.
    """
    _defaults.image_data_format = _one_of("data_format", str(data_format).lower(), FORMATS)


def finite_inputs() -> bool:
    """Return whether NaN and infinite input is an error.

    Example:
        >>> finite_inputs()
        False
    """
    return _defaults.finite_inputs


@checked
def set_finite_inputs(value: bool) -> None:
    """Make NaN and infinite input an error that names the input, sample, step and feature, or not.

    It is looked for where data comes in, before anything runs: in `fit`, `evaluate`, `predict` and
    their kin, also batch by batch from a generator; in streams; and where a layer or model is
    called by itself. Padding may hold anything. Inside of `jax.jit` nothing is looked at, since
    values are not known there. Looking reads all numbers once; it costs nothing while it is off.

    Args:
        value: True to look; False, as at the beginning, lets such numbers through.

    Example:
        >>> set_finite_inputs(True)
        >>> set_finite_inputs(False)
    """
    _defaults.finite_inputs = value


def _one_of(what: str, value: Any, known: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        words = ", ".join(repr(each) for each in known)
        raise SettingError(f"Unknown `{what}` value: {shown(value)}: it must be one of {words}")
    return str(value)
