"""The table of things whose maps are known: what is found out about them is what is true."""

from tests.explanation.control_cases import CONTROL
from tests.explanation.function_cases import FUNCTIONS
from tests.explanation.layer_cases import LAYERS

CASES = [*LAYERS, *FUNCTIONS, *CONTROL]


def test_the_table_is_large_and_no_case_stands_in_it_twice() -> None:
    assert len({case.name for case in CASES}) == len(CASES) > 150
