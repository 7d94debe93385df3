"""Mean and deviation over runs."""

import math

import pytest

from everystep.errors import DataError
from everystep.tagging import Scores, over_runs


def test_mean_and_sample_deviation() -> None:
    found = over_runs([{"accuracy": share, "steps": 7} for share in (0.5, 0.6, 1.0)])
    # 0.7 lies 0.2, 0.1 and 0.3 away: 0.14 over 2.
    assert found["accuracy"] == {
        "mean": pytest.approx(0.7),
        "deviation": pytest.approx(math.sqrt(0.07)),
        "smallest": 0.5,
        "largest": 1.0,
        "runs": 3,
    }
    assert found["steps"]["deviation"] == 0


def test_what_is_no_number_or_undefined_is_left_out() -> None:
    scores = Scores(known=set())
    scores.add(["x"], ["x"], ["word"])
    found = over_runs([scores.figures(), {"accuracy_known": 0.5, "better": True}])
    assert found["accuracy_known"] == {
        "mean": 0.5,
        "deviation": None,
        "smallest": 0.5,
        "largest": 0.5,
        "runs": 1,
    }
    assert set(found) == {
        "accuracy",
        "accuracy_known",
        "accuracy_unknown",
        "steps",
        "steps_known",
        "steps_unknown",
        "sentences",
    }


def test_no_run_is_refused() -> None:
    with pytest.raises(DataError, match="at least 1 run"):
        over_runs([])
