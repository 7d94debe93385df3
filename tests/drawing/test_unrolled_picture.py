"""A model unrolled in time: each layer's own map, and all that one output step is made of."""

from collections.abc import Iterator
from typing import Any

import pytest

from everystep.drawing.explained import Explained
from everystep.drawing.marks import Mark, write
from everystep.drawing.unrolled_picture import unrolled_picture
from tests.drawing import explanations as made


def found(picture: Mark, class_: str) -> Iterator[dict[str, Any]]:
    for each in picture.every():
        attributes = dict(each.attributes)
        if class_ in str(attributes.get("class", "")).split():
            yield attributes


def lit(data: Explained) -> dict[int, set[int]]:
    steps: dict[int, set[int]] = {}
    for each in found(unrolled_picture(data), "lit"):
        steps.setdefault(each["data-layer"], set()).add(each["data-step"])
    return steps


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (made.tagger(6), {2: {3}, 1: {0, 1, 2, 3}, 0: {0, 1, 2, 3}, -1: {0, 1, 2, 3}}),
        (made.flattened(), {2: {2}, 1: {0}, 0: {0}, -1: {0, 1, 2, 3}}),
        (made.convolution(), {1: {2}, 0: {2}, -1: {4, 5, 6}}),
        (made.branches(), {3: {3}, 2: {3}, 0: {0, 1, 2, 3}, 1: {3}, -1: {0, 1, 2, 3}, -2: {3}}),
    ],
)
def test_all_that_one_output_step_is_made_of_is_filled(
    data: Explained, field: dict[int, set[int]]
) -> None:
    assert lit(data) == field


def test_each_layer_has_the_lines_of_its_own_map() -> None:
    edges = found(unrolled_picture(made.convolution()), "edge")
    lines = {(each["data-layer"], each["data-output"], each["data-input"]) for each in edges}
    windows = {(0, t, s) for t in range(4) for s in range(2 * t, 2 * t + 3)}
    assert lines == windows | {(1, t, t) for t in range(4)}


def test_the_state_of_a_recurrent_layer_goes_from_step_to_step() -> None:
    chain = [
        (each["data-chain"], each["data-output"])
        for each in found(unrolled_picture(made.tagger(4)), "chain")
    ]
    assert sorted(chain) == [("forward", 1), ("forward", 2), ("forward", 3)]
    both = [
        (each["data-chain"], each["data-output"])
        for each in found(unrolled_picture(made.tagger(3, "Bidirectional")), "chain")
    ]
    assert sorted(both) == [("backward", 0), ("backward", 1), ("forward", 1), ("forward", 2)]


def test_a_triangle_that_no_recurrent_layer_makes_has_no_state() -> None:
    picture = unrolled_picture(made.residual())
    assert list(found(picture, "chain")) == []
    areas = {(each["data-layer"], each["data-output"]) for each in found(picture, "area")}
    assert areas == {(1, t) for t in range(1, 8)} | {(3, t) for t in range(8)}


def test_many_branches_stand_above_each_other_and_lines_go_around() -> None:
    data = made.dense(steps=3)
    own = made.grid(3, 3, made.own)
    data["layers"] = [made.layer(f"branch{n}", "Dense", 12, own, (3, 3)) for n in range(4)]
    picture = unrolled_picture(data)
    assert [each["data-layer"] for each in found(picture, "row")] == [-1, 0, 1, 2, 3]
    assert {each["data-layer"] for each in found(picture, "edge") if "C" in each["d"]} == {3}


def test_steps_that_are_too_many_are_left_out() -> None:
    picture = unrolled_picture(made.tagger(100))
    steps = {each["data-step"] for each in found(picture, "cell-step")}
    assert steps == {*range(6), *range(95, 100)}


def names_and_colours(data: Explained) -> set[tuple[str, str]]:
    cells = [
        each
        for each in unrolled_picture(data).every()
        if str(dict(each.attributes).get("class")).startswith("cell-step w")
    ]
    return {
        (text, str(dict(cell.attributes)["class"]).split()[1])
        for cell in cells
        for mark in cell.every()
        for text in mark.children
        if isinstance(text, str)
    }


def test_one_letter_is_one_set_of_weights() -> None:
    assert names_and_colours(made.dense()) == {("A", "w0")}
    own = {("A₀", "w0"), ("A₁", "w1"), ("A₂", "w2"), ("A₃", "w3")}
    assert names_and_colours(made.per_step()) == own


def test_own_weights_below_a_layer_that_mixes_steps_are_own_still() -> None:
    data = made.per_step()
    mixing = made.layer("lstm", "LSTM", 0, made.grid(4, 4, made.earlier), (5, 5), source=0)
    data["layers"].append(mixing)
    for weight, use in zip(data["weights"], data["layers"][0]["uses"], strict=True):
        weight["steps"] = [step >= use.index(True) for step in range(4)]
        weight["used_by"], weight["shared"] = sum(weight["steps"]), sum(weight["steps"]) > 1
    assert {name for name, _ in names_and_colours(data)} == {"A₀", "A₁", "A₂", "A₃"}


def test_weights_of_a_model_with_one_output_step_are_not_called_own() -> None:
    data = made.dense()
    last = made.layer("last", "GlobalMaxPooling1D", 0, [[True] * 4], (5, 5), source=0)
    data["layers"].append(last)
    for weight in data["weights"]:
        weight["steps"], weight["used_by"], weight["shared"] = [True], 1, False
    assert names_and_colours(data) == {("A", "w0")}


def test_what_has_no_layers_stands_for_itself() -> None:
    data = made.tagger(4)
    data["layers"] = []
    assert lit(data) == {0: {0, 1, 2}, -1: {0, 1, 2}}


def test_the_legend_says_what_is_there() -> None:
    plain = made.dense()
    plain["layers"], plain["weights"] = [], []
    said = {name: write(unrolled_picture(data)) for name, data in
            (("plain", plain), ("state", made.tagger()), ("areas", made.residual()))}  # fmt: skip
    assert [name for name, text in said.items() if "One letter" in text] == ["state", "areas"]
    assert [name for name, text in said.items() if "a state handed on" in text] == ["state"]
    assert [name for name, text in said.items() if "Areas:" in text] == ["areas"]


def test_shapes_before_and_after_and_parameters_are_said() -> None:
    text = write(unrolled_picture(made.branches()))
    assert "2 \N{MULTIPLICATION SIGN} (batch, 6, 4) → (batch, 6, 4)" in text
    assert "120 parameters, A for all steps" in text
    assert "80 parameters, A, each step its own" in write(unrolled_picture(made.per_step()))


def test_names_from_outside_are_escaped() -> None:
    assert "<script" not in write(unrolled_picture(made.unproven()))
