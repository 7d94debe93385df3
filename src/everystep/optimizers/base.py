"""What every optimizer is: an update rule for one weight, and what is done around all of them.

The learning rate is part of the state, so that it can change between steps without compiling again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from everystep.core import Configurable, Kind, serialize, setting
from everystep.core.kinds import FRACTION, NOT_NEGATIVE, TEXT, optional
from everystep.core.naming import snake_case
from everystep.errors import SettingError

if TYPE_CHECKING:
    import optax

Slots = tuple[Any, ...]


class State(NamedTuple):
    """The state of an optimizer.

    Args:
        count: how many updates were made, an int32 scalar.
        learning_rate: the rate of the next update, a float32 scalar; not used under a schedule.
        slots: for each weight the arrays that the rule keeps for it.
    """

    count: Any
    learning_rate: Any
    slots: Any


def _rate(value: Any) -> Any:
    return value if callable(value) else NOT_NEGATIVE.parse(value)


def _fixed(value: Any, only: Any) -> Any:
    if value is not only:
        raise SettingError(f"only {only} is supported so far, not {value!r}")
    return value


RATE = Kind(
    "a number of 0 or more, or a schedule: a function of the step",
    _rate,
    lambda value: serialize(value) if callable(value) else value,
    refused=(-0.1, "0.1", None),
)
LIMIT = optional(Kind("a number of 0 or more", NOT_NEGATIVE.parse, refused=(-1.0, "1")))
NO = Kind("False", lambda value: _fixed(value, False), refused=(True,))
NONE = Kind("None", lambda value: _fixed(value, None), refused=(2,))


class Optimizer(Configurable, fills_settings=True):
    """Base of all optimizers; a subclass defines `slots` and `step` for one weight.

    Gradients are clipped, then each weight is updated by `step`, and shrinks by
    `weight_decay * learning_rate` of itself, as in Keras.

    Args:
        weight_decay: the rate of decay; None for none.
        clipnorm: the largest norm of the gradient of one weight.
        clipvalue: the largest absolute value in a gradient.
        global_clipnorm: the largest norm of all gradients together. At most one of the three.
        use_ema: only False is supported.
        ema_momentum: not used.
        ema_overwrite_frequency: only None is supported.
        loss_scale_factor: only None is supported.
        gradient_accumulation_steps: only None is supported.
        name: the optimizer's name.
    """

    weight_decay: float | None = setting(LIMIT, default=None, kw_only=True)
    clipnorm: float | None = setting(LIMIT, default=None, kw_only=True)
    clipvalue: float | None = setting(LIMIT, default=None, kw_only=True)
    global_clipnorm: float | None = setting(LIMIT, default=None, kw_only=True)
    use_ema: bool = setting(NO, default=False, kw_only=True)
    ema_momentum: float = setting(FRACTION, default=0.99, kw_only=True)
    ema_overwrite_frequency: None = setting(NONE, default=None, kw_only=True)
    loss_scale_factor: None = setting(NONE, default=None, kw_only=True)
    gradient_accumulation_steps: None = setting(NONE, default=None, kw_only=True)
    name: str | None = setting(optional(TEXT), default=None, kw_only=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.name is None:
            self.name = snake_case(type(self).__name__)
        self._changed = False
        self._without_decay: tuple[str, ...] = ()
        clips = {"clipnorm": self.clipnorm, "clipvalue": self.clipvalue}
        clips["global_clipnorm"] = self.global_clipnorm
        given = [name for name, limit in clips.items() if limit is not None]
        if len(given) > 1:
            raise SettingError(f"{type(self).__name__}: give at most one of {', '.join(given)}")

    @property
    def learning_rate(self) -> Any:
        """The rate as it was given or set last: a number or a schedule."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        rate = self.settings["learning_rate"].parse(type(self).__name__, value)
        if callable(rate) != callable(self._learning_rate):
            raise SettingError(
                f"{type(self).__name__}: a number and a schedule cannot replace each other; make a "
                "new optimizer"
            )
        self._learning_rate: Any = rate
        self._changed = True

    def slots(self, weight: Any) -> Slots:
        """Return the arrays that the rule keeps for a weight, as they are before any update."""
        raise NotImplementedError(f"{type(self).__name__} must define slots(weight)")

    def step(self, gradient: Any, slots: Slots, rate: Any, time: Any) -> tuple[Any, Slots]:
        """Return what to add to a weight, and its new slots.

        Args:
            gradient: the gradient of the weight.
            slots: the arrays kept for the weight.
            rate: the learning rate.
            time: the number of this update, from 1, as a float.
        """
        raise NotImplementedError(f"{type(self).__name__} must define step")

    def exclude_from_weight_decay(
        self, var_list: Sequence[Any] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Let some weights keep their size.

        Args:
            var_list: weights, recognised by their paths.
            var_names: patterns; weights whose path holds one are left out, such as `"bias"`.
        """
        paths = tuple(f"^{re.escape(variable.path)}$" for variable in var_list or ())
        self._without_decay = paths + tuple(var_names or ())

    def refreshed(self, state: Any) -> Any:
        """Return the state with the learning rate that was set since it was made or last asked.

        The training loop calls this before each step; it costs nothing where nothing was set.
        """
        if not self._changed or callable(self._learning_rate):
            return state
        self._changed = False
        return state._replace(learning_rate=jnp.asarray(np.float32(self._learning_rate)))

    def init(self, weights: Any) -> State:
        """Return the state before the first update of these weights, a tree of arrays."""
        rate = 0.0 if callable(self._learning_rate) else self._learning_rate
        return State(
            jnp.zeros((), jnp.int32),
            jnp.asarray(np.float32(rate)),
            jax.tree.map(self.slots, weights),
        )

    def update(self, gradients: Any, state: State, weights: Any = None) -> tuple[Any, State]:
        """Return what to add to the weights, and the new state.

        Raises:
            SettingError: there is weight decay, and the weights were not given.
        """
        if self.weight_decay is not None and weights is None:
            raise SettingError("weight decay needs the weights: update(gradients, state, weights)")
        scheduled = callable(self._learning_rate)
        rate = self._learning_rate(state.count) if scheduled else state.learning_rate
        time = (state.count + 1).astype(jnp.float32)
        leaves, structure = jax.tree.flatten(self._clipped(gradients))
        tree: Any = structure
        pairs = [
            self.step(gradient, slots, jnp.asarray(rate, gradient.dtype), time)
            for gradient, slots in zip(leaves, tree.flatten_up_to(state.slots), strict=True)
        ]
        updates = tree.unflatten([update for update, _ in pairs])
        if self.weight_decay:
            updates = self._decayed(updates, weights, rate * self.weight_decay)
        slots = tree.unflatten([slots for _, slots in pairs])
        return updates, State(state.count + 1, state.learning_rate, slots)

    def transform(self) -> optax.GradientTransformation:
        """Return the optimizer as an optax transformation, which can be chained with others.

        Example:
            >>> from everystep.optimizers import SGD
            >>> weights = {"kernel": jnp.array([1.0, 2.0])}
            >>> transform = SGD(0.5).transform()
            >>> state = transform.init(weights)
            >>> updates, state = transform.update({"kernel": jnp.ones(2)}, state, weights)
            >>> updates["kernel"].tolist()
            [-0.5, -0.5]
        """
        import optax  # It takes a fifth as long to import as JAX itself.

        return optax.GradientTransformation(self.init, self.update)

    def _clipped(self, gradients: Any) -> Any:
        if self.clipvalue:
            limit = self.clipvalue
            return jax.tree.map(lambda g: jnp.clip(g, -limit, limit), gradients)
        if self.clipnorm:
            return jax.tree.map(lambda g: _shortened(g, _squares(g), self.clipnorm), gradients)
        if self.global_clipnorm:
            squares = sum(_squares(gradient) for gradient in jax.tree.leaves(gradients))
            return jax.tree.map(lambda g: _shortened(g, squares, self.global_clipnorm), gradients)
        return gradients

    def _decayed(self, updates: Any, weights: Any, amount: Any) -> Any:
        patterns = [re.compile(pattern) for pattern in self._without_decay]

        def decayed(path: Any, update: Any, weight: Any) -> Any:
            name = "/".join(str(getattr(key, "key", getattr(key, "idx", key))) for key in path)
            if any(pattern.search(name) for pattern in patterns):
                return update
            return update - weight * jnp.asarray(amount, update.dtype)

        return jax.tree_util.tree_map_with_path(decayed, updates, weights)


def _squares(gradient: Any) -> Any:
    return jnp.sum(jnp.square(gradient))


def _shortened(gradient: Any, squares: Any, limit: Any) -> Any:
    """Return the gradient scaled so that a norm whose square is `squares` is at most `limit`."""
    scale = limit / jnp.maximum(jnp.sqrt(squares), limit)
    return gradient * scale.astype(gradient.dtype)
