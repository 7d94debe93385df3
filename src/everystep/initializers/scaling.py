"""Initializers whose variance follows from how many inputs and outputs a weight connects."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from everystep.core import setting
from everystep.initializers.base import Array, Sampled, Shape
from everystep.initializers.random import truncated_normal
from everystep.kinds import INTEGERS, NUMBER, SEED, SIZES, Kind, checked, one_of, optional, reject

# The standard deviation of a standard normal distribution cut off at -2 and 2.
STDDEV_OF_TRUNCATED_NORMAL = 0.87962566103423978


@checked(shape=SIZES, input_axes=optional(INTEGERS), output_axes=optional(INTEGERS))
def fans(
    shape: Shape, input_axes: Shape | None = None, output_axes: Shape | None = None
) -> tuple[int, int]:
    """Return how many inputs one output of a weight reads, and how many outputs one input feeds.

    Args:
        shape: the weight's shape, `(..., inputs, outputs)`; the axes before
            these are a convolution's window.
        input_axes: the axes that count as inputs; with `output_axes` this replaces the rule.
        output_axes: the axes that count as outputs.

    Example:
        >>> fans((3, 4)), fans((5, 3, 4)), fans((7,))
        ((3, 4), (15, 20), (7, 7))
    """
    if input_axes is not None and output_axes is not None:
        return (
            math.prod(shape[axis] for axis in input_axes),
            math.prod(shape[axis] for axis in output_axes),
        )
    if len(shape) < 2:
        return (math.prod(shape), math.prod(shape))
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


def _scaled(
    draw: np.random.Generator, shape: Shape, size: tuple[int, int], case: tuple[float, str, str]
) -> Array:
    """Return values of mean 0 and variance `scale / n`; `size` is the weight's two fans."""
    scale, mode, distribution = case
    count = {"fan_in": size[0], "fan_out": size[1], "fan_avg": sum(size) / 2}[mode]
    stddev = math.sqrt(scale / max(1.0, count))
    if distribution == "uniform":
        return math.sqrt(3) * stddev * (2 * draw.random(tuple(shape)) - 1)
    if distribution == "untruncated_normal":
        return stddev * draw.standard_normal(tuple(shape))
    return stddev / STDDEV_OF_TRUNCATED_NORMAL * truncated_normal(draw, shape)


def _positive(value: Any) -> float:
    number = float(NUMBER.parse(value))
    if number <= 0:
        reject(value)
    return number


SCALE = Kind("a number above 0", _positive, refused=(0, -1.0, "2"))
MODE = one_of("fan_in", "fan_out", "fan_avg")
_DISTRIBUTION = one_of("uniform", "truncated_normal", "untruncated_normal", "normal")
DISTRIBUTION = Kind(
    _DISTRIBUTION.wanted,
    lambda value: {"normal": "truncated_normal"}.get(value, _DISTRIBUTION.parse(value)),
    refused=_DISTRIBUTION.refused,
)
AXES = optional(INTEGERS)


class VarianceScaling(Sampled):
    """Values of mean 0 and variance `scale / n`.

    Args:
        scale: the factor.
        mode: what `n` is: `"fan_in"` inputs, `"fan_out"` outputs, `"fan_avg"` their mean.
        distribution: `"truncated_normal"`, `"untruncated_normal"` or `"uniform"`, the last between
            `-limit` and `limit` where `limit = sqrt(3 * scale / n)`.
        seed: makes every call give the same values.
        input_axes: the axes of the weight that count as inputs, where the usual rule is wrong.
        output_axes: the axes of the weight that count as outputs.

    Example:
        >>> values = VarianceScaling(2.0, "fan_in", "uniform", seed=1)((6, 100))
        >>> bool(abs(values).max() < 1)
        True
    """

    scale: float = setting(SCALE, default=1.0)
    mode: str = setting(MODE, default="fan_in")
    distribution: str = setting(DISTRIBUTION, default="truncated_normal")
    seed: int | None = setting(SEED, default=None)
    input_axes: tuple[int, ...] | None = setting(AXES, default=None)
    output_axes: tuple[int, ...] | None = setting(AXES, default=None)

    def sample(self, draw: np.random.Generator, shape: Shape) -> Array:
        """Return values of mean 0 and variance `scale / n`."""
        size = fans(shape, self.input_axes, self.output_axes)
        return _scaled(draw, shape, size, (self.scale, self.mode, self.distribution))


class _Preset(Sampled):
    """Base of the named cases of variance scaling: scale, mode and distribution are fixed."""

    case: ClassVar[tuple[float, str, str]]
    seed: int | None = setting(SEED, default=None)
    input_axes: tuple[int, ...] | None = setting(AXES, default=None)
    output_axes: tuple[int, ...] | None = setting(AXES, default=None)

    def sample(self, draw: np.random.Generator, shape: Shape) -> Array:
        """Return values of mean 0 and variance `scale / n`."""
        size = fans(shape, self.input_axes, self.output_axes)
        return _scaled(draw, shape, size, self.case)


class GlorotUniform(_Preset):
    """Uniform within `sqrt(6 / (fan_in + fan_out))`; what kernels start from by default.

    Args:
        seed: makes every call give the same values.
        input_axes: the axes of the weight that count as inputs, where the usual rule is wrong.
        output_axes: the axes of the weight that count as outputs.

    Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward
    neural networks", equation 16.
    """

    case = 1.0, "fan_avg", "uniform"


class GlorotNormal(_Preset):
    """Truncated normal of variance `2 / (fan_in + fan_out)`.

    Source: Glorot and Bengio 2010, equation 12.
    """

    case = 1.0, "fan_avg", "truncated_normal"


class HeUniform(_Preset):
    """Uniform within `sqrt(6 / fan_in)`.

    Source: He and others 2015, arXiv:1502.01852, equation 10.
    """

    case = 2.0, "fan_in", "uniform"


class HeNormal(_Preset):
    """Truncated normal of variance `2 / fan_in`.

    Source: He and others 2015, arXiv:1502.01852, equation 10.
    """

    case = 2.0, "fan_in", "truncated_normal"


class LecunUniform(_Preset):
    """Uniform within `sqrt(3 / fan_in)`.

    Source: LeCun, Bottou, Orr, Mueller 1998, "Efficient BackProp", section 4.6.
    """

    case = 1.0, "fan_in", "uniform"


class LecunNormal(_Preset):
    """Truncated normal of variance `1 / fan_in`.

    Source: LeCun, Bottou, Orr, Mueller 1998, "Efficient BackProp", section 4.6.
    """

    case = 1.0, "fan_in", "truncated_normal"


def along_axes(initializer: Any, input_axes: Shape, output_axes: Shape) -> Any:
    """Return an initializer that counts these axes of a weight as its inputs and outputs.

    One whose variance does not follow from them, or which has axes of its own, is returned.
    """
    if not isinstance(initializer, VarianceScaling | _Preset):
        return initializer
    if initializer.input_axes is not None and initializer.output_axes is not None:
        return initializer
    config = initializer.get_config()
    return type(initializer).from_config(
        config | {"input_axes": input_axes, "output_axes": output_axes}
    )
