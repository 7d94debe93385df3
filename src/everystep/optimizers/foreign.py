"""Transformations of optax as optimizers, taken as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from everystep.core.kinds import NOT_NEGATIVE
from everystep.errors import SettingError

if TYPE_CHECKING:
    import optax


class OptaxOptimizer:
    """A transformation of optax as an optimizer.

    Its learning rate can be set between steps if it was made by `optax.inject_hyperparams`.

    Args:
        transformation: what optax's functions return, such as `optax.adam(1e-3)`.

    Example:
        >>> import optax
        >>> OptaxOptimizer(optax.sgd(0.1)).transform().init({"kernel": 1.0})
        (EmptyState(), EmptyState())
    """

    name = "optax"

    def __init__(self, transformation: optax.GradientTransformation) -> None:
        self.transformation = transformation
        self._learning_rate: float | None = None

    @property
    def learning_rate(self) -> float:
        """The rate that was set last.

        Raises:
            SettingError: none was set, so only optax knows it.
        """
        if self._learning_rate is None:
            raise SettingError(
                "the learning rate of an optax transformation is hidden in it: set it first, or "
                "take an optimizer of everystep.optimizers"
            )
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._learning_rate = NOT_NEGATIVE.parse(value)

    def refreshed(self, state: Any) -> Any:
        """Return the state with the learning rate that was set, if one was.

        Raises:
            SettingError: the transformation's state holds no learning rate.
        """
        if self._learning_rate is None:
            return state
        import optax

        try:
            return optax.tree_utils.tree_set(state, learning_rate=self._learning_rate)
        except KeyError:
            raise SettingError(
                "the learning rate of this optax transformation is fixed: make it by "
                "optax.inject_hyperparams(optax.adam)(learning_rate=...) to set it between steps"
            ) from None

    def transform(self) -> optax.GradientTransformation:
        """Return the transformation."""
        return self.transformation

    def get_config(self) -> dict[str, Any]:
        """Refuse, because a transformation is functions, which cannot be written as data.

        Raises:
            SettingError: always.
        """
        raise SettingError(
            "an optax transformation cannot be written to a configuration: take an optimizer of "
            "everystep.optimizers"
        )
