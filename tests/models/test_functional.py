"""A model of symbols: what it is called on, and what it says where that does not fit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.errors import DataError, SettingError, ShapeError, StateError
from everystep.layers import LSTM, Dense, Embedding
from everystep.sequences import pack

ONE, OTHER = np.ones((2, 5, 3), "float32"), np.full((2, 5, 1), 2, "float32")


def model_of(form: Callable[[Any, Any], Any]) -> Any:
    one, other = es.Input((5, 3), name="one"), es.Input((None, 1), name="other")
    return es.Model(form(one, other), one * other, name="both")


FORMS: dict[str, Callable[[Any, Any], Any]] = {
    "list": lambda one, other: [one, other],
    "tuple": lambda one, other: (one, other),
    "dict": lambda one, other: {"other": other, "one": one},
    "nested": lambda one, other: [one, {"deep": other}],
}


@pytest.mark.parametrize("form", FORMS)
def test_inputs_come_as_they_were_given_or_in_order_or_by_name(form: str) -> None:
    model = model_of(FORMS[form])
    assert model.input_names == ["one", "other"]
    own = FORMS[form](ONE, OTHER)
    by_name = {"one": ONE, "other": OTHER, "unused": OTHER}
    for given in (own, [ONE, OTHER], (ONE, OTHER), *([] if form == "nested" else [by_name])):
        np.testing.assert_array_equal(model(given), 2 * ONE)


def test_a_last_axis_of_one_may_be_missing_or_be_there_in_vain() -> None:
    model = model_of(FORMS["list"])
    np.testing.assert_array_equal(model([ONE, OTHER[..., 0]]), 2 * ONE)
    np.testing.assert_array_equal(model([ONE[..., None], OTHER]), 2 * ONE)
    flat = es.Input((5,))
    one = es.Input((5, 3))
    assert es.Model([one, flat], model([one, flat])).output_shape == (None, 5, 3)


def test_a_list_of_one_output_is_that_output_and_every_intermediate_is_computed_once() -> None:
    calls = []

    class Counting(es.layers.Layer):
        stepwise = True

        def call(self, inputs: Any) -> Any:
            calls.append(inputs)
            return inputs + 1

    start = es.Input((3,))
    once = Counting()(start)
    model = es.Model([start], [once + once * once])
    calls.clear()
    assert model(np.ones((2, 3))).tolist() == [[6.0] * 3] * 2
    assert len(calls) == 1


def test_ids_reach_an_embedding_whatever_dtype_the_input_says() -> None:
    start = es.Input((None,), dtype="float32")
    model = es.Model(start, Embedding(5, 2, mask_zero=True)(start))
    assert model(np.array([[1, 4, 0]])).mask.tolist() == [[True, True, False]]
    typed = es.Input((None,), dtype="int32", name="ids")
    more = es.Model(typed, typed + 1)
    with pytest.raises(DataError, match=r"takes int32 as its input.*astype\('int32'\)"):
        more(np.ones((1, 3), "float32"))


def test_lists_of_sequences_go_through_a_graph_packed() -> None:
    ids = es.Input((None,), dtype="int32")
    words = Embedding(9, 3)(ids)
    model = es.Model(ids, LSTM(3, return_sequences=True)(words) + words)
    sequences = [np.array([1, 2, 3]), np.array([4]), np.array([5, 6])]
    found = model(pack(sequences, length=4)).unpack()
    for one, alone in zip(found, sequences, strict=True):
        np.testing.assert_allclose(one, model(alone[None])[0], rtol=1e-5)
    with pytest.raises(DataError, match="id 9"):
        model.predict([np.array([1, 9])], verbose=0)


def test_layers_may_be_called_with_symbols_and_constants_by_name() -> None:
    start, state = es.Input((4, 3)), es.Input((2,))
    read = LSTM(2)(start, initial_state=[state, state * 0])
    model = es.Model(inputs=[start, state], outputs=read)
    x, h = np.ones((1, 4, 3), "float32"), np.ones((1, 2), "float32")
    wanted = model.layers[-1](x, initial_state=[h, 0 * h])
    np.testing.assert_allclose(model([x, h]), wanted, rtol=1e-5)


def test_sizes_that_only_the_data_decide_are_no_hindrance() -> None:
    start = es.Input((None, 3))
    halves = start[:, ::2] - start[:, 1::2]
    model = es.Model(start, halves)
    assert model(np.ones((1, 4, 3))).shape == (1, 2, 3)
    assert model.compute_output_shape((None, 8, 3)) == (None, 4, 3)
    assert model.compute_output_shape((2, None, 3)) == (2, None, 3)
    outer = es.Input((None, 3))
    assert es.Model(outer, model(model(outer)))(np.ones((1, 8, 3))).shape == (1, 2, 3)


def test_an_intermediate_may_be_the_start_of_another_model() -> None:
    start = es.Input((4, 3))
    middle = Dense(2)(start)
    last = Dense(1)(middle * 2)
    part = es.Model(middle, last)
    assert part.input_shape == (None, 4, 2)
    whole = es.Model(start, last)
    np.testing.assert_array_equal(whole(ONE[:, :4]), part(whole.layers[1](ONE[:, :4])))


WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "too few": (
        lambda: model_of(FORMS["list"])(ONE),
        DataError,
        r"'both' \(Functional\) expects 2 input\(s\), but it received 1.*\['one', 'other'\]",
    ),
    "a missing name": (
        lambda: model_of(FORMS["dict"])({"one": ONE, "othr": OTHER}),
        DataError,
        r"given the inputs \['one', 'othr'\], but has \['one', 'other'\]: missing \['other'\]",
    ),
    "another size": (
        lambda: model_of(FORMS["list"])([ONE, ONE]),
        ShapeError,
        "Input 1 of layer 'both'.*expected axis 2 of input shape to have value 1, found 3",
    ),
    "no symbol": (
        lambda: es.Model(ONE, ONE),
        SettingError,
        "All `inputs` values must be KerasTensors",
    ),
    "nothing": (lambda: es.Model([], []), SettingError, "`inputs` argument cannot be empty"),
    "an input left out": (
        lambda: es.Model(es.Input((3,)), Dense(2)(es.Input((3,), name="lost"))),
        SettingError,
        "Graph disconnected: cannot find parent for tensor.*name=lost",
    ),
    "no graph": (
        lambda: es.Model().inputs,
        StateError,
        r"has no defined inputs.*Model\(inputs, outputs\)",
    ),
    "no call": (
        lambda: Dense(2, name="alone").output,
        StateError,
        "The layer alone has never been called and thus has no defined output",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_named(name: str) -> None:
    act, kind, words = WRONG[name]
    with pytest.raises(kind, match=words):
        act()
