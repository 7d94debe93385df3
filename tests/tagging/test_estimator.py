"""The conventions of scikit-learn, by scikit-learn's own functions."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_validate
from sklearn.utils.validation import check_is_fitted

from everystep.errors import DataError, SettingError, StateError
from everystep.tagging import SequenceTagger, Settings
from tests.tagging.languages import SMALL, sentences

TOKENS, LABELS = map(list, zip(*sentences(30, 4), strict=True))


def test_parameters_go_in_and_out() -> None:
    estimator = SequenceTagger(**SMALL, epochs=1)
    assert estimator.get_params() == Settings(**SMALL, epochs=1).to_dict()
    assert estimator.set_params(units=9) is estimator
    other = clone(estimator)
    assert other is not estimator
    assert other.get_params() == estimator.get_params()
    assert "units=9" in repr(other)
    assert "layers" not in repr(other)
    with pytest.raises(SettingError, match="no setting is called 'unit'"):
        estimator.set_params(unit=3)


def test_values_are_checked_by_fit_alone() -> None:
    estimator = SequenceTagger(units=-1)
    with pytest.raises(SettingError, match="units: expected"):
        estimator.fit(TOKENS, LABELS)


def test_it_is_fitted_after_fit_alone() -> None:
    estimator = SequenceTagger(**SMALL, epochs=1)
    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)
    for ask in (estimator.predict, estimator.predict_proba):
        with pytest.raises(StateError, match="call fit first"):
            ask(TOKENS)
    with pytest.raises(DataError, match="X has 30 sentences, but y has labels for 29"):
        estimator.fit(TOKENS, LABELS[1:])


def test_cross_validation_runs_over_it() -> None:
    estimator = SequenceTagger(**{**SMALL, "units": 4}, epochs=1)
    halves = [(range(20), range(20, 30))]
    found = cross_validate(estimator, TOKENS, LABELS, cv=halves, return_estimator=True)
    (fitted,) = found["estimator"]
    check_is_fitted(fitted)
    tokens, labels = TOKENS[20:], LABELS[20:]
    said = fitted.predict(tokens)
    steps = [(a, b) for pair in zip(said, labels, strict=True) for a, b in zip(*pair, strict=True)]
    assert found["test_score"].tolist() == [np.mean([a == b for a, b in steps])]
    likely = fitted.predict_proba(tokens)
    assert [[fitted.classes_[k] for k in one.argmax(-1)] for one in likely] == said
