"""Windows cover a signal, and join to what loops over steps and windows say."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from everystep.corpora.signals import JOINS, Windows
from everystep.errors import DataError, SettingError
from tests.strategies import overlaps

windows = overlaps().map(lambda sizes: Windows(*sizes))


@given(windows, st.integers(0, 40))
def test_windows_cover_every_step_and_share_what_was_asked(given: Windows, steps: int) -> None:
    starts = given.starts(steps)
    size = min(given.length, steps)
    covered = {step for start in starts for step in range(start, start + size)}
    assert covered == set(range(steps))
    assert len(set(starts)) == len(starts)
    for first, second in pairwise(starts[:-1]):
        assert first + size - second == given.overlap
    assert [len(piece) for piece in given.cut(np.arange(steps))] == [size] * len(starts)


@pytest.mark.parametrize("how", JOINS)
@given(windows, st.integers(1, 40))
def test_pieces_of_a_signal_join_to_the_signal(how: str, given: Windows, steps: int) -> None:
    signal = np.arange(steps * 2 * 3, dtype=np.int16).reshape(steps, 2, 3)
    joined = given.join(given.cut(signal), steps, how)
    np.testing.assert_allclose(joined, signal, rtol=1e-12)
    assert joined.dtype == (np.int16 if how == "middle" else np.float64)


def by_loops(given: Windows, pieces: list[NDArray[Any]], steps: int, how: str) -> list[float]:
    """Ask for every step which windows hold it, and what each says of it."""
    size, starts, found = min(given.length, steps), given.starts(steps), []
    for step in range(steps):
        said = []
        for number, start in enumerate(starts):
            place = step - start
            if 0 <= place < size:
                weight = min(place + 1, size - place) if how == "fade" else 1
                said.append((weight, float(pieces[number][place])))
        found.append(sum(w * y for w, y in said) / sum(w for w, _ in said))
    return found


@pytest.mark.parametrize("how", ["fade", "mean"])
@given(windows, st.integers(1, 30), st.integers(0, 99))
def test_windows_that_disagree_are_weighed(how: str, given: Windows, steps: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    pieces = [random.normal(size=len(piece)) for piece in given.cut(np.zeros(steps))]
    joined = given.join(pieces, steps, how)
    np.testing.assert_allclose(joined, by_loops(given, pieces, steps, how), rtol=1e-9)


def test_exact_answers() -> None:
    given = Windows(length=6, overlap=4)
    pieces = [np.zeros(6), np.full(6, 7.0), np.full(6, 14.0)]
    assert given.starts(10) == [0, 2, 4]
    assert given.join(pieces, 10, "mean").tolist() == [0, 0, 3.5, 3.5, 7, 7, 10.5, 10.5, 14, 14]
    assert given.join(pieces, 10, "middle").tolist() == [0] * 4 + [7] * 2 + [14] * 4
    # At step 3 the first window weighs 3 and the second 2, at step 4: 2, 3 and 1.
    assert given.join(pieces, 10)[2:5].tolist() == [7 / 4, 14 / 5, (3 * 7 + 14) / 6]


@given(windows, st.integers(1, 40))
def test_the_middle_is_the_window_whose_ends_are_far(given: Windows, steps: int) -> None:
    """No other window holds the step further from its nearer end, but for half a step."""
    size, starts = min(given.length, steps), given.starts(steps)
    pieces = [np.full(size, number) for number in range(len(starts))]
    taken = given.join(pieces, steps, "middle")
    for step, number in enumerate(taken.tolist()):
        centres = [abs(step - start - (size - 1) / 2) for start in starts]
        assert centres[number] <= min(centres) + 1


def test_wrong_settings_and_pieces_are_refused() -> None:
    for length, overlap in ((0, 0), (3, 3), (3, -1)):
        with pytest.raises(SettingError, match="expected"):
            Windows(length, overlap)
    given = Windows(4, 2)
    with pytest.raises(SettingError, match="one of fade, mean, middle, got 'sum'"):
        given.join([np.zeros(4)], 4, "sum")
    for pieces in ([np.zeros(4)], [np.zeros(4), np.zeros(3)], [np.zeros(4)] * 3):
        with pytest.raises(DataError, match="expected 2 windows of 4 steps for a signal of 6"):
            given.join(pieces, 6)
