"""Small helpers under Keras's names: seeds, one-hot targets, padded sequences, names of classes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from everystep.core import naming, randomness
from everystep.core.defaults import floatx
from everystep.errors import DataError, SettingError
from everystep.kinds import ARRAY, LISTED, POSITIVE, WHOLE, Kind, checked, optional, shown
from everystep.layers.symbols import KerasTensor
from everystep.saving import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)

__all__ = [
    "CustomObjectScope",
    "PyDataset",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "is_keras_tensor",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "standardize_dtype",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

Array = np.ndarray[Any, Any]


_DTYPE = Kind("a dtype of NumPy's", np.dtype, refused=("float7", 3.5))


def set_random_seed(seed: int) -> None:
    """Make everything that follows repeatable: weights, noise, shuffling, names; NumPy and Python.

    On one machine, the same seed, data and versions give the same bits in any process, folder and
    language, however many threads the native loop has (EVERYSTEP_THREADS). XLA has a thread for
    each core that the process may use, and shares large sums out among them: where bits must
    outlive a change of cores, give it one by `config.set_xla_threads(1)`.

    Args:
        seed: an integer from 0 to 2**32 - 1.

    Raises:
        SettingError: the seed is no such integer.

    Example:
        >>> import everystep as es
        >>> set_random_seed(7)
        >>> first = es.layers.Dense(2)
        >>> first.build((None, 3))
        >>> set_random_seed(7)
        >>> again = es.layers.Dense(2)
        >>> again.build((None, 3))
        >>> bool((first.get_weights()[0] == again.get_weights()[0]).all())
        True
    """
    randomness.set_random_seed(seed)
    random.seed(int(seed))
    np.random.seed(int(seed))


@checked(x=ARRAY, num_classes=optional(POSITIVE))
def to_categorical(x: Any, num_classes: int | None = None) -> Array:
    """Return one-hot rows for class ids.

    Shapes: `(...)` or `(..., 1)` becomes `(..., num_classes)`.

    Args:
        x: the class ids, from 0 to `num_classes - 1`.
        num_classes: the number of classes; the largest id and one more by default.

    Returns:
        An array with a 1 at the place of each id.

    Raises:
        DataError: an id is no integer, negative, or not below `num_classes`.

    Example:
        >>> to_categorical([0, 2], num_classes=3)
        array([[1., 0., 0.],
               [0., 0., 1.]])
    """
    given = np.asarray(x)
    ids = given.astype("int64")
    if given.size and not np.array_equal(ids, given):
        raise DataError(f"to_categorical takes whole class ids, not {given.dtype} such as {x!r}")
    if ids.ndim > 1 and ids.shape[-1] == 1:
        ids = ids[..., 0]
    if not num_classes:
        if not ids.size:
            raise DataError("to_categorical needs num_classes where there are no class ids")
        num_classes = int(ids.max()) + 1
    wrong = ids[(ids < 0) | (ids >= num_classes)]
    if wrong.size:
        raise DataError(
            f"to_categorical: class id {wrong[0]} is not from 0 to {num_classes - 1}, as "
            f"num_classes={num_classes} asks"
        )
    return np.asarray(np.eye(num_classes)[ids])


@checked(sequences=LISTED, maxlen=optional(WHOLE), dtype=_DTYPE)
def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> Array:
    """Return sequences of different lengths as one array, padded or cut to one length.

    `fit`, `evaluate` and `predict` take lists as they are, and waste no room on padding.

    Shapes: sequences of `(steps, ...)` become `(sequences, maxlen, ...)`.

    Args:
        sequences: lists or arrays.
        maxlen: the length; by default that of the longest sequence.
        dtype: the dtype of the result.
        padding: `"pre"` or `"post"`: where shorter sequences are filled up.
        truncating: `"pre"` or `"post"`: where longer sequences are cut.
        value: what shorter ones are filled up with.

    Returns:
        The array.

    Raises:
        SettingError: `padding` or `truncating` is neither `"pre"` nor `"post"`.
        DataError: an item has no length, or its steps have another shape than the first ones.

    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
        array([[0, 1],
               [2, 3],
               [5, 6]], dtype=int32)
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise SettingError(f"pad_sequences: {name} must be 'pre' or 'post', not {shown(side)}")
    arrays = [_steps_of(number, sequence) for number, sequence in enumerate(sequences)]
    length = max((len(array) for array in arrays), default=0) if maxlen is None else maxlen
    step = next((array.shape[1:] for array in arrays if len(array)), ())
    padded = _filled("value", (len(arrays), length, *step), value, dtype)
    for number, array in enumerate(arrays):
        if not len(array) or not length:
            continue
        if array.shape[1:] != step:
            raise DataError(
                f"pad_sequences: sequence {number} has steps of shape {array.shape[1:]}, but the "
                f"first ones have {step}"
            )
        kept = array[-length:] if truncating == "pre" else array[:length]
        where = slice(length - len(kept), None) if padding == "pre" else slice(len(kept))
        padded[number, where] = _filled(f"sequence {number}", kept.shape, kept, dtype)
    return padded


