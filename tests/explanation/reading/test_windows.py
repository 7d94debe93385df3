"""Windows that slide along an axis: what each holds, by counting places one by one."""

from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from everystep.explanation.reading.windows import Window, unions


def held(count: int, window: Window) -> Any:
    """Which elements stand in each place of the window: bool (places of the window, elements)."""
    before, after = window.padding
    length = (count - 1) * window.spread + 1 + before + after
    rows = []
    for start in range(0, length - window.reach, window.stride):
        looked_at = [start + place * window.dilation - before for place in range(window.size)]
        rows.append([element * window.spread in looked_at for element in range(count)])
    return np.array(rows, bool).reshape(-1, count)


WINDOWS = st.builds(
    Window,
    st.integers(1, 6),
    st.integers(1, 3),
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
    st.integers(1, 3),
    st.integers(1, 3),
)


@given(st.integers(1, 7), WINDOWS)
def test_a_window_holds_what_stands_at_its_places(count: int, window: Window) -> None:
    found = unions(np.eye(count, dtype=bool), 0, count, window)
    np.testing.assert_array_equal(found, held(count, window))


@given(st.integers(1, 7), WINDOWS)
def test_elements_that_are_alike_are_as_many_as_they_stand_for(count: int, window: Window) -> None:
    found = unions(np.ones((1, 2), bool), 0, count, window)
    wanted = held(count, window).any(1)
    np.testing.assert_array_equal(np.broadcast_to(found[:, 0], wanted.shape), wanted)


@given(st.integers(1, 7), WINDOWS)
def test_backwards_it_holds_the_places_that_hold_an_element(count: int, window: Window) -> None:
    forwards = held(count, window)
    results = len(forwards)
    if results:
        found = unions(np.eye(results, dtype=bool), 0, results, window.backwards(count))
        np.testing.assert_array_equal(found, forwards.T)


def test_an_axis_of_which_all_is_alike_stays_so_without_edges() -> None:
    alike = np.ones((1, 2), bool)
    assert unions(alike, 0, 9, Window(3, stride=2)) is alike
