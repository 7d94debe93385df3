"""A warning that says which sizes multiply, once, and keeps no more shapes than that takes."""

import warnings
from typing import Any

import numpy as np
import pytest

from everystep.core.shape_count import Cures, ShapeCount

CURES = Cures(rows="give them at once", steps="pad them", allow="say so")


def noted(count: ShapeCount, shapes: Any) -> list[str]:
    """The warnings that come of inputs of these shapes, each a list of arrays."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for each in shapes:
            count.note("fit", [np.zeros(shape) for shape in each])
    assert {warning.filename for warning in caught} <= {__file__}
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        (
            [[(n, 7)] for n in (5, 1, 9, 2)],
            "4 different numbers of rows, from 1 to 9. To avoid it, "
            "give them at once; if so many are meant, say so",
        ),
        (
            [[(n % 2, n, 4)] for n in range(3, 7)],
            "4 different numbers of steps, from 3 to 6. To avoid it, pad them",
        ),
        ([[(2, 7, 1, n)] for n in range(3, 7)], "4 different sizes of axis 3, from 3 to 6"),
        ([[(2, 3), (n, 1)] for n in range(4)], "4 different numbers of rows, from 0 to 3"),
        ([[()], [(1,)], [(2,)], [(3, 1)]], "3 different numbers of rows, from 1 to 3"),
    ],
)
def test_it_says_which_sizes_there_are_and_what_to_do(shapes: Any, words: str) -> None:
    (message,) = noted(ShapeCount(2, CURES), [*shapes, *shapes, [(77, 78)]])
    assert "fit has met batches of 4 shapes" in message
    assert words in message


def test_it_keeps_no_more_shapes_than_it_takes_to_warn() -> None:
    count = ShapeCount(3, CURES)
    assert not noted(count, [[(n, 2)] for n in (1, 2, 3, 4, 1, 2)])
    assert len(noted(count, [[(n, 2)] for n in range(500)])) == 1
    assert sum(map(len, count._seen.values())) == 5
