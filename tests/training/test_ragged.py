"""Sequences of many lengths: full rows, few compilations, and outputs back in order."""

import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep import layers
from everystep.errors import SettingError
from everystep.training.shapes import Shapes, few_rows
from everystep.training.sourcing import source_of
from tests.english import english_lengths
from tests.tolerances import assert_close

WORDS, LABELS = 7, 3


def tagger() -> Any:
    """A model that takes packed rows."""
    model = es.Sequential(
        [
            layers.Embedding(WORDS, 2),
            layers.SimpleRNN(3, return_sequences=True),
            layers.Dense(LABELS),
        ]
    )
    model.compile("sgd", es.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def classifier(max_shapes: int = 8) -> Any:
    """A model that takes one sequence a row, and gives one output for each."""
    model = es.Sequential(
        [layers.Embedding(WORDS, 2), layers.GlobalMaxPooling1D(), layers.Dense(1)]
    )
    model.compile("sgd", "mse", max_shapes=max_shapes)
    return model


def sentences(lengths: Any) -> list[np.ndarray[Any, Any]]:
    random = np.random.default_rng(0)
    return [random.integers(0, WORDS, length) for length in lengths]


def some_lengths(count: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).lognormal(2, 0.8, count).astype(int) + 1


def compiled(model: Any, program: str) -> int:
    """How many programs the model has compiled for one of its methods."""
    return int(getattr(model._programs, program)._cache_size())


def filled(capsys: pytest.CaptureFixture[str]) -> list[float]:
    return [float(share) for share in re.findall(r"([\d.]+)% full", capsys.readouterr().out)]


def test_epochs_over_english_are_full_and_compile_once(capsys: pytest.CaptureFixture[str]) -> None:
    x = sentences(english_lengths())
    model = tagger()
    model.fit(x, [ids % LABELS for ids in x], epochs=2, verbose=2)
    shares = filled(capsys)
    assert len(shares) == 2
    assert min(shares) >= 97
    assert compiled(model, "_train") == 1


def test_shuffled_epochs_validation_and_any_lists_run_one_program_each() -> None:
    model, x = tagger(), sentences(some_lengths(150))
    y = [ids % LABELS for ids in x]
    held = sentences(some_lengths(40, seed=1))
    validation = held, [ids % LABELS for ids in held]
    model.fit(x, y, batch_size=8, epochs=3, validation_data=validation)
    assert (compiled(model, "_train"), compiled(model, "_evaluate")) == (1, 1)
    model.evaluate(x, y, batch_size=8)
    for seed in range(3):
        model.predict(sentences(some_lengths(100, seed).clip(max=20)), batch_size=4)
    assert (compiled(model, "_evaluate"), compiled(model, "_predict")) == (1, 1)


def test_packed_predictions_are_those_of_each_sequence_alone_in_order() -> None:
    model, x = tagger(), sentences([5, 1, 9, 0, 2, 9, 3])
    together = model.predict(x, batch_size=2)
    assert [len(found) for found in together] == [len(ids) for ids in x]
    for found, ids in zip(together, x, strict=True):
        if len(ids):
            assert_close(found, model(ids[None])[0])


def test_sequences_that_cannot_be_packed_take_as_many_shapes_as_allowed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model, x = classifier(max_shapes=3), sentences(some_lengths(60))
    model.fit(x, np.zeros((60, 1)), batch_size=5, epochs=2, verbose=2)
    printed = capsys.readouterr().out
    assert len(re.findall(r"- [\d.]+% full in 3 shapes$", printed, re.MULTILINE)) == 2
    assert compiled(model, "_train") == 3


def batches(numbers: range) -> Iterator[tuple[Any, Any]]:
    for steps in numbers:
        yield np.ones((2, steps), int), np.zeros((2, 1))


def test_a_warning_says_why_programs_multiply() -> None:
    model = classifier(max_shapes=2)
    message = (
        "fit has met batches of 4 shapes.* 4 different numbers of steps, from 3 to 6.*one list"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        model.fit(batches(range(3, 8)))
    assert len(caught) == 1


def test_a_smaller_last_batch_brings_no_warning() -> None:
    model = classifier(max_shapes=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(np.ones((5, 4), int), np.zeros((5, 1)), batch_size=2)
    assert compiled(model, "_train") == 2


@pytest.mark.parametrize("most", [0, 2.5, True])
def test_a_number_of_shapes_that_is_none_is_refused(most: Any) -> None:
    with pytest.raises(SettingError, match="max_shapes must be an integer of 1 or more, not"):
        classifier(most)


def test_unshuffled_rows_keep_about_to_the_order_of_the_list() -> None:
    """Best fit over all would put the longest with the shortest, which ends an order by length."""
    lengths = np.sort(some_lengths(400))
    source = source_of(tagger(), sentences(lengths), batch_size=8, shapes=Shapes())
    order = np.concatenate([batch.sequences for batch in source.epoch().plan])
    assert sorted(order) == list(range(400))
    assert np.abs(order - np.arange(400)).max() < 100


def test_lengths_are_padded_as_before_where_that_wastes_little() -> None:
    shapes = Shapes()
    first = shapes.padded(np.array([3, 3, 7, 20]), 2)
    assert first.tolist() == [7, 20]
    assert shapes.padded(np.array([6, 7, 19]), 2).tolist() == [7, 20]
    assert shapes.padded(np.array([2, 2, 2]), 2).tolist() == [2]
    assert shapes.padded(np.array([3, 21]), 2).tolist() == [3, 21]


def test_prediction_takes_rows_for_what_there_is() -> None:
    assert [few_rows(count, 32) for count in (0, 1, 2, 3, 5, 31, 33, 900)] == [
        1,
        1,
        2,
        4,
        8,
        32,
        32,
        32,
    ]
    assert few_rows(50, 20) == 20
