"""Variables go wherever arrays go: Keras's constructor, operators, NumPy, JAX, runs and copies."""

import copy
import operator
import pickle
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import everystep as es
from everystep.core import Scope, Variable, set_random_seed
from everystep.errors import SettingError, ShapeError
from tests.tolerances import assert_close

keras = pytest.importorskip("keras", reason="Keras is the independent source of the behaviour")

VALUES = np.array([[1.5, -2.0, 3.0], [0.5, 4.0, -6.0]], "float32")
OTHER = np.array([[2.0, 1.0, -3.0], [0.25, 2.0, 5.0]], "float32")
LIBRARIES = [pytest.param(es.Variable, id="everystep"), pytest.param(keras.Variable, id="keras")]
ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]
COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]


@pytest.mark.parametrize("name", [*ARITHMETIC, *COMPARISONS])
def test_operators_are_those_of_arrays_on_either_side(name: str) -> None:
    function = getattr(operator, name)
    variable, left = Variable(np.abs(VALUES)), jnp.asarray(np.abs(VALUES))
    for other in (OTHER, jnp.asarray(OTHER), 2, 0.5, np.float32(2), Variable(OTHER)):
        plain = jnp.asarray(other)
        assert_close(function(variable, other), function(left, plain))
        assert_close(function(other, variable), function(plain, left))
    assert_close(Variable(VALUES) @ OTHER.T, VALUES @ OTHER.T)
    assert_close(OTHER.T @ Variable(VALUES), OTHER.T @ VALUES)


def test_a_number_beside_a_variable_does_not_change_its_dtype() -> None:
    narrow = Variable(VALUES, dtype="bfloat16")
    for result in (2 * narrow, narrow * 2.0, 1.0 / narrow, narrow**2, -narrow, abs(narrow)):
        assert result.dtype == jnp.bfloat16


@pytest.mark.parametrize("make", LIBRARIES)
def test_single_operators_and_numbers_are_those_of_keras(make: Any) -> None:
    variable, yes, one = make(VALUES), make(np.array([True, False])), make(3)
    assert_close(+variable, VALUES)
    assert_close(round(variable), np.round(VALUES))
    assert_close(variable[1, 1:], VALUES[1, 1:])
    assert np.asarray(~yes).tolist() == [False, True]
    assert np.asarray(yes & True).tolist() == [True, False]
    assert np.asarray(False | yes).tolist() == [True, False]
    assert np.asarray(yes ^ yes).tolist() == [False, False]
    assert (int(one), float(one)) == (3, 3.0)
    assert variable.dtype == "float32"
    assert (variable.shape, variable.ndim, variable.trainable) == ((2, 3), 2, True)


def test_it_is_a_sequence_of_rows_and_an_index() -> None:
    assert [np.asarray(row).tolist() for row in Variable(VALUES)] == VALUES.tolist()
    assert len(Variable(VALUES)) == 2
    assert "abc"[Variable(1)] == "b"
    assert bool(Variable(0.0)) is False
    assert len({Variable(1.0), Variable(1.0)}) == 2


FUNCTIONS: list[Callable[[Any], Any]] = [
    jnp.exp,
    jnp.zeros_like,
    jnp.transpose,
    lambda v: jnp.where(v > 0, v, 0),
    lambda v: jnp.concatenate([v, v]),
    lambda v: jnp.einsum("ij,kj->ik", v, v),
    lambda v: jnp.take(v, jnp.array([1, 0]), axis=0),
    lambda v: jnp.linalg.norm(v),
    jax.nn.softmax,
    lambda v: jax.lax.cond(True, lambda w: w * 2, lambda w: w * 3, v),
    lambda v: jax.lax.scan(lambda total, row: (total + row, None), jnp.zeros(3), v)[0],
    lambda v: jnp.zeros((2, 3)).at[0].set(v[0]),
    lambda v: jax.vmap(lambda row: row * 2)(v),
    lambda v: jax.jit(lambda w: w * 2)(v),
    np.exp,
    np.sum,
    np.asarray,
    lambda v: np.concatenate([v, v]),
    lambda v: np.add.reduce(v, axis=1),
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_jax_and_numpy_take_it_for_an_array(function: Callable[[Any], Any]) -> None:
    assert_close(function(Variable(VALUES)), function(jnp.asarray(VALUES)))


def test_in_a_run_its_value_is_that_of_the_run() -> None:
    variable = Variable(VALUES)

    @jax.jit
    def run(value: Any) -> Any:
        with Scope(values={id(variable): value}).active():
            variable.assign_add(OTHER)
            return np.ones((2, 2), "float32") @ variable, variable[0], np.exp(variable)

    total = 2 * VALUES + OTHER
    for found, wanted in zip(
        run(2 * VALUES), (np.ones((2, 2)) @ total, total[0], np.exp(total)), strict=True
    ):
        assert_close(found, np.asarray(wanted, "float32"))
    assert_close(variable, VALUES)


def test_assigning_gives_the_new_value_and_keeps_what_others_hold() -> None:
    for make in (es.Variable, keras.Variable):
        variable = make(VALUES)
        assert_close(variable.assign_add(OTHER), VALUES + OTHER)
        assert_close(variable.assign_sub(2 * OTHER), VALUES - OTHER)
        variable.assign(OTHER)
        assert_close(variable.numpy(), OTHER)
        with pytest.raises(ValueError, match="The shape of the target variable and the shape of"):
            variable.assign(OTHER.T)
    given = jnp.asarray(VALUES)
    for holder in (Variable(given), Variable(OTHER)):
        holder.assign(given)
        # A training step overwrites the memory that `own` gives; `given` must outlive it.
        assert holder.own() is not given
    with pytest.raises(ShapeError, match=r"weight 'kernel' has shape \(2, 3\)"):
        Variable(VALUES, name="kernel").assign(OTHER.T)


@pytest.mark.parametrize("make", LIBRARIES)
def test_the_constructor_is_that_of_keras(make: Any) -> None:
    ones = make("ones", (2, 3), "float16", False, name="scale")
    assert (ones.name, ones.path, ones.trainable) == ("scale", "scale", False)
    assert_close(ones, np.ones((2, 3), "float16"))
    drawn = make(lambda shape, dtype=None: jnp.full(shape, 2, dtype), shape=(4,))
    assert_close(drawn, np.full(4, 2, "float32"))
    assert make(np.arange(3, dtype="int32")).dtype == "int32"
    with pytest.raises(ValueError, match="name"):
        make(1.0, name="a/b")
    with pytest.raises(ValueError, match="shape"):
        make("zeros")


def test_names_and_drawn_values_follow_the_seed() -> None:
    values = []
    for _ in range(2):
        set_random_seed(3)
        first, second = Variable("glorot_uniform", shape=(2, 3)), Variable("normal", shape=(2,))
        values.append([*first.numpy().ravel(), *second.numpy()])
        assert (first.name, second.name) == ("variable", "variable_1")
    assert_close(values[0], values[1])
    with pytest.raises(SettingError, match="did you mean 'zeros'"):
        Variable("zeross", shape=(2,))


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))]
)
def test_copies_have_the_value_and_the_name(copied: Any) -> None:
    variable = Variable(VALUES, name="kernel", path="a/kernel", trainable=False)
    other = copied(variable)
    assert (other.name, other.path, other.trainable) == ("kernel", "a/kernel", False)
    other.assign(OTHER)
    assert_close(variable, VALUES)
    assert_close(other, OTHER)
