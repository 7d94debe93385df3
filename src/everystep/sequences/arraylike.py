"""What lets an object that carries values be used where an array is expected."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

Array: TypeAlias = jax.Array | npt.NDArray[Any]


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
