"""Several segments become one, or an error that says where they differ."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.errors import SegmentsError
from everystep.layers.combining import united

ONE, OTHER = np.array([[1, 1, 2, 0], [3, 0, 4, 4]]), np.array([[1, 0, 2, 2], [3, 3, 0, 4]])


def test_a_step_is_real_where_any_input_says_so() -> None:
    assert united("layer", [ONE, None, OTHER], True).tolist() == [[1, 1, 2, 2], [3, 3, 4, 4]]
    assert united("layer", [ONE != 0, ONE == 2], False).tolist() == [[1, 1, 1, 0], [1, 0, 1, 1]]
    assert united("layer", [ONE, np.array([[1], [0]])], False).tolist()[0] == [1, 1, 1, 1]


def test_what_has_no_mask_says_nothing_and_one_mask_stays_the_one_that_it_is() -> None:
    assert united("layer", [None, None], True) is None
    assert united("layer", [ONE, None, ONE], True) is ONE


def test_packed_rows_must_name_the_same_sequences() -> None:
    wrong = np.array([[1, 2, 2, 0], [3, 0, 4, 4]])
    with pytest.raises(SegmentsError, match=r"'add'.*at step 1 of row 0.*sequence 1 and another 2"):
        united("layer 'add'", [ONE, wrong], True)
    assert jax.jit(lambda one, other: united("layer", [one, other], True))(
        jnp.asarray(ONE), jnp.asarray(OTHER)
    ).tolist() == [[1, 1, 2, 2], [3, 3, 4, 4]]
