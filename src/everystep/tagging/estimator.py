"""A tagger by the conventions of scikit-learn, which is not needed to use it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from inspect import Parameter, Signature
from typing import Any, Self

from everystep.errors import DataError, SettingError, StateError, cure_of_name
from everystep.tagging.settings import Settings
from everystep.tagging.tagger import Tagger

_DEFAULTS = Settings().to_dict()


class SequenceTagger:
    """A `Tagger` with `fit`, `predict`, `score`, `get_params` and `set_params`.

    Values of settings are checked in `fit`, as scikit-learn wants it; names at once.

    Args:
        **settings: some of the fields of `Settings`.

    Raises:
        SettingError: a name is no setting.

    Example:
        >>> estimator = SequenceTagger(units=64).set_params(layers=2)
        >>> estimator
        SequenceTagger(layers=2, units=64)
        >>> estimator.get_params()["encoder"]
        'lstm'
    """

    tagger_: Tagger

    def __init__(self, **settings: Any) -> None:
        vars(self).update(_DEFAULTS)
        self.set_params(**settings)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return all settings by name; `deep` changes nothing, as none holds others."""
        return {name: getattr(self, name) for name in _DEFAULTS}

    def set_params(self, **params: Any) -> Self:
        """Change settings; they count from the next `fit` on.

        Raises:
            SettingError: a name is no setting.
        """
        unknown = [name for name in params if name not in _DEFAULTS]
        if unknown:
            raise SettingError(
                f"no setting is called {unknown[0]!r}: {cure_of_name(unknown[0], _DEFAULTS)}"
            )
        vars(self).update(params)
        return self

    def fit(self, X: Sequence[Sequence[str]], y: Sequence[Sequence[str]]) -> Self:  # noqa: N803
        """Train on sentences.

        Args:
            X: the tokens of each sentence.
            y: as many labels for each.

        Raises:
            DataError: X and y do not go together.
            SettingError: a setting has a value that it cannot take.
        """
        self.tagger_ = Tagger.train(_pairs(X, y), settings=self.get_params(), verbose=0)
        self.classes_ = list(self.tagger_.labels)
        return self

    def predict(self, X: Sequence[Sequence[str]]) -> list[list[str]]:  # noqa: N803
        """Return the labels of each sentence.

        Raises:
            StateError: `fit` was not called.
        """
        return list(self._fitted().predict_stream(X))

    def predict_proba(self, X: Sequence[Sequence[str]]) -> list[Any]:  # noqa: N803
        """Return how likely each of `classes_` is at each step, (steps, labels) a sentence.

        Raises:
            StateError: `fit` was not called.
        """
        return list(self._fitted().probabilities(list(X)))

    def score(self, X: Sequence[Sequence[str]], y: Sequence[Sequence[str]]) -> float:  # noqa: N803
        """Return the share of steps with the right label.

        Raises:
            StateError: `fit` was not called.
        """
        return float(self._fitted().evaluate(_pairs(X, y))["accuracy"])

    def _fitted(self) -> Tagger:
        if not self.__sklearn_is_fitted__():
            raise _unfitted()("this SequenceTagger is not fitted yet: call fit first")
        return self.tagger_

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "tagger_")

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn, which alone asks, what the estimator takes."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=True),
            input_tags=InputTags(two_d_array=False, string=True),
        )

    def __repr__(self) -> str:
        given = {n: v for n, v in self.get_params().items() if v != _DEFAULTS[n]}
        return f"SequenceTagger({', '.join(f'{n}={v!r}' for n, v in given.items())})"


# What scikit-learn and people look at to see what there is to set.
SequenceTagger.__init__.__signature__ = Signature(  # type: ignore[attr-defined]
    [
        Parameter("self", Parameter.POSITIONAL_OR_KEYWORD),
        *(Parameter(n, Parameter.KEYWORD_ONLY, default=v) for n, v in _DEFAULTS.items()),
    ]
)


def _unfitted() -> type[StateError]:
    """Return the error for what was not fitted: also scikit-learn's own, where that is in use."""
    theirs = sys.modules.get("sklearn.exceptions")
    if theirs is None:
        return StateError
    return type("NotFittedError", (StateError, theirs.NotFittedError), {})


def _pairs(X: Any, y: Any) -> list[tuple[Any, Any]]:  # noqa: N803
    if y is None:
        raise DataError("SequenceTagger requires y to be passed, but the target y is None")
    if len(X) != len(y):
        raise DataError(f"X has {len(X)} sentences, but y has labels for {len(y)}")
    return list(zip(X, y, strict=True))