def _filled(what: str, shape: tuple[int, ...], value: Any, dtype: Any) -> Array:
    try:
        return np.full(shape, value, dtype)
    except (TypeError, ValueError):
        raise DataError(
            f"pad_sequences: {what} must be of dtype {dtype}, not {shown(value)}; name the dtype "
            "that it has"
        ) from None


class PyDataset:
    """Base of data sets that give a batch for each number; `fit` takes one in the place of arrays.

    Define `__len__`, the number of batches, and `__getitem__`, a batch `(x, y)` or
    `(x, y, sample_weight)`.

    Args:
        workers: taken for compatibility; batches are made one after the other, in this process.
        use_multiprocessing: taken for compatibility.
        max_queue_size: taken for compatibility.

    Example:
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 2
        ...     def __getitem__(self, index):
        ...         x = np.full((1, 1), index, "float32")
        ...         return x, x**2
        >>> [float(y[0, 0]) for _, y in Squares()]
        [0.0, 1.0]
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__")

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__")

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    @property
    def num_batches(self) -> int:
        """The number of batches."""
        return len(self)

    def on_epoch_end(self) -> None:
        """Called after each epoch, for example to shuffle."""


def clear_session(free_memory: bool = True) -> None:
    """Start automatic names from the beginning again.

    There is nothing else to clear: models keep nothing behind their backs.

    Args:
        free_memory: taken for compatibility.
    """
    del free_memory
    naming.reset_names()


def is_keras_tensor(x: Any) -> bool:
    """Whether a value is a symbol: an array of which only shape and dtype are known.

    Example:
        >>> import everystep as es
        >>> is_keras_tensor(es.Input((3,))), is_keras_tensor(np.ones(3))
        (True, False)
    """
    return isinstance(x, KerasTensor)


def standardize_dtype(dtype: Any) -> str:
    """Return the name of a dtype; that of `config.floatx()` for None.

    Raises:
        SettingError: there is no such dtype.

    Example:
        >>> standardize_dtype(np.int32), standardize_dtype(None)
        ('int32', 'float32')
    """
    try:
        return str(jnp.dtype(floatx() if dtype is None else dtype))
    except TypeError:
        raise SettingError(f"Invalid dtype: {shown(dtype)} is the name of no dtype") from None


@checked(x=ARRAY, order=POSITIVE, axis_of="x")
def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """Return an array divided by its norms along an axis, so that these become 1.

    Args:
        x: the array.
        axis: the axis.
        order: the order of the norm: 2 for lengths, 1 for sums of absolute values.

    Example:
        >>> normalize(np.array([3.0, 4.0])).tolist()
        [0.6, 0.8]
    """
    norms = np.linalg.norm(x, order, axis, keepdims=True)
    return x / np.where(norms == 0, 1, norms)


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return inputs, targets and weights in the tuple that `fit` takes, without what is None.

    Example:
        >>> pack_x_y_sample_weight(1, 2), pack_x_y_sample_weight(1)
        ((1, 2), 1)
    """
    if y is None:
        return (x,) if isinstance(x, tuple | list) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return inputs, targets and weights from such a tuple, with None for what it lacks.

    Raises:
        DataError: the tuple has more than three parts.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    parts = tuple(data) if isinstance(data, tuple | list) else (data,)
    if not 1 <= len(parts) <= 3:
        raise DataError(
            "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, "
            f"not {len(parts)} parts"
        )
    x, y, sample_weight = (*parts, None, None)[:3]
    return x, y, sample_weight


def _steps_of(number: int, sequence: Any) -> Array:
    if isinstance(sequence, str) or not np.ndim(sequence):
        raise DataError(
            f"pad_sequences: sequence {number} is {shown(sequence)}, which has no steps"
        )
    return np.asarray(sequence)
