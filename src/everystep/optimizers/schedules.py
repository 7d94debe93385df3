"""Learning rates that follow from the number of the step, by Keras's names and arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from everystep.core import Catalogue, Configurable, serialize, setting
from everystep.core.registry import custom_object_scope
from everystep.errors import SettingError
from everystep.kinds import (
    ARRAY,
    BOOLEAN,
    NOT_NEGATIVE,
    NUMBER,
    NUMBERS,
    TEXT,
    Kind,
    checked,
    optional,
    reject,
)


def _duration(value: Any) -> Any:
    steps = NOT_NEGATIVE.parse(value)
    if not steps:
        reject(value)
    return value


STEPS = Kind("a number of steps of more than 0", _duration, refused=(0, -1, "3", None))
WARM_UP = Kind(
    "a number of steps of 0 or more",
    lambda value: value if NOT_NEGATIVE.parse(value) >= 0 else None,
    refused=(-1, "3"),
)


class LearningRateSchedule(Configurable, fills_settings=True):
    """Base of all schedules; a subclass says in `__call__` which rate a step has.

    Example:
        >>> class Halved(LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.5 ** jnp.asarray(step, "float32")
        >>> float(Halved()(2))
        0.25
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step, the first of which is 0."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(self, step)")


class ExponentialDecay(LearningRateSchedule):
    """A rate that is multiplied by the same share again and again.

    Equation: `r(t) = initial * decay_rate ** (t / decay_steps)`

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: after how many steps the rate has been multiplied by `decay_rate`.
        decay_rate: the share that is left.
        staircase: whether the rate changes after whole spans of `decay_steps` only.
        name: the schedule's name.

    Raises:
        SettingError: `decay_steps` is not more than 0.

    Example:
        >>> schedule = ExponentialDecay(1.0, decay_steps=10, decay_rate=0.5)
        >>> [float(schedule(step)) for step in (0, 10, 20)]
        [1.0, 0.5, 0.25]
    """

    initial_learning_rate: float = setting(NUMBER)
    decay_steps: float = setting(STEPS)
    decay_rate: float = setting(NUMBER)
    staircase: bool = setting(BOOLEAN, default=False)
    name: str = setting(TEXT, default="ExponentialDecay")

    @checked(step=ARRAY)
    def __call__(self, step: Any) -> Any:
        """Return the rate of a step."""
        spans = _spans(step, self.decay_steps, self.staircase)
        return self.initial_learning_rate * jnp.power(jnp.float32(self.decay_rate), spans)


class InverseTimeDecay(LearningRateSchedule):
    """A rate that is divided by more and more.

    Equation: `r(t) = initial / (1 + decay_rate * t / decay_steps)`

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: after how many steps the divisor has grown by `decay_rate`.
        decay_rate: how much the divisor grows.
        staircase: whether the rate changes after whole spans of `decay_steps` only.
        name: the schedule's name.

    Raises:
        SettingError: `decay_steps` is not more than 0.

    Example:
        >>> float(InverseTimeDecay(1.0, decay_steps=10, decay_rate=0.5)(20))
        0.5
    """

    initial_learning_rate: float = setting(NUMBER)
    decay_steps: float = setting(STEPS)
    decay_rate: float = setting(NUMBER)
    staircase: bool = setting(BOOLEAN, default=False)
    name: str = setting(TEXT, default="InverseTimeDecay")

    @checked(step=ARRAY)
    def __call__(self, step: Any) -> Any:
        """Return the rate of a step."""
        spans = _spans(step, self.decay_steps, self.staircase)
        return self.initial_learning_rate / (1 + self.decay_rate * spans)


