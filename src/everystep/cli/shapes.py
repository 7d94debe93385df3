"""Shapes and axes as a command line writes them."""

from __future__ import annotations

from everystep.errors import SettingError


def read_shape(text: str) -> tuple[int | None, ...]:
    """Return the shape that a text stands for.

    Args:
        text: sizes with commas between them, the batch axis first, as in `"None,4,3"`; `None` is
            any size, and brackets around it all may stand or not.

    Raises:
        SettingError: it is no shape.

    Example:
        >>> read_shape("None,4,3"), read_shape("(8, 50)")
        ((None, 4, 3), (8, 50))
        >>> read_shape("4x3")
        Traceback (most recent call last):
            ...
        everystep.errors.SettingError: --input 4x3: '4x3' is no size. Write sizes from 1, or None
        for any, with commas between them and the batch axis first, as in None,4,3
    """
    inner = text.strip().removeprefix("(").removesuffix(")").removesuffix(",")
    return tuple(_size(text, part.strip()) for part in inner.split(","))


def _size(text: str, part: str) -> int | None:
    if part == "None":
        return None
    if not (part.isascii() and part.isdecimal() and int(part) > 0):
        raise SettingError(
            f"--input {text}: {part!r} is no size. Write sizes from 1, or None for any, with "
            "commas between them and the batch axis first, as in None,4,3"
        )
    return int(part)


def read_axis(option: str, text: str) -> int | None:
    """Return the axis that a text stands for.

    Args:
        option: the option that the text was given to.
        text: a whole number, negative from the end, or `none`.

    Raises:
        SettingError: it is neither.

    Example:
        >>> read_axis("--output-axis", "-2"), read_axis("--output-axis", "none")
        (-2, None)
    """
    if text.lower() == "none":
        return None
    try:
        return int(text)
    except ValueError:
        raise SettingError(
            f"{option} {text}: an axis is a whole number, or none where there is no time axis"
        ) from None
