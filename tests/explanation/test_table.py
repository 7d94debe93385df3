"""The table of things whose maps are known: what is found out about them is what is true."""

import numpy as np
import pytest

from everystep.explanation.program import Program
from everystep.explanation.reading.facts import Facts
from everystep.explanation.reading.interpreter import Reading, reads_of
from tests.explanation.case import Case, Grid
from tests.explanation.control_cases import CONTROL
from tests.explanation.function_cases import FUNCTIONS
from tests.explanation.layer_cases import LAYERS

CASES = [*LAYERS, *FUNCTIONS, *CONTROL]


def read(program: Program) -> tuple[Reading, list[list[Grid]]]:
    """Reading a program with a bit for each input step, and the map of each output and input."""
    known = [Facts.unread(weight.value.shape, weight.value.dtype) for weight in program.weights]
    first, spans = 0, []
    for port in program.inputs:
        known.append(Facts.with_bits(port.shape, port.dtype, port.axis, first))
        spans.append(slice(first, first + port.steps))
        first += port.steps
    reading = reads_of(program.jaxpr, known)
    flags = [
        facts.reads_along(port.axis, first)
        for facts, port in zip(reading.outputs, program.outputs, strict=True)
    ]
    return reading, [[each[:, span] for span in spans] for each in flags]


def test_the_table_is_large_and_no_case_stands_in_it_twice() -> None:
    assert len({case.name for case in CASES}) == len(CASES) > 150


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_upper_bound_is_the_true_map_or_the_looser_one_that_the_table_owns_up_to(
    case: Case,
) -> None:
    reading, maps = read(case.program())
    assert not reading.unknown
    for found, wanted in zip(maps, case.upper, strict=True):
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.looser], ids=lambda case: case.name
)
def test_a_looser_map_leaves_out_nothing(case: Case) -> None:
    assert case.looser
    [[truth]] = case.expected
    assert (case.looser.maps >= truth).all()
    assert (case.looser.maps > truth).any()
