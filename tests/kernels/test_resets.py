import jax.numpy as jnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from everystep.kernels.resets import resets
from tests.kernels.truth import Array
from tests.strategies import segment_rows


@given(segment_rows(), st.booleans())
def test_resets_stand_where_the_last_real_id_was_another(segments: Array, reverse: bool) -> None:
    wanted = np.zeros(segments.shape, bool)
    for row, ids in enumerate(segments):
        before = 0
        for step in range(len(ids))[:: -1 if reverse else 1]:
            wanted[row, step] = before != 0 and ids[step] != 0 and ids[step] != before
            before = ids[step] or before
    np.testing.assert_array_equal(resets(jnp.asarray(segments), reverse=reverse), wanted)
