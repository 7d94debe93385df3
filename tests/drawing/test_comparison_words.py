"""What a comparison says of models whose maps everybody can work out."""

import pytest

from everystep.drawing.comparison_words import (
    causal,
    comparison_words,
    relation_in_words,
    shared,
    sharing,
    steps_talk,
)
from everystep.drawing.explained import Explained
from everystep.drawing.reads import reads_of
from tests.drawing import explanations as made


def test_the_five_designs_are_told_apart() -> None:
    rows = comparison_words(made.five_designs())
    assert [(row.parameters, row.steps_talk, row.any_length, row.relation) for row in rows] == [
        ("20", "no", "yes", "the first"),
        ("20", "no", "yes", "same"),
        ("20", "no", "yes", "same"),
        ("260", "yes", "no", "wider"),
        ("80", "no", "no", "wider"),
    ]
    assert [row.shared for row in rows] == ["yes", "yes", "yes", "no", "no"]
    assert [row.causal for row in rows] == ["yes", "yes", "yes", "no", "yes"]
    assert {row.output_shape for row in rows} == {"(batch, 4, 5)"}


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("same", "the same function as Dense"),
        ("narrower", "narrower than Dense"),
        ("different", "different from Dense"),
        ("unknown", "not settled against Dense"),
    ],
)
def test_every_verdict_has_words(verdict: str, words: str) -> None:
    data = made.five_designs()
    data["models"][1]["relation"] = verdict  # type: ignore[typeddict-item]
    assert relation_in_words(data["models"][1], "Dense") == words
    assert comparison_words(data)[1].relation in {verdict, "not settled"}


@pytest.mark.parametrize(
    ("found", "talk", "reads", "is_causal"),
    [
        (made.dense(), "no", "itself alone", "yes"),
        (made.flattened(), "yes", "every step", "no"),
        (made.tagger(), "yes", "itself and earlier", "yes"),
        (made.tagger(kind="Bidirectional"), "yes", "every step", "no"),
        (made.convolution(), "yes", "up to 3 steps", "no"),
        (made.unproven(), "not ruled out", "up to 3 steps", "no"),
    ],
)
def test_what_steps_read(found: Explained, talk: str, reads: str, is_causal: str) -> None:
    assert (steps_talk(found["maps"]), reads_of(found)) == (talk, reads)
    assert causal(found["maps"]) == is_causal


def test_what_is_shared() -> None:
    assert sharing(made.branches()["weights"]) == "shared by 6 or 7 steps"
    assert sharing(made.per_step()["weights"]) == "each step's own"
    mixed = [made.weight("a", [3], 4), made.weight("b", [3], 4, only=0)]
    assert (sharing(mixed), shared(mixed)) == ("some shared by 4 steps", "some")
    assert sharing([made.weight("a", [3], 1)]) == "used by the one step"
