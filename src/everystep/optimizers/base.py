"""What every optimizer is: settings, an equation for one weight, and state by Keras's names.

A rule is a pure function of a weight, its gradient and what is kept of it. The base class makes of
it Keras's object with variables, the pure function of a training step, and an optax transformation.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from everystep.core import Configurable, Variable, serialize, setting
from everystep.core.naming import snake_case
from everystep.errors import SettingError, StateError
from everystep.kinds import (
    BOOLEAN,
    NOT_NEGATIVE,
    POSITIVE,
    SEVERAL,
    SHARE,
    TEXT,
    WORDS,
    Kind,
    checked,
    optional,
    reject,
)
from everystep.optimizers import schedules
from everystep.optimizers.applying import VARIABLES, Applies, constrained
from everystep.optimizers.state import Moment, Slot, State, described, like_each
from everystep.optimizers.updating import updated

if TYPE_CHECKING:
    import optax


def _rate(value: Any) -> Any:
    if isinstance(value, dict):
        value = schedules.deserialize(value)
    if isinstance(value, type):
        reject(value)
    return value if callable(value) else NOT_NEGATIVE.parse(value)


def _rate_to_config(value: Any) -> Any:
    if isinstance(value, Variable):
        # The shortest number that is the same in single precision.
        return float(str(value.numpy()))
    return serialize(value)


RATE = Kind(
    "a number of 0 or more, or a schedule: a function of the step",
    _rate,
    _rate_to_config,
    refused=(-0.1, "0.1", None),
)
LIMIT = optional(Kind("a number of 0 or more", NOT_NEGATIVE.parse, refused=(-1.0, "1")))


class Optimizer(Applies, Configurable, fills_settings=True):
    """Base of all optimizers; a subclass says what it keeps and how it changes one weight.

    `variables` holds the whole state in Keras's order and by its names: the number of steps, the
    learning rate unless a schedule gives it, and what is kept of each weight. It is there after
    `build`; writing `variable.assign(value)` sets it. `stateless_apply` is one update as a pure
    function; `transform` gives the same for optax.

    Args:
        weight_decay: each weight shrinks by `weight_decay * learning_rate` of itself; None for no
            decay.
        clipnorm: the largest norm of the gradient of one weight.
        clipvalue: the largest absolute value in a gradient.
        global_clipnorm: the largest norm of all gradients together. At most one of the three.
        use_ema: whether to keep running means of the weights, which replace them in the end.
        ema_momentum: how much of the running means is kept.
        ema_overwrite_frequency: after how many updates the means replace the weights in between.
        loss_scale_factor: what the loss is multiplied by, so that small gradients do not vanish in
            half precision; gradients are divided by it.
        gradient_accumulation_steps: of how many steps the gradients are averaged for one update.
        name: the optimizer's name.

    Raises:
        SettingError: a value is out of range, or two ways of clipping are asked for.
    """

    weight_decay: float | None = setting(LIMIT, default=None, kw_only=True)
    clipnorm: float | None = setting(LIMIT, default=None, kw_only=True)
    clipvalue: float | None = setting(LIMIT, default=None, kw_only=True)
    global_clipnorm: float | None = setting(LIMIT, default=None, kw_only=True)
    use_ema: bool = setting(BOOLEAN, default=False, kw_only=True)
    ema_momentum: float = setting(SHARE, default=0.99, kw_only=True)
    ema_overwrite_frequency: int | None = setting(optional(POSITIVE), default=None, kw_only=True)
    loss_scale_factor: float | None = setting(LIMIT, default=None, kw_only=True)
    gradient_accumulation_steps: int | None = setting(optional(SEVERAL), default=None, kw_only=True)
    name: str | None = setting(optional(TEXT), default=None, kw_only=True)

    _learning_rate: Any

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # What is said of a rule does not hold for one that replaces it.
        replaced = {"rule", "slots", "layout", "stateless_apply"} & vars(cls).keys()
        if replaced and "rests" not in vars(cls):
            cls.rests = Optimizer.rests  # type: ignore[method-assign]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = self.name or snake_case(type(self).__name__)
        clips = {"clipnorm": self.clipnorm, "clipvalue": self.clipvalue}
        clips["global_clipnorm"] = self.global_clipnorm
        given = {name: limit for name, limit in clips.items() if limit is not None}
        if len(given) > 1:
            raise SettingError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set: "
                f"{type(self).__name__} got {given}"
            )
        self._without_decay: tuple[frozenset[str], Any] = frozenset(), None
        self._reads_step = callable(self._learning_rate) and _reads_step(self._learning_rate)
        self._weights: list[Variable] = []
        self._made: dict[tuple[str, Variable | None], Variable] = {}
        self.built = False
        self._make_variables([])

    # The rule, which subclasses define.

    def slots(self, weights: Sequence[Any]) -> list[Slot]:
        """Return what is kept of the weights, in Keras's order; nothing by default."""
        return []

    def rule(
        self, weight: Any, gradient: Any, kept: dict[str, Any], now: Moment
    ) -> tuple[Any, dict[str, Any]]:
        """Return the new value of a weight, and what of its slots has changed.

        Args:
            weight: the weight.
            gradient: its gradient, clipped, in the weight's dtype.
            kept: its slots by name.
            now: the learning rate, the number of the update, and what all weights share.
        """
        raise NotImplementedError(f"{type(self).__name__} must define rule")

    def rests(self) -> bool:
        """Whether the rule leaves an element whose gradient is zero, and its slots, as they are.

        That is said to the last bit, and of a rule that treats each element alone, with slots of
        the weight's shape: then it can be applied to some rows of a table only.
        """
        return False

    def moves_rows(self, weight: Variable) -> bool:
        """Whether an update of a weight needs only the rows that have a gradient.

        So it is where the rule `rests`, and nothing around it touches the whole weight: no decay,
        clipping, scaling, collecting or averaging, no regularizer and no constraint.
        """
        clips = self.clipnorm, self.clipvalue, self.global_clipnorm
        others = self.loss_scale_factor, self.gradient_accumulation_steps, weight.regularizer
        around = (*clips, *others, weight.constraint, self.decay_of(weight))
        return self.rests() and not self.use_ema and all(each is None for each in around)

    def advanced(self, shared: dict[str, Any], count: Any) -> dict[str, Any]:
        """Return the slots that belong to all weights, after `count` updates came before."""
        return shared

    def decay_of(self, weight: Any) -> float | None:
        """Return the rate at which a weight decays; None for one that does not."""
        return self.weight_decay if self._may_decay(weight) else None

    def _may_decay(self, weight: Any) -> bool:
        paths, pattern = self._without_decay
        return weight.path not in paths and not (pattern and pattern.search(weight.name))

    @checked(var_list=optional(VARIABLES), var_names=optional(WORDS))
    def exclude_from_weight_decay(
        self, var_list: Sequence[Any] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Let some weights keep their size; call it before the first step.

        Args:
            var_list: weights, recognised by their paths.
            var_names: patterns; weights whose own name holds one are left out, such as `"bias"`.
        """
        pattern = re.compile("|".join(var_names)) if var_names else None
        self._without_decay = frozenset(weight.path for weight in var_list or ()), pattern

    # The state.

    def layout(self, weights: Sequence[Any]) -> list[Slot]:
        """Return all arrays of the state, in the order in which Keras keeps and saves them."""
        slots = [Slot("iteration", None, (), jnp.int32)]
        if not self._scheduled:
            slots.append(Slot("learning_rate", None, (), jnp.float32, float(self._learning_rate)))
        if self.use_ema:
            slots += like_each(weights, "average")
        if self.gradient_accumulation_steps:
            slots += like_each(weights, "gradient_accumulator")
        return slots + self.slots(weights)

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the state for these weights; where they change later, what stays keeps its state.

        Args:
            variables: the weights that training changes, in the model's order.

        Raises:
            StateError: the optimizer has a state for quite other weights.
        """
        variables, known = list(variables), {id(weight) for weight in self._weights}
        if self.built and [id(each) for each in variables] == [id(each) for each in self._weights]:
            return
        if known and variables and known.isdisjoint(map(id, variables)):
            raise StateError(
                f"Unknown variable: {variables[0].path}. This optimizer has a state for other "
                "weights, those of another model: give each model an optimizer of its own, such as "
                "optimizer.from_config(optimizer.get_config())"
            )
        self._make_variables(variables)
        self.built = True

    def _make_variables(self, weights: list[Variable]) -> None:
        """Make the variables for these weights; those that are there already stay."""
        values, made = [weight.value for weight in weights], {}
        for slot in self.layout(weights):
            key = slot.name, None if slot.index is None else weights[slot.index]
            if key in self._made:
                made[key] = self._made[key]
            else:
                name, path = slot.written(str(self.name), weights)
                first = slot.start(values)
                made[key] = Variable(first, name=name, path=path, trainable=False)
        self._weights, self._made = weights, made
        if not self._scheduled:
            self._learning_rate = made["learning_rate", None]

    @property
    def variables(self) -> list[Variable]:
        """The state in Keras's order: `iteration`, `learning_rate`, then what is kept of weights.

        Example:
            >>> from everystep import Variable
            >>> from everystep.optimizers import SGD
            >>> optimizer = SGD(momentum=0.9)
            >>> optimizer.build([Variable([1.0, 2.0], name="bias", path="dense/bias")])
            >>> [variable.path for variable in optimizer.variables]
            ['sgd/iteration', 'sgd/learning_rate', 'sgd/dense_bias_momentum']
        """
        return list(self._made.values())

    @property
    def iterations(self) -> Any:
        """How many updates were made."""
        steps = self._made["iteration", None]
        every = self.gradient_accumulation_steps
        return steps // every if every else steps

    @property
    def _scheduled(self) -> bool:
        return callable(self._learning_rate)

    @property
    def learning_rate(self) -> Any:
        """The rate of the next update: a variable, or what the schedule says."""
        if self._scheduled:
            return self.rate_at(self._made["iteration", None].value, None)
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        rate = self.settings["learning_rate"].parse(type(self).__name__, value)
        if callable(rate) or self._scheduled:
            raise SettingError(
                f"{type(self).__name__}: a number and a schedule cannot replace each other; make a "
                "new optimizer"
            )
        self._learning_rate.assign(rate)

    def rate_at(self, iteration: Any, rate: Any) -> Any:
        """Return the rate of a step: the schedule's, or else the one given."""
        if not self._scheduled:
            return rate
        return self._learning_rate(iteration) if self._reads_step else self._learning_rate()

    # One update, as Keras has it and as optax has it.

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Any], list[Any]]:
        """Return the values of weights and state after one update, as a pure function.

        Args:
            optimizer_variables: the values of `variables`.
            grads: the gradient of each weight; None for one that is to stay as it is; of one whose
                rows it can move alone, see `moves_rows`, a `RowGradient` too.
            trainable_variables: the values of the weights that the optimizer was built for.

        Raises:
            StateError: the optimizer is not built.
        """
        if not self.built:
            raise StateError(
                f"optimizer '{self.name}' must be built before stateless_apply: call "
                "optimizer.build(model.trainable_variables)"
            )
        weights, state = updated(
            self, self._weights, optimizer_variables, grads, trainable_variables
        )
        return constrained(self._weights, weights), state

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss as it is to be differentiated, so that small gradients do not vanish."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Give weights their running means, where such are kept; `fit` does so in the end."""
        if self.use_ema:
            for weight in var_list:
                weight.assign(self._made["average", weight].value)

    def init(self, weights: Any) -> State:
        """Return the state before the first update of these weights, a tree of arrays."""
        values = jax.tree.leaves(weights)
        return State(tuple(slot.start(values) for slot in self.layout(described(weights))))

    def update(self, gradients: Any, state: State, weights: Any = None) -> tuple[Any, State]:
        """Return what to add to the weights, and the new state.

        Raises:
            SettingError: the weights were not given, on which the update depends.
        """
        if weights is None:
            raise SettingError("an update needs the weights: update(gradients, state, weights)")
        (values, tree), grads = jax.tree.flatten(weights), jax.tree.leaves(gradients)
        targets = described(weights)
        new, slots = updated(self, targets, state.values, grads, values)
        changes = [after - before for after, before in zip(new, values, strict=True)]
        return jax.tree.unflatten(tree, changes), State(tuple(slots))

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


def _reads_step(schedule: Any) -> bool:
    """Whether a function wants the number of the step, as schedules do, or nothing, as in Keras."""
    if isinstance(schedule, schedules.LearningRateSchedule):
        return True
    return bool(inspect.signature(schedule).parameters)