class PolynomialDecay(LearningRateSchedule):
    """A rate that falls along a power of the time that is left.

    Equation: `r(t) = (initial - end) * (1 - min(t / decay_steps, 1)) ** power + end`

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: after how many steps the end is reached.
        end_learning_rate: the rate at the end.
        power: 1 for a straight line.
        cycle: whether to start again and again, each time over a longer span: at step `t` the span
            is the least multiple of `decay_steps` that is `t` or more.
        name: the schedule's name.

    Raises:
        SettingError: `decay_steps` is not more than 0.

    Example:
        >>> schedule = PolynomialDecay(1.0, decay_steps=4, end_learning_rate=0.0)
        >>> [float(schedule(step)) for step in (0, 1, 4, 9)]
        [1.0, 0.75, 0.0, 0.0]
    """

    initial_learning_rate: float = setting(NUMBER)
    decay_steps: float = setting(STEPS)
    end_learning_rate: float = setting(NUMBER, default=0.0001)
    power: float = setting(NUMBER, default=1.0)
    cycle: bool = setting(BOOLEAN, default=False)
    name: str = setting(TEXT, default="PolynomialDecay")

    @checked(step=ARRAY)
    def __call__(self, step: Any) -> Any:
        """Return the rate of a step."""
        time, span = jnp.asarray(step, "float32"), jnp.float32(self.decay_steps)
        if self.cycle:
            span = span * jnp.where(time == 0, 1.0, jnp.ceil(time / self.decay_steps))
        else:
            time = jnp.minimum(time, span)
        first, last = jnp.float32(self.initial_learning_rate), jnp.float32(self.end_learning_rate)
        return (first - last) * jnp.power(1 - time / span, jnp.float32(self.power)) + last


class PiecewiseConstantDecay(LearningRateSchedule, fills_settings=True):
    """A rate that is constant between given steps.

    Equation: `r(t) = values[k]` with `k` the number of boundaries that are less than `t`

    Args:
        boundaries: the last step of each span but the last, in rising order.
        values: the rate of each span, one more than there are boundaries.
        name: the schedule's name.

    Raises:
        SettingError: there is not one value more than there are boundaries.

    Example:
        >>> schedule = PiecewiseConstantDecay([2, 4], [1.0, 0.5, 0.25])
        >>> [float(schedule(step)) for step in (0, 2, 3, 5)]
        [1.0, 1.0, 0.5, 0.25]
    """

    boundaries: tuple[float, ...] = setting(NUMBERS)
    values: tuple[float, ...] = setting(NUMBERS)
    name: str = setting(TEXT, default="PiecewiseConstant")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(self.boundaries) != len(self.values) - 1:
            raise SettingError(
                "The length of boundaries should be 1 less than the length of values: "
                f"PiecewiseConstantDecay got {len(self.boundaries)} boundaries and "
                f"{len(self.values)} values"
            )

    @checked(step=ARRAY)
    def __call__(self, step: Any) -> Any:
        """Return the rate of a step."""
        step = jnp.asarray(step)
        boundaries = jnp.asarray(self.boundaries).astype(step.dtype)
        return jnp.asarray(self.values, "float32")[jnp.searchsorted(boundaries, step)]


