"""Metrics that are made of counts, and those with a number for each class, in compiled training."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from everystep import metrics
from everystep.layers import Dense
from everystep.models import Sequential
from tests.tolerances import assert_close

CLASSES = 3


def data() -> tuple[list[Any], list[Any]]:
    """Sequences of different lengths with one-hot labels."""
    draw = np.random.default_rng(4)
    x = [draw.normal(size=(length, 4)).astype("float32") for length in (5, 2, 7, 1)]
    return x, [np.eye(CLASSES, dtype="float32")[draw.integers(0, CLASSES, len(row))] for row in x]


def test_they_are_those_of_the_same_steps_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    model = Sequential([Dense(CLASSES, activation="softmax", input_shape=(None, 4))])
    names: dict[str, Callable[[], Any]] = {
        "f1": lambda: metrics.F1Score(name="f1"),
        "auc": lambda: metrics.AUC(multi_label=True, name="auc", num_thresholds=20),
        "precision": lambda: metrics.Precision(thresholds=[0.2, 0.4], name="precision"),
        "recall": lambda: metrics.Recall(top_k=1, name="recall"),
    }
    model.compile("sgd", "categorical_crossentropy", metrics=[make() for make in names.values()])
    x, y = data()
    history = model.fit(x, y, epochs=1, batch_size=2, verbose=2)
    assert "f1 [" in capsys.readouterr().out
    assert len(history.history["f1"][0]) == CLASSES
    found = model.evaluate(x, y, verbose=0, return_dict=True)
    steps, labels = np.concatenate(model.predict(x, verbose=0)), np.concatenate(y)
    for name, make in names.items():
        assert_close(np.asarray(found[name], "float32"), np.asarray(make()(labels, steps)))
