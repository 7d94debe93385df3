"""Where runs of tokens are cut."""

from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given

from everystep.corpora.cutting import cut
from tests.strategies import lengths


@st.composite
def lines_and_breaks(draw: st.DrawFn) -> tuple[int, list[int], list[int], int]:
    sizes = [size for size in draw(lengths(longest=20)).tolist() if size]
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    breaks = [start for start in starts if draw(st.booleans())]
    return sum(sizes), starts, breaks, draw(st.integers(1, 12))


@given(lines_and_breaks())
def test_nothing_is_lost_nothing_is_too_long_and_every_break_is_kept(
    case: tuple[int, list[int], list[int], int],
) -> None:
    total, starts, breaks, longest = case
    chosen = cut(total, starts, breaks, longest)
    sizes = [end - start for start, end in pairwise([*chosen, total])]
    assert sum(sizes) == total
    assert all(1 <= size <= longest for size in sizes)
    assert set(breaks) <= set(chosen)


@given(lines_and_breaks())
def test_only_lines_that_are_too_long_are_torn(
    case: tuple[int, list[int], list[int], int],
) -> None:
    total, starts, breaks, longest = case
    for place in set(cut(total, starts, breaks, longest)) - set(starts):
        line = max(start for start in starts if start < place)
        end = min([start for start in starts if start > place], default=total)
        assert end - line > longest


@pytest.mark.parametrize(
    ("total", "starts", "longest", "expected"),
    [
        (0, [], 5, []),
        (1, [0], 1, [0]),
        (10, [0, 2, 4, 6, 8], 8, [0, 6]),  # two pieces of about five, not eight and two
        (10, [0, 2, 4, 6, 8], 10, [0]),
        # A line cut hard, whose tail goes with the next line.
        (9, [0, 1, 8], 3, [0, 1, 4, 7]),
    ],
)
def test_pieces_are_of_about_one_length(
    total: int, starts: list[int], longest: int, expected: list[int]
) -> None:
    assert cut(total, starts, [], longest) == expected