class CosineDecay(LearningRateSchedule):
    """A rate that rises along a line, where that is asked for, and falls along half a cosine.

    Equation: `r(t) = top * ((1 - alpha) * (1 + cos(pi * min(t / decay_steps, 1))) / 2 + alpha)`,
    where `top` is `initial`; with a warm-up `top` is its target, which `r` reaches on a line from
    `initial` at `warmup_steps`, from where `t` counts.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: how many steps the fall takes.
        alpha: the share of the top that is left in the end.
        name: the schedule's name.
        warmup_target: the rate to rise to, or None for no warm-up.
        warmup_steps: how many steps the rise takes.

    Raises:
        SettingError: `decay_steps` is not more than 0.

    Example:
        >>> schedule = CosineDecay(0.0, decay_steps=10, warmup_target=1.0, warmup_steps=4)
        >>> [round(float(schedule(step)), 3) for step in (0, 2, 4, 9, 14)]
        [0.0, 0.5, 1.0, 0.5, 0.0]

    Source: Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5, without restarts.
    """

    initial_learning_rate: float = setting(NUMBER)
    decay_steps: float = setting(STEPS)
    alpha: float = setting(NUMBER, default=0.0)
    name: str = setting(TEXT, default="CosineDecay")
    warmup_target: float | None = setting(optional(NUMBER), default=None)
    warmup_steps: float = setting(WARM_UP, default=0)

    @checked(step=ARRAY)
    def __call__(self, step: Any) -> Any:
        """Return the rate of a step."""
        time, first = jnp.asarray(step, "float32"), jnp.float32(self.initial_learning_rate)
        if self.warmup_target is None:
            return self._fall(time, first)
        top, rise = jnp.float32(self.warmup_target), jnp.float32(self.warmup_steps)
        rising = (top - first) * (time / rise) + first
        return jnp.where(time < rise, rising, self._fall(time - rise, top))

    def _fall(self, time: Any, top: Any) -> Any:
        share = jnp.minimum(time, self.decay_steps) / jnp.float32(self.decay_steps)
        cosine = 0.5 * (1.0 + jnp.cos(math.pi * share))
        return top * ((1 - self.alpha) * cosine + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """A rate that falls along half a cosine again and again.

    Equation: `r(t) = initial * ((1 - alpha) * m_mul ** k * (1 + cos(pi * s)) / 2 + alpha)`, where
    `k` is the number of restarts so far and `s` the share of the present fall that is over.

    Args:
        initial_learning_rate: the rate at step 0.
        first_decay_steps: how many steps the first fall takes.
        t_mul: how many times longer each fall takes than the one before.
        m_mul: how many times higher each fall starts than the one before.
        alpha: the share of the rate at step 0 that is left at the end of a fall.
        name: the schedule's name.

    Raises:
        SettingError: `first_decay_steps` is not more than 0.

    Example:
        >>> schedule = CosineDecayRestarts(1.0, first_decay_steps=10)
        >>> [round(float(schedule(step)), 3) for step in (0, 5, 10, 20)]
        [1.0, 0.5, 1.0, 0.5]

    Source: Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5.
    """

    initial_learning_rate: float = setting(NUMBER)
    first_decay_steps: float = setting(STEPS)
    t_mul: float = setting(NUMBER, default=2.0)
    m_mul: float = setting(NUMBER, default=1.0)
    alpha: float = setting(NUMBER, default=0.0)
    name: str = setting(TEXT, default="SGDRDecay")

    @checked(step=ARRAY)
    def __call__(self, step: Any) -> Any:
        """Return the rate of a step."""
        spans = jnp.asarray(step, "float32") / jnp.float32(self.first_decay_steps)
        longer = jnp.float32(self.t_mul)
        if self.t_mul == 1.0:
            restarts = jnp.floor(spans)
            share = spans - restarts
        else:
            restarts = jnp.floor(jnp.log(1.0 - spans * (1.0 - longer)) / jnp.log(longer))
            before = (1.0 - jnp.power(longer, restarts)) / (1.0 - longer)
            share = (spans - before) / jnp.power(longer, restarts)
        height = jnp.power(jnp.float32(self.m_mul), restarts)
        cosine = 0.5 * height * (1.0 + jnp.cos(math.pi * share))
        return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)


def _spans(step: Any, decay_steps: float, staircase: bool) -> Any:
    """Return how many spans of `decay_steps` have passed, whole ones only for a staircase."""
    spans = jnp.asarray(step, "float32") / jnp.float32(decay_steps)
    return jnp.floor(spans) if staircase else spans


CATALOGUE = Catalogue(
    "learning-rate schedule",
    "keras.optimizers.schedules",
    (
        CosineDecay,
        CosineDecayRestarts,
        ExponentialDecay,
        InverseTimeDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
    ),
)


@checked
def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the schedule of a configuration that `serialize` gave.

    Args:
        config: the configuration.
        custom_objects: schedules of your own by name.

    Raises:
        SettingError: no schedule has that name.
    """
    with custom_object_scope(custom_objects or {}):
        return CATALOGUE.make(dict(config))


__all__ = [
    "CATALOGUE",
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]
