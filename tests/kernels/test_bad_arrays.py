"""What is no array of numbers is refused by its name, before any twin of the loop sees it."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from everystep.errors import DataError
from everystep.kernels import LSTMGates, recurrent, run_steps

BATCH, STEPS, FEATURES, UNITS = 2, 3, 4, 5
ARRAYS: dict[str, Any] = {
    "inputs": np.ones((BATCH, STEPS, FEATURES), "float32"),
    "kernel": np.ones((FEATURES, 4 * UNITS), "float32"),
    "recurrent_kernel": np.ones((UNITS, 4 * UNITS), "float32"),
    "bias": np.ones(4 * UNITS, "float32"),
    "segments": np.ones((BATCH, STEPS), "int32"),
    "recurrent_dropout": np.ones((BATCH, UNITS), "float32"),
}
WRONG: dict[str, Any] = {
    "strings": lambda array: array.astype(str),
    "objects": lambda array: array.astype(object),
    "complex": lambda array: array.astype("complex64"),
    "dates": lambda array: np.zeros(array.shape, "M8[s]"),
    "a masked array": lambda array: np.ma.masked_array(array, np.zeros(array.shape, bool)),
    "over 32 bits": lambda array: array.astype("int64") * 2**32,
    "rows of different lengths": lambda array: [[1, 2], [1]],
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", [*ARRAYS, "initial"])
def test_what_is_no_array_of_numbers_is_named(name: str, kind: str) -> None:
    state = np.zeros((BATCH, UNITS), "float32")
    given = dict(ARRAYS, initial=(state, state))
    wrong = WRONG[kind](state + 1 if name == "initial" else ARRAYS[name])
    given[name] = (state, wrong) if name == "initial" else wrong
    with pytest.raises(DataError, match=f"^{name} must"):
        recurrent(LSTMGates(), **given)


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", ["inputs", "segments"])
def test_what_is_no_array_of_numbers_runs_no_step(name: str, kind: str) -> None:
    given: dict[str, Any] = {"inputs": ARRAYS["inputs"], name: WRONG[kind](ARRAYS[name])}
    with pytest.raises(DataError, match=f"^{name} must"):
        run_steps(lambda inputs, state: (inputs, state), initial=jnp.zeros(BATCH), **given)


def test_another_byte_order_gives_the_same() -> None:
    state = (np.zeros((BATCH, UNITS), "float32"),) * 2
    swapped = {name: array.astype(array.dtype.newbyteorder(">")) for name, array in ARRAYS.items()}
    wanted, _ = recurrent(LSTMGates(), initial=state, **ARRAYS)
    found, _ = recurrent(LSTMGates(), initial=state, **swapped)
    np.testing.assert_array_equal(found, wanted)
