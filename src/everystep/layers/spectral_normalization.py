"""SpectralNormalization: a layer inside whose kernel is kept from stretching its input."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from everystep import kinds
from everystep.core.settings import setting
from everystep.errors import SettingError
from everystep.initializers import TruncatedNormal
from everystep.layers.wrappers import Wrapper


class SpectralNormalization(Wrapper):
    """A layer whose kernel is divided by its largest singular value at each call in training.

    Equation: `W <- W / (v W u')`, with the kernel `W` as a matrix of as many columns as its last
    axis has places, and `v = unit(u W')`, `u = unit(v W)` from the `u` of the call before. The
    quotient is that of a variable: gradients do not flow through `u` and `v`.

    Shapes: those of the layer inside; `u` is `(1, columns)`.

    Args:
        layer: a layer that has a `kernel`, such as Dense or a convolution, or `embeddings`.
        power_iterations: how often `u` and `v` are improved in a call.

    Raises:
        SettingError: the layer has no such weight.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.SpectralNormalization(es.layers.Dense(3, kernel_initializer="ones"))
        >>> _ = layer(np.ones((1, 2)), training=True)
        >>> round(float(np.linalg.norm(layer.layer.kernel.numpy(), 2)), 2)
        1.0

    Source: Miyato and others 2018, arXiv:1802.05957, algorithm 1.
    """

    power_iterations: int = setting(kinds.POSITIVE, default=1)

    composite = True

    @property
    def stepwise(self) -> bool:  # type: ignore[override]
        """Whether the layer inside is."""
        return self.layer.stepwise

    def build(self, input_shape: Any) -> None:
        """Build the layer inside, and create `u`."""
        super().build(input_shape)
        found = [vars(self.layer).get(name) for name in ("kernel", "embeddings")]
        if not any(weight is not None for weight in found):
            raise SettingError(
                f"layer '{self.path}' (SpectralNormalization): the layer inside, "
                f"{self.layer.name}, has no attribute 'kernel' nor 'embeddings' to normalize"
            )
        self.kernel: Any = next(weight for weight in found if weight is not None)
        self.vector_u = self.add_weight(
            (1, self.kernel.shape[-1]),
            TruncatedNormal(stddev=0.02),
            dtype=self.kernel.dtype,
            trainable=False,
            name="vector_u",
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Normalize the kernel, in training, and call the layer."""
        if training:
            self._normalize()
        return self.layer(inputs, training=training)

    def _normalize(self) -> None:
        kernel, first = self.kernel.value, self.vector_u.value
        matrix = kernel.reshape(-1, kernel.shape[-1])
        u = first
        for _ in range(self.power_iterations):
            v = _unit(u @ matrix.T)
            u = _unit(v @ matrix)
        u, v = jax.lax.stop_gradient((u, v))
        stretch = jnp.sum((v @ matrix) * u)
        # A kernel of zeros has no direction in which it stretches.
        nothing = jnp.all(kernel == 0)
        self.vector_u.assign(jnp.where(nothing, first, u))
        self.kernel.assign(jnp.where(nothing, kernel, kernel / jnp.where(nothing, 1, stretch)))


def _unit(vector: Any) -> Any:
    length = jnp.sqrt(jnp.sum(jnp.square(vector)))
    return vector / jnp.where(length == 0, 1, length)
