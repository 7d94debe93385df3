"""Input: where a model starts, and the layer that stands for it."""

from __future__ import annotations

from typing import Any

from everystep import kinds
from everystep.core.dtypes import ARRAY_DTYPE
from everystep.core.settings import setting
from everystep.errors import SettingError
from everystep.kinds import checked, instance_of
from everystep.layers import symbolic
from everystep.layers.layer import Layer
from everystep.layers.symbols import KerasTensor, Node

_SYMBOL = instance_of("a symbol, such as Input gives", KerasTensor)


class InputLayer(Layer):
    """The start of a model: the shape and dtype of its input.

    Args:
        shape: the input's shape without the batch axis, None where a size is not known.
        batch_size: the size of the batch axis, if it is fixed.
        dtype: the input's dtype; by default the one that the layer after it expects.
        sparse: taken for compatibility; inputs are dense arrays.
        ragged: taken for compatibility; sequences of different lengths are `Steps`.
        batch_shape: the whole shape, instead of `shape` and `batch_size`.
        input_tensor: a symbol that has the shape and dtype to take.
        optional: taken for compatibility.
        name: the input's name.

    Raises:
        SettingError: neither or both of `shape` and `batch_shape` are given.

    Example:
        >>> import everystep as es
        >>> es.layers.InputLayer((50, 10)).output.shape
        (None, 50, 10)
    """

    shape: Any = setting(kinds.optional(kinds.SHAPE), default=None, in_config=False)
    batch_size: int | None = setting(kinds.SEED, default=None, in_config=False)
    dtype: Any = setting(kinds.optional(ARRAY_DTYPE), default=None, attribute="given_dtype")
    sparse: bool = setting(kinds.BOOLEAN, default=False)
    ragged: bool = setting(kinds.BOOLEAN, default=False)
    batch_shape: Any = setting(kinds.optional(kinds.SHAPE), default=None)
    input_tensor: Any = setting(
        kinds.optional(_SYMBOL), default=None, in_config=False, attribute="_like"
    )
    optional: bool = setting(kinds.BOOLEAN, default=False)

    given_dtype: str | None
    stepwise = True
    _like: KerasTensor | None

    def after_settings(self) -> None:
        """Make the symbol of the input."""
        if self._like is not None:
            self.batch_shape, self.given_dtype = self._like.shape, self._like.dtype
            self._like = None
        elif self.batch_shape is None or self.shape is not None:
            given: Any = self._input_shape if self.shape is None else self.shape
            if (given is None) == (self.batch_shape is None):
                raise SettingError(
                    "Input takes either shape=(steps, features) or batch_shape=(batch, ...)"
                )
            self.batch_shape = (self.batch_size, *given)
        self._start()

    def _start(self) -> None:
        """Be where a graph starts: give a symbol without having been called on any."""
        self.built = True
        spec = symbolic.struct(self.batch_shape, self.input_dtype)
        Node(self, (), {}, spec).outputs[0].name = self.name

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._start()

    @property
    def input_dtype(self) -> str:
        """The dtype that was given, or float32."""
        return self.given_dtype or "float32"

    def call(self, inputs: Any) -> Any:
        """Return the inputs."""
        return inputs


@checked
def Input(  # noqa: N802 -- Keras's name
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
) -> KerasTensor:
    """Return the symbol of a model's input.

    Args:
        shape: the input's shape without the batch axis, None where a size is not known.
        batch_size: the size of the batch axis, if it is fixed.
        dtype: the input's dtype; by default the one that the first layer expects.
        sparse: taken for compatibility; inputs are dense arrays.
        ragged: taken for compatibility; sequences of different lengths are `Steps`.
        batch_shape: the whole shape, instead of `shape` and `batch_size`.
        name: the input's name.
        tensor: a symbol that has the shape and dtype to take.
        optional: taken for compatibility.

    Returns:
        A symbol: layers called on it give symbols, `Model(inputs, outputs)` makes a model of them,
        and a Sequential takes it as its start.

    Raises:
        SettingError: neither or both of `shape` and `batch_shape` are given.

    Example:
        >>> import everystep as es
        >>> es.layers.Dense(5)(es.Input((50, 10))).shape
        (None, 50, 5)
    """
    layer = InputLayer(
        shape,
        batch_size,
        dtype,
        bool(sparse),
        bool(ragged),
        batch_shape,
        input_tensor=tensor,
        optional=optional,
        name=name,
    )
    return layer.output  # type: ignore[no-any-return]
