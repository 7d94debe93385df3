"""Comparisons, above all that of the five designs, whose table README shows."""

import json
from pathlib import Path

import numpy as np
import pytest

import everystep as es
from everystep.drawing.comparison_words import comparison_words
from everystep.errors import SettingError, ShapeError
from everystep.explanation.comparing import Comparison, compare
from everystep.models.designs import DESIGNS

README = Path(__file__).parents[2] / "README.md"
ROWS = {
    "`Dense(5)`": "Dense",
    "`TimeDistributed(Dense(5))`": "TimeDistributed(Dense)",
    "reshape to (batch * 4, 3), `Dense(5)`, reshape back": "reshape, Dense, reshape back",
    "`PerStep(Dense(5))`": "PerStep(Dense)",
    "`Flatten()`, `Dense(20)`, `Reshape((4, 5))`": "Flatten, Dense, Reshape",
}
"""The rows of README's table, by what the designs are called here."""


@pytest.fixture(scope="module")
def designs() -> Comparison:
    return compare({each.words: each.model(4, 3, 5) for each in DESIGNS})


def test_readme_shows_what_is_found_out(designs: Comparison) -> None:
    found = {row.name: tuple(row)[1:] for row in comparison_words(designs.data())}
    written = {}
    for line in README.read_text("utf-8").splitlines():
        design, *cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if design in ROWS:
            written[ROWS[design]] = tuple(cells)
    assert written == found


def test_the_designs_are_what_the_answers_to_the_question_say(designs: Comparison) -> None:
    data = designs.data()
    assert data["steps"] == 4
    assert [each["name"] for each in data["models"]] == [each.words for each in DESIGNS]
    assert [each["relation"] for each in data["models"]] == [*["same"] * 3, *["wider"] * 2]
    for each, design in zip(data["models"], DESIGNS, strict=True):
        found = each["explained"]
        shared = design.name in {"dense", "time distributed", "folded"}
        assert (found["any_length"], bool(found["any_length_reason"])) == (shared, not shared)
        assert {weight["used_by"] for weight in found["weights"]} == {4 if shared else 1}
        reads = np.ones((4, 4)) if design.name == "flattened" else np.eye(4)
        assert found["maps"][0]["depends"] == found["maps"][0]["witnessed"] == reads.tolist()


def test_a_comparison_can_be_shown_in_four_ways(designs: Comparison) -> None:
    assert json.loads(designs.to_json()) == designs.data()
    assert "TimeDistributed(Dense)" in designs.to_text()
    assert max(map(len, designs.to_text(width=80).splitlines())) <= 80
    assert designs.to_svg().startswith("<svg")
    assert designs.to_html().startswith("<!DOCTYPE html>")
    assert "TimeDistributed" in designs._repr_html_()


def test_models_of_other_inputs_are_different_and_can_be_compared() -> None:
    wide = es.Sequential([es.layers.Dense(5, input_shape=(4, 7))])
    narrow = es.Sequential([es.layers.Dense(5, input_shape=(4, 3))])
    found = compare({"wide": wide, "narrow": narrow}).relations["narrow"]
    assert found.verdict == "different"
    assert "(4, 7)" in found.reason


def test_the_first_model_says_for_how_many_steps() -> None:
    flat = es.Sequential([es.Input((3, 2)), es.layers.Flatten()])
    found = compare(
        {"flat": flat, "dense": es.Sequential([es.layers.Dense(1, input_shape=(None, 2))])}
    )
    assert [each.steps for each in found.explanations.values()] == [3, 3]
    assert found.data()["steps"] == 3


def test_no_models_are_refused() -> None:
    with pytest.raises(SettingError, match="by their names"):
        compare({})


def test_errors_name_the_model() -> None:
    with pytest.raises(ShapeError, match=r"^wide: "):
        compare({"wide": es.Sequential([es.layers.Dense(5, input_shape=(4, 3))])}, (None, 4, 7))
