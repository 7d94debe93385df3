"""The table of things whose maps are known: what is found out about them is what is true."""

import numpy as np
import pytest

from everystep.explanation.maps import upper_bound
from everystep.explanation.witnesses import find_witnesses
from tests.explanation.case import Case, Grid
from tests.explanation.control_cases import CONTROL
from tests.explanation.function_cases import FUNCTIONS
from tests.explanation.layer_cases import LAYERS

CASES = [*LAYERS, *FUNCTIONS, *CONTROL]


def flat(maps: list[list[Grid]]) -> list[Grid]:
    """The maps of all pairs of an output and an input, outputs outermost."""
    return [each for row in maps for each in row]


def assert_same(found: list[Grid], wanted: list[Grid]) -> None:
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


def test_the_table_is_large_and_no_case_stands_in_it_twice() -> None:
    assert len({case.name for case in CASES}) == len(CASES) > 150


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_bounds_are_the_truth_but_for_what_the_table_owns_up_to(case: Case) -> None:
    program = case.program()
    upper = upper_bound(program)
    assert not upper.unknown
    assert_same(flat(upper.maps), flat(case.upper))
    assert_same(find_witnesses(program, flat(upper.maps)), flat(case.expected))


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.looser], ids=lambda case: case.name
)
def test_a_looser_map_leaves_out_nothing(case: Case) -> None:
    [looser], [truth] = flat(case.upper), flat(case.expected)
    assert (looser >= truth).all()
    assert (looser > truth).any()
