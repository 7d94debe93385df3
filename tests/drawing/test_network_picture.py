"""A network picture shows the connections of the maps, and which of them have the same weights."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from everystep.drawing.explained import Explained
from everystep.drawing.marks import Mark, write
from everystep.drawing.network_picture import network_picture
from everystep.drawing.weight_sets import weight_sets
from tests.drawing import explanations as made

DESIGNS = {each["name"]: each["explained"] for each in made.five_designs()["models"]}


def found(picture: Mark, class_: str) -> Iterator[dict[str, Any]]:
    for each in picture.every():
        attributes = dict(each.attributes)
        if class_ in str(attributes.get("class", "")).split():
            yield attributes


@pytest.mark.parametrize("data", [*DESIGNS.values(), made.tagger(), made.convolution()])
def test_every_pair_of_the_map_is_drawn_once_for_each_output_unit(data: Explained) -> None:
    units = data["outputs"][0]["units"]
    drawn = Counter(
        (each["data-output"], each["data-input"]) for each in found(network_picture(data), "wire")
    )
    pairs = {
        (t, s): units
        for t, row in enumerate(data["maps"][0]["depends"])
        for s, does in enumerate(row)
        if does
    }
    assert drawn == pairs


@pytest.mark.parametrize(
    ("name", "lines", "weights", "strips"),
    [
        ("Dense", 3, {"W"}, 1),
        ("TimeDistributed(Dense)", 3, {"W"}, 1),
        ("Flatten, Dense, Reshape", 12, {"W₀", "W₁", "W₂", "W₃"}, 0),
        ("PerStep(Dense)", 3, {"W₀", "W₁", "W₂", "W₃"}, 0),
    ],
)
def test_the_five_designs_differ(name: str, lines: int, weights: set[str], strips: int) -> None:
    picture = network_picture(DESIGNS[name])
    strong = [each["d"].count("M") for each in found(picture, "strong")]
    assert sum(strong) == lines
    assert {each["data-weights"] for each in found(picture, "wire")} == weights
    assert len({each["class"].split()[1] for each in found(picture, "pill")}) == len(weights)
    assert len(list(found(picture, "strip"))) == strips


def test_pairs_that_were_only_not_ruled_out_are_drawn_otherwise() -> None:
    picture = network_picture(made.unproven())
    may = {(each["data-output"], each["data-input"]) for each in found(picture, "may")}
    assert may == {(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2)}


def test_steps_and_units_that_are_too_many_are_left_out() -> None:
    data = made.tagger(100)
    data["outputs"][0]["units"] = 9
    units = [each for each in found(network_picture(data), "unit") if each["data-side"] == "output"]
    assert {each["data-step"] for each in units} == {*range(6), *range(95, 100)}
    assert {each["data-unit"] for each in units} == {0, 1, 7, 8}
    beyond = {each["data-output"] for each in found(network_picture(data), "beyond")}
    assert beyond == {*range(95, 100)}


def test_each_output_and_input_has_its_own_connections() -> None:
    picture = network_picture(made.branches())
    ports = Counter(
        (each["data-output-port"], each["data-input-port"]) for each in found(picture, "wire")
    )
    assert ports == {(0, 0): 21 * 5, (0, 1): 6 * 5, (1, 0): 6 * 4, (1, 1): 6 * 4}
    text = write(picture)
    assert all(f">{name}<" in text for name in ("words", "signs", "tags", "last"))
    assert "one W makes 6 steps" in text
    assert "one V makes 1 step<" in text


def test_a_function_without_weights_has_no_names_of_weights() -> None:
    data = made.dense()
    data["weights"] = []
    picture = network_picture(data)
    assert list(found(picture, "pill")) == []
    assert "no weights" in write(picture)


def test_weights_of_one_step_beside_shared_ones_have_another_name() -> None:
    data = made.dense()
    data["weights"] += [made.weight(f"own/{step}", [5], 4, only=step) for step in range(4)]
    picture = network_picture(data)
    names = {each["data-weights"] for each in found(picture, "wire")}
    assert names == {"W₀", "W₁", "W₂", "W₃"}
    assert "W₀ to W₃: each step in part its own" in write(picture)


def test_outputs_of_the_same_weights_have_one_name() -> None:
    data = made.branches()
    data["weights"] = [made.weight("both/kernel", [3, 5], 7)]
    assert {each["data-weights"] for each in found(network_picture(data), "pill")} == {"W"}


def test_own_weights_of_two_outputs_have_different_names() -> None:
    data = made.branches()
    data["weights"] = [made.weight(f"own/{step}", [5], 7, only=step) for step in range(7)]
    names = [each["data-weights"] for each in found(network_picture(data), "pill")]
    assert names == ["W₀", "W₁", "W₂", "W₃", "W₄", "W₅", "V"]


def test_a_step_that_uses_a_part_of_another_one_s_weights_has_no_name_of_its_own() -> None:
    data = made.tagger(4)
    data["weights"][1]["steps"][0] = False
    assert [each.places for each in weight_sets(data)] == [(0, 1, 2, 3)]
