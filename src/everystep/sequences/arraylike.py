"""What lets an object that carries values be used where an array is expected."""

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from everystep.errors import DataError

Array: TypeAlias = jax.Array | npt.NDArray[Any]


def why_no_numbers(array: Any) -> str:
    """Return what kind of array it is and the cure, if JAX cannot take it as real numbers; or "".

    >>> why_no_numbers(np.array(["a"])), why_no_numbers(np.ones(2, ">f4"))
    ('of dtype <U1; turn words into ids with a vocabulary, and objects into numbers', '')
    """
    if isinstance(array, np.ma.MaskedArray):
        return (
            "with a mask of its own, which would be lost; fill it, array.filled(0), and say by the "
            "mask of a layer which steps are real"
        )
    return _why_no_numbers(array.dtype)


@cache
def _why_no_numbers(dtype: Any) -> str:
    cure = "turn words into ids with a vocabulary, and objects into numbers"
    # NumPy counts lengths of time among the integers, and bfloat16 not among the numbers.
    if jnp.issubdtype(dtype, jnp.bool_):
        return ""
    if jnp.issubdtype(dtype, jnp.integer) and dtype.kind != "m":
        if jnp.iinfo(dtype).bits >= 8:  # type: ignore[no-untyped-call]
            return ""
        cure = "convert it with .astype('int8')"
    elif jnp.issubdtype(dtype, jnp.floating):
        if dtype.itemsize <= np.dtype("float64").itemsize:
            return ""
        cure = "convert it with .astype('float64')"
    elif jnp.issubdtype(dtype, jnp.complexfloating):
        cure = "give real and imaginary part as two features"
    return f"of dtype {dtype}; {cure}"


def native(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a NumPy array in the byte order of the machine, which is the only one JAX takes.

    >>> native(np.array([3], ">i4")).dtype.isnative
    True
    """
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def numbers(what: str, given: Any) -> Any:
    """Return an array of real numbers as JAX takes it.

    Args:
        what: what it is called in messages.
        given: an array, or nested lists of numbers.

    Raises:
        DataError: it is no array, holds something else, or integers of more than 32 bits.
    """
    try:
        array = given if isinstance(given, jax.Array | np.ndarray) else np.asarray(given)
    except ValueError as error:
        raise DataError(f"{what} must be an array, but the rows differ: {error}") from None
    if problem := why_no_numbers(array):
        raise DataError(f"{what} must hold numbers, not be {type(given).__name__} {problem}")
    if isinstance(array, jax.Array):
        return array
    found = jnp.asarray(native(array))
    # The array alone is asked: what JAX makes of it may be traced.
    cut = array.dtype.kind in "iu" and found.dtype.itemsize < array.dtype.itemsize and array.size
    limits = np.iinfo(found.dtype) if cut else None
    if limits and (array.min() < limits.min or array.max() > limits.max):
        raise DataError(
            f"{what} must fit into {8 * found.dtype.itemsize} bits, but go from {array.min()} to "
            f"{array.max()}"
        )
    return found


class ReadsLikeArray:
    """Abstract: reads like the array in its attribute `values`.

    Indexing and `numpy.asarray` give the values as they are. Arithmetic gives a jax array even
    where the values are a NumPy one, so that eager code promotes types as jitted code does.
    """

    # NumPy then leaves `array @ steps` to `steps.__rmatmul__`, as it does for jax arrays.
    __array_priority__ = 100

    values: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        return tuple(self.values.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the values."""
        dtype: np.dtype[Any] = self.values.dtype
        return dtype

    @property
    def ndim(self) -> int:
        """The rank of the values."""
        return len(self.values.shape)

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        # Written out, because a jax array clamps an index beyond its end: counting up never stops.
        return iter(self.values)

    def __getitem__(self, index: Any) -> Any:
        return self.values[index]

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        return np.array(self.values, dtype=dtype, copy=copy)

    def __jax_array__(self) -> jax.Array:
        return jnp.asarray(self.values)

    def __neg__(self) -> Any:
        return -self.__jax_array__()

    def __add__(self, other: Any) -> Any:
        return self.__jax_array__() + other

    def __radd__(self, other: Any) -> Any:
        return other + self.__jax_array__()

    def __sub__(self, other: Any) -> Any:
        return self.__jax_array__() - other

    def __rsub__(self, other: Any) -> Any:
        return other - self.__jax_array__()

    def __mul__(self, other: Any) -> Any:
        return self.__jax_array__() * other

    def __rmul__(self, other: Any) -> Any:
        return other * self.__jax_array__()

    def __truediv__(self, other: Any) -> Any:
        return self.__jax_array__() / other

    def __rtruediv__(self, other: Any) -> Any:
        return other / self.__jax_array__()

    def __pow__(self, other: Any) -> Any:
        return self.__jax_array__() ** other

    def __matmul__(self, other: Any) -> Any:
        return self.__jax_array__() @ other

    def __rmatmul__(self, other: Any) -> Any:
        return other @ self.__jax_array__()

    def __lt__(self, other: Any) -> Any:
        return self.__jax_array__() < other

    def __le__(self, other: Any) -> Any:
        return self.__jax_array__() <= other

    def __gt__(self, other: Any) -> Any:
        return self.__jax_array__() > other

    def __ge__(self, other: Any) -> Any:
        return self.__jax_array__() >= other
