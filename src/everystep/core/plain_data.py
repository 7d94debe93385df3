"""Values that JSON has no word for, and the marks by which a configuration knows them, as in Keras.

Arrays, bytes, slices and the like are plain data. Code is not: what would have to be run to be read
is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import ml_dtypes
import numpy as np

from everystep.errors import SettingError

_NUMBERS = {
    np.dtype(name).name: np.dtype(name)
    for name in ("bool", "float16", "float32", "float64", ml_dtypes.bfloat16)
} | {
    f"{kind}{bits}": np.dtype(f"{kind}{bits}")
    for kind in ("int", "uint")
    for bits in (8, 16, 32, 64)
}


def marked(value: Any) -> dict[str, Any] | None:
    """Return the mark and the plain data for a value, or None where it needs none.

    >>> marked(np.arange(2))
    {'class_name': '__numpy__', 'config': {'value': [0, 1], 'dtype': 'int64'}}
    """
    if isinstance(value, np.ndarray | jax.Array):
        array = np.asarray(value)
        return _mark("numpy", value=array.tolist(), dtype=array.dtype.name)
    if isinstance(value, bytes):
        return _mark("bytes", value=value.decode("utf-8"))
    if isinstance(value, slice):
        return _mark("slice", start=value.start, stop=value.stop, step=value.step)
    return _mark("ellipsis") if value is ... else None


def _mark(name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": f"__{name}__", "config": config}


def unmarked(mark: str, config: Any) -> Any:
    """Return the value that a mark and its plain data stand for.

    Raises:
        SettingError: the mark is that of code, or of nothing known, or the data does not fit it.
    """
    if mark == "__lambda__":
        raise SettingError(
            "the configuration holds a Python lambda, which is code and is never run: build the "
            "model from your own source, with a named function that is registered with "
            "everystep.saving.register_keras_serializable, and load its weights alone"
        )
    read = _READERS.get(mark)
    if read is None:
        raise SettingError(f"the configuration holds {mark[:40]!r}, which stands for nothing known")
    try:
        return read(config)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise SettingError(
            f"the configuration holds a {mark} that cannot be read: {error}"
        ) from None


def _array(config: Any) -> np.ndarray[Any, Any]:
    return np.array(config["value"], _NUMBERS[config["dtype"]])


_READERS: dict[str, Callable[[Any], Any]] = {
    "__numpy__": _array,
    "__tensor__": _array,
    "__bytes__": lambda config: config["value"].encode("utf-8"),
    "__slice__": lambda config: slice(config["start"], config["stop"], config["step"]),
    "__ellipsis__": lambda config: ...,
}
