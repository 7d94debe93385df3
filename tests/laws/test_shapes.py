"""Shapes without data are the shapes of data, for any batch size and number of steps."""

import pytest

from everystep.core import set_random_seed
from tests.catalogue import BATCH, STEPS, Entry
from tests.laws.selection import about
from tests.trees import assert_finite, outputs_of, shapes_of


def as_list(shape: object) -> list[object]:
    """The shapes of one output or of several."""
    assert isinstance(shape, tuple)
    several = bool(shape) and isinstance(shape[0], tuple)
    return list(shape) if several else [shape]


@about(lambda entry: not entry.states)
def test_the_shape_without_data_is_that_of_data(entry: Entry) -> None:
    layer = entry.built()
    found = as_list(layer.compute_output_shape(entry.shape))
    assert found == shapes_of(layer(entry.inputs()))


@about(lambda entry: not entry.states and "stateful" not in entry.name)
def test_an_unknown_size_stands_where_a_size_follows_the_input(entry: Entry) -> None:
    layer = entry.built()
    free = entry.any_length and len(entry.shape) > 2 - entry.ids
    unknown = (None, None, *entry.shape[2:]) if free else (None, *entry.shape[1:])
    found = as_list(layer.compute_output_shape(unknown))
    larger = entry.sized(BATCH + 1, STEPS + 2) if free else (BATCH + 1, *entry.shape[1:])
    pairs = zip(
        shapes_of(layer(entry.inputs())), shapes_of(layer(entry.inputs(larger))), strict=True
    )
    expected = [
        tuple(one if one == other else None for one, other in zip(*pair, strict=True))
        for pair in pairs
    ]
    assert found == expected


@pytest.mark.parametrize(("batch", "steps"), [(0, STEPS), (BATCH, 0), (1, 1)])
@about(lambda entry: entry.any_length and len(entry.shape) > 2 - entry.ids)
def test_no_rows_and_no_steps_give_defined_outputs(entry: Entry, batch: int, steps: int) -> None:
    set_random_seed(7)
    layer, steps = entry.make(), max(steps, entry.least)
    outputs = layer(entry.inputs(entry.sized(batch, steps)))
    assert as_list(layer.compute_output_shape(entry.sized(batch, steps))) == shapes_of(outputs)
    assert {output.shape[0] for output in outputs_of(outputs)} == {batch}
    assert_finite(outputs)
