"""What every optimizer is: a rule of optax, and what Keras puts around it.

The learning rate is part of the state, so that it can change between steps without compiling again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property, partial
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


class State(NamedTuple):
    """The state of an optimizer.

    Args:
        count: how many updates were made, an int32 scalar.
        learning_rate: the rate of the next update, a float32 scalar; not used under a schedule.
        slots: what the rule keeps, as optax lays it out.
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
    """Base of all optimizers; a subclass names its `rule` in optax.

    Gradients are clipped, the rule turns them into a direction, and each weight moves against it
    by the learning rate, and shrinks by `weight_decay * learning_rate` of itself, as in Keras.

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

    def rule(self) -> optax.GradientTransformation:
        """Return optax's transformation of gradients into the direction to move against."""
        raise NotImplementedError(f"{type(self).__name__} must define rule")

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

    @cached_property
    def _chain(self) -> optax.GradientTransformation:
        """Clipping, the rule and the decay, one after the other."""
        import optax  # It takes a fifth as long to import as JAX itself.

        links = [self.rule()]
        if self.clipvalue:
            links.insert(0, optax.clip(self.clipvalue))
        if self.clipnorm:
            each = partial(_shortened, limit=self.clipnorm)
            links.insert(0, optax.stateless(lambda gradients, _: jax.tree.map(each, gradients)))
        if self.global_clipnorm:
            links.insert(0, optax.clip_by_global_norm(self.global_clipnorm))
        if self.weight_decay:
            links.append(optax.add_decayed_weights(self.weight_decay, self._decays))
        return optax.chain(*links)

    def init(self, weights: Any) -> State:
        """Return the state before the first update of these weights, a tree of arrays."""
        rate = 0.0 if callable(self._learning_rate) else self._learning_rate
        return State(
            jnp.zeros((), jnp.int32), jnp.asarray(np.float32(rate)), self._chain.init(weights)
        )

    def update(self, gradients: Any, state: State, weights: Any = None) -> tuple[Any, State]:
        """Return what to add to the weights, and the new state.

        Raises:
            SettingError: there is weight decay, and the weights were not given.
        """
        if self.weight_decay and weights is None:
            raise SettingError("weight decay needs the weights: update(gradients, state, weights)")
        scheduled = callable(self._learning_rate)
        rate = self._learning_rate(state.count) if scheduled else state.learning_rate
        directions, slots = self._chain.update(gradients, state.slots, weights)
        updates = jax.tree.map(lambda d: -jnp.asarray(rate, d.dtype) * d, directions)
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

    def _decays(self, weights: Any) -> Any:
        """Return for each weight whether it decays."""
        patterns = [re.compile(pattern) for pattern in self._without_decay]

        def decays(path: Any, _: Any) -> bool:
            name = "/".join(str(getattr(key, "key", getattr(key, "idx", key))) for key in path)
            return not any(pattern.search(name) for pattern in patterns)

        return jax.tree_util.tree_map_with_path(decays, weights)


def _shortened(gradient: Any, limit: float) -> Any:
    """Return the gradient scaled so that its norm is at most `limit`."""
    norm = jnp.sqrt(jnp.sum(jnp.square(gradient)))
    return gradient * (limit / jnp.maximum(norm, limit))
