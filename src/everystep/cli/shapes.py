"""Shapes and axes as a command line writes them."""

from __future__ import annotations

from typing import Any

from everystep.errors import SettingError

_CURE = (
    "Write sizes from 1, or None for any, with commas between them and the batch axis first, and a "
    "dtype behind a colon where it matters, as in None,4,3 or None,50:int32"
)


def read_input(text: str) -> Any:
    """Return the example of an input that a text stands for.

    Args:
        text: sizes with commas between them, the batch axis first, as in `"None,4,3"`; `None` is
            any size. Brackets around them may stand or not. A dtype may follow a colon.

    Returns:
        The shape, or a symbol of the shape and the dtype.

    Raises:
        SettingError: it is no shape, or there is no such dtype.

    Example:
        >>> read_input("None,4,3"), read_input("(8, 50)")
        ((None, 4, 3), (8, 50))
        >>> read_input("None,50:int32").dtype
        'int32'
        >>> read_input("4x3")
        Traceback (most recent call last):
            ...
        everystep.errors.SettingError: --input 4x3: '4x3' is no size. Write sizes from 1, or None
        for any, with commas between them and the batch axis first, and a dtype behind a colon where
        it matters, as in None,4,3 or None,50:int32
    """
    sizes, _, dtype = text.partition(":")
    inner = sizes.strip().removeprefix("(").removesuffix(")").removesuffix(",")
    shape = tuple(_size(text, part.strip()) for part in inner.split(","))
    return _symbol(text, shape, dtype.strip()) if dtype else shape


def _size(text: str, part: str) -> int | None:
    if part.lower() == "none":
        return None
    if not (part.isascii() and part.isdecimal() and int(part) > 0):
        raise SettingError(f"--input {text}: {part!r} is no size. {_CURE}")
    return int(part)


def _symbol(text: str, shape: tuple[int | None, ...], dtype: str) -> Any:
    from everystep.layers import Input

    try:
        return Input(batch_shape=shape, dtype=dtype)
    except SettingError:
        raise SettingError(f"--input {text}: there is no dtype {dtype!r}. {_CURE}") from None


def read_axes(option: str, texts: list[str] | None) -> Any:
    """Return the axes that texts stand for: 1 where there are none, one for all, or a list.

    Args:
        option: the option that the texts were given to.
        texts: whole numbers, negative from the end, or `none`.

    Raises:
        SettingError: one is neither.

    Example:
        >>> read_axes("--output-axis", None), read_axes("--output-axis", ["-2"])
        (1, -2)
        >>> read_axes("--input-axis", ["1", "none"])
        [1, None]
    """
    axes = [_axis(option, text) for text in texts or ["1"]]
    return axes[0] if len(axes) == 1 else axes


def _axis(option: str, text: str) -> int | None:
    if text.lower() == "none":
        return None
    try:
        return int(text)
    except ValueError:
        raise SettingError(
            f"{option} {text}: an axis is a whole number, or none where there is no time axis"
        ) from None
