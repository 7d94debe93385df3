"""Explanations as plain data, text, pictures and pages."""

import json
from typing import Any, get_type_hints

import pytest

import everystep as es
from everystep.drawing.explained import Explained
from everystep.explanation.explanation import Explanation
from everystep.kernels.twins import TWINS
from everystep.layers import LSTM, Bidirectional, Conv1D, Dense, Embedding
from everystep.models import Sequential


@pytest.fixture(scope="module")
def tagger() -> Explanation:
    recurrent = Bidirectional(LSTM(2, return_sequences=True))
    model = Sequential([Embedding(9, 3, mask_zero=True), recurrent, Dense(2)], name="tagger")
    return es.explain(model, (None, None), steps=3)


def test_the_data_has_the_form_that_is_promised_and_survives_json(tagger: Explanation) -> None:
    data = tagger.data()
    assert data.keys() == get_type_hints(Explained).keys()
    assert json.loads(tagger.to_json()) == data


def test_the_data_says_what_the_explanation_says(tagger: Explanation) -> None:
    data = tagger.data()
    assert (data["name"], data["kind"], data["steps"]) == ("tagger", "Sequential", 3)
    assert data["inputs"] == [
        {
            "name": "inputs",
            "shape": "(batch, 3)",
            "dtype": "int32",
            "steps": 3,
            "timed": True,
            "units": 1,
        }
    ]
    (found,) = data["maps"]
    assert found["depends"] == [[True] * 3] * 3
    assert found["exact"]
    assert (found["lookback"], found["lookahead"]) == (None, None)
    assert [layer["kind"] for layer in data["layers"]] == ["Embedding", "Bidirectional", "Dense"]
    assert [layer["input_shapes"] for layer in data["layers"]] == [
        ["(batch, 3)"],
        ["(batch, 3, 3)"],
        ["(batch, 3, 4)"],
    ]
    assert [layer["units"] for layer in data["layers"]] == [3, 4, 2]
    assert data["layers"][2]["uses"] == [[True] * 3] * 2
    kernels = [each["kernel"] for each in data["kernels"]]
    assert len(kernels) == 2
    assert {*kernels} <= {twin.name for twin in TWINS}
    assert (data["padding"]["verdict"], data["packing"]["verdict"]) == ("inert", "inert")
    assert sum(layer["parameters"] for layer in data["layers"]) == data["parameters"]


def test_a_layer_says_how_many_of_its_own_steps_a_weight_makes() -> None:
    # All outputs but the first use each weight, so that they cannot tell own ones from shared ones.
    layers = [es.Input((4, 3)), es.layers.PerStep(Dense(2)), Dense(2), LSTM(2)]
    per_step, dense, last = es.explain(es.models.Sequential(layers)).layers
    assert [use.used_by for use in (*per_step.uses, *dense.uses)] == [1, 1, 4, 4]
    assert (last.steps, [use.used_by for use in last.uses]) == (1, [1, 1, 1])


def test_several_inputs_and_outputs_have_a_map_each() -> None:
    words, tags = es.Input((4, 3), name="words"), es.Input((4, 2), name="tags")
    read = LSTM(2, return_sequences=True)(words)
    model = es.Model(
        [words, tags], [Dense(2, name="own")(tags), Dense(2, name="both")(read + tags)]
    )
    data = es.explain(model).data()
    assert [(each["output"], each["input"], each["stepwise"]) for each in data["maps"]] == [
        ("own", "words", True),
        ("own", "tags", True),
        ("both", "words", False),
        ("both", "tags", True),
    ]
    assert not any(map(any, data["maps"][0]["depends"]))
    sources = {layer["path"]: layer["sources"] for layer in data["layers"]}
    assert (sources["own"], sources["both"]) == ([-2], [0, -2])


@pytest.mark.parametrize("way", ["to_text", "to_svg", "_repr_html_"])
def test_every_picture_is_drawn(tagger: Explanation, way: str) -> None:
    drawn: Any = getattr(tagger, way)()
    assert "tagger" in drawn


def test_the_page_shows_all_numbers_of_steps_that_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("everystep.explanation.explanation._PAGE_STEPS", range(2, 5))
    free = es.explain(Conv1D(2, 3), (None, None, 2), steps=5)
    assert [each.steps for each in free._for_page()] == [3, 4, 5]
    page = free.to_html()
    assert page.startswith("<!")
    assert "3 steps" in page
    fixed = es.explain(es.models.Sequential([es.Input((4, 2)), es.layers.PerStep(Dense(2))]))
    assert [each.steps for each in fixed._for_page()] == [4]


def test_an_explanation_says_in_one_line_what_it_is_of(tagger: Explanation) -> None:
    assert repr(tagger) == "<Explanation of Sequential 'tagger' for 3 steps>"
