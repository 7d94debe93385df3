"""The conventions of scikit-learn, by scikit-learn's own functions."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
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


def test_cross_validation_and_search_run_over_pipelines_of_it() -> None:
    tagger = SequenceTagger(**{**SMALL, "characters": "none", "units": 4}, epochs=1)
    pipeline = Pipeline([("tagger", tagger)])
    halves = [(range(20), range(20, 30))]
    found = cross_validate(pipeline, TOKENS, LABELS, cv=halves, return_estimator=True)
    (fitted,) = found["estimator"]
    check_is_fitted(fitted)
    tokens, labels = TOKENS[20:], LABELS[20:]
    said = fitted.predict(tokens)
    steps = [(a, b) for pair in zip(said, labels, strict=True) for a, b in zip(*pair, strict=True)]
    assert found["test_score"].tolist() == [np.mean([a == b for a, b in steps])]
    likely = fitted.predict_proba(tokens)
    assert [[fitted.classes_[k] for k in one.argmax(-1)] for one in likely] == said
    again = pickle.loads(pickle.dumps(fitted))
    assert again.get_params()["tagger__units"] == 4
    assert again.predict(tokens) == said
    search = GridSearchCV(pipeline, {"tagger__seed": [1]}, cv=halves, refit=False)
    assert search.fit(TOKENS, LABELS).best_score_ == found["test_score"]


class OfArrays(SequenceTagger, BaseEstimator):  # type: ignore[misc]
    """Says that it takes arrays of numbers, so that scikit-learn checks what it checks of them."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags


NOT_ITS_KIND = {
    "numbers, not words, stand in the sentences that the check fits": """
        check_fit_score_takes_y check_estimators_overwrite_params check_dont_overwrite_parameters
        check_estimators_fit_returns_self check_readonly_memmap_input
        check_n_features_in_after_fitting check_positive_only_tag_during_fit check_estimators_dtypes
        check_dtype_object check_pipeline_consistency check_estimators_pickle
        check_f_contiguous_array_estimator check_methods_sample_order_invariance
        check_methods_subset_invariance check_dict_unchanged check_fit_idempotent
        check_fit_check_is_fitted check_n_features_in check_fit2d_predict1d
    """,
    "the error must say what is wrong with an array of numbers, which is refused as a whole": """
        check_complex_data check_estimators_empty_data_messages check_estimators_nan_inf
        check_estimator_sparse_array check_estimator_sparse_matrix check_fit2d_1sample
        check_fit2d_1feature
    """,
}
"""The checks of scikit-learn that cannot be about sequences of words, by the reason."""


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [OfArrays()],
    expected_failed_checks=lambda _: {
        name: reason for reason, names in NOT_ITS_KIND.items() for name in names.split()
    },
    xfail_strict=True,
)
def test_the_checks_of_scikit_learn(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
