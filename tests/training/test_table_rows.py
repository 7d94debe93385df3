"""Tables that are trained by the rows that were read: the bits of a gradient as large as they."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import everystep as es
from everystep import optimizers
from everystep.core import Variable
from everystep.core.tables import RowGradient
from everystep.layers import Dense, Embedding
from everystep.training import programs

WORDS, FEATURES, LABELS = 60, 5, 3
RESTING: dict[str, Any] = {
    "SGD": lambda: optimizers.SGD(0.5),
    "Adagrad": lambda: optimizers.Adagrad(0.5),
}


@pytest.fixture(autouse=True)
def small_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tables be large from one element on, so that the tests can be small."""
    monkeypatch.setattr(programs, "LARGE_TABLE", 1)
    monkeypatch.setattr(programs, "ROWS_A_READ", 1)


class Spied:
    """Notes which weights of an optimizer got the gradient of some rows."""

    def __init__(self, optimizer: Any, monkeypatch: pytest.MonkeyPatch, dense: bool) -> None:
        self.by_rows: list[bool] = []
        apply = optimizer.stateless_apply

        def noted(state: Any, gradients: Any, weights: Any) -> Any:
            self.by_rows = [isinstance(each, RowGradient) for each in gradients]
            return apply(state, gradients, weights)

        monkeypatch.setattr(optimizer, "stateless_apply", noted)
        if dense:
            monkeypatch.setattr(optimizer, "moves_rows", lambda weight: False)


class Twice(es.Model):
    """Reads its table for two inputs, words and their neighbours."""

    def __init__(self) -> None:
        super().__init__(name="twice")
        self.table = Embedding(WORDS, FEATURES)
        self.label = Dense(LABELS)

    def call(self, inputs: Any) -> Any:
        words, others = inputs
        return self.label(self.table(words) * self.table(others))


class Tied(es.Model):
    """Scores words by the table that it read them from."""

    def __init__(self) -> None:
        super().__init__(name="tied")
        self.table = Embedding(WORDS, FEATURES)

    def call(self, inputs: Any) -> Any:
        return self.table(inputs) @ self.table.embeddings.value.T


class Looped(es.Model):
    """Reads its table inside of a loop of JAX, step by step."""

    def __init__(self) -> None:
        super().__init__(name="looped")
        self.table = Embedding(WORDS, LABELS)

    def call(self, inputs: Any) -> Any:
        steps = jax.lax.map(self.table, jnp.swapaxes(inputs, 0, 1))
        return jnp.swapaxes(steps, 0, 1)


def plain() -> Any:
    return es.Sequential([Embedding(WORDS, FEATURES, name="table"), Dense(LABELS, name="label")])


def data(labels: int = LABELS) -> tuple[Any, Any]:
    """Words of which most come often, and some never."""
    random = np.random.default_rng(0)
    words = np.minimum(random.geometric(0.15, (9, 4)), WORDS - 1)
    return words, random.integers(0, labels, words.shape)


def trained(make: Any, optimizer: Any, monkeypatch: Any, dense: bool, **fit: Any) -> Any:
    """Train a new model, and return all its numbers and which weights were moved by rows."""
    es.utils.set_random_seed(3)
    model, spied = make(), Spied(optimizer, monkeypatch, dense)
    model.compile(optimizer, es.losses.SparseCategoricalCrossentropy(from_logits=True))
    given = {"x": data()[0], "y": data()[1], "batch_size": 3, **fit}
    model.fit(**given, epochs=2)
    numbers = [*model.get_weights(), *(np.array(each) for each in optimizer.variables)]
    return numbers, spied.by_rows


@pytest.mark.parametrize("name", RESTING)
@pytest.mark.parametrize("make", [plain, Twice])
def test_the_numbers_are_those_of_a_gradient_of_the_whole_table(
    name: str, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, labels = data()
    inputs = words if make is plain else (words, words[:, ::-1].copy())
    results = []
    for dense in (False, True):
        found = trained(make, RESTING[name](), monkeypatch, dense, x=inputs, y=labels)
        assert any(found[1]) is not dense
        results.append(found[0])
    for own, other in zip(*results, strict=True):
        # The last bits of several updates, and the order in which the two inputs are added.
        np.testing.assert_allclose(own, other, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", RESTING)
def test_one_update_gives_the_same_bits_as_a_gradient_of_the_whole_table(name: str) -> None:
    random = np.random.default_rng(4)
    table = Variable(random.normal(size=(WORDS, FEATURES)).astype("float32"))
    ids = jnp.asarray(np.minimum(random.geometric(0.1, 31), WORDS + 1).astype("int32"))
    rows = jnp.asarray(random.normal(size=(31, FEATURES)).astype("float32"))
    optimizer = RESTING[name]()
    optimizer.build([table])
    state = [each.value for each in optimizer.variables]
    whole = jnp.zeros((WORDS, FEATURES)).at[ids].add(rows, mode="drop")
    given: list[Any] = [whole, RowGradient(ids, rows)]
    apply: Any = jax.jit(optimizer.stateless_apply)
    found = [jax.tree.leaves(apply(state, [one], [table.value])) for one in given]
    for own, other in zip(*found, strict=True):
        # A difference of two numbers has one more than they.
        np.testing.assert_array_max_ulp(np.asarray(own), np.asarray(other), 2)


def test_packed_rows_and_several_steps_in_one_program(monkeypatch: pytest.MonkeyPatch) -> None:
    words, labels = data()
    lists = {"x": [row[:n] for n, row in enumerate(words, 1)]}
    lists["y"] = [row[: len(one)] for row, one in zip(labels, lists["x"], strict=True)]
    compiled: Any = es.Model.compile
    monkeypatch.setattr(
        es.Model, "compile", lambda *args: compiled(*args, steps_per_execution=2), raising=True
    )
    results = []
    for dense in (False, True):
        numbers, by_rows = trained(plain, optimizers.SGD(0.5), monkeypatch, dense, **lists)
        assert by_rows == [not dense, False, False]
        results.append(numbers)
    for own, other in zip(*results, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("make", [Tied, Looped])
def test_a_table_that_is_read_otherwise_gets_a_whole_gradient(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not any(trained(make, optimizers.SGD(0.5), monkeypatch, False)[1])


def test_few_rows_or_uncompiled_steps_get_a_whole_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "ROWS_A_READ", 6)
    assert not any(trained(plain, optimizers.SGD(0.5), monkeypatch, False)[1])
    monkeypatch.setattr(programs, "ROWS_A_READ", 5)
    assert any(trained(plain, optimizers.SGD(0.5), monkeypatch, False)[1])
    monkeypatch.setattr(programs, "LARGE_TABLE", WORDS * FEATURES + 1)
    assert not any(trained(plain, optimizers.SGD(0.5), monkeypatch, False)[1])


def test_half_precision_adds_the_gradients_of_rows_in_single(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def half() -> Any:
        table = Embedding(WORDS, FEATURES, dtype="mixed_bfloat16")
        return es.Sequential([table, Dense(LABELS)])

    own, other = (
        trained(half, optimizers.SGD(0.5), monkeypatch, dense)[0][0] for dense in (False, True)
    )
    np.testing.assert_allclose(own, other, atol=1e-2)


SETTINGS: list[dict[str, Any]] = [
    {"momentum": 0.5},
    {"weight_decay": 0.1},
    {"clipnorm": 1.0},
    {"clipvalue": 1.0},
    {"global_clipnorm": 1.0},
    {"use_ema": True},
    {"gradient_accumulation_steps": 2},
    {"loss_scale_factor": 8.0},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda one: next(iter(one)))
def test_what_touches_the_whole_weight_needs_a_whole_gradient(settings: dict[str, Any]) -> None:
    weight = Variable(np.ones((4, 2)))
    assert optimizers.SGD().moves_rows(weight)
    assert not optimizers.SGD(**settings).moves_rows(weight)
    for scaled in (optimizers.LossScaleOptimizer(optimizers.SGD()), optimizers.Adam()):
        assert not scaled.moves_rows(weight)


@pytest.mark.parametrize("around", ["regularizer", "constraint"])
def test_so_does_what_is_asked_of_the_weight(around: str) -> None:
    asked: dict[str, Any] = {around: jnp.sum}
    weight = Variable(np.ones((4, 2)), **asked)
    assert not optimizers.SGD().moves_rows(weight)


def test_a_rule_of_ones_own_is_not_taken_for_that_of_its_base() -> None:
    class Shrinking(optimizers.SGD):
        def rule(self, weight: Any, gradient: Any, kept: Any, now: Any) -> Any:
            return weight * 0.5, {}

    class Renamed(optimizers.SGD):
        pass

    assert not Shrinking().rests()
    assert Renamed().rests()


@pytest.mark.parametrize("name", sorted(optimizers.CATALOGUE.classes))
def test_a_rule_that_says_so_leaves_what_has_no_gradient_as_it_is(name: str) -> None:
    if name == "LossScaleOptimizer":
        pytest.skip("it has no rule of its own")
    optimizer = getattr(optimizers, name)()
    random = np.random.default_rng(2)
    weight = Variable(random.normal(size=(7, 3)).astype("float32"))
    optimizer.build([weight])
    gradient = np.zeros((7, 3), "float32")
    gradient[[1, 4]] = random.normal(size=(2, 3))
    before = [each.numpy() for each in (weight, *optimizer.variables)]
    for _ in range(2):
        optimizer.apply([jnp.asarray(gradient)], [weight])
    after = [each.numpy() for each in (weight, *optimizer.variables)]
    tables = [pair for pair in zip(before, after, strict=True) if pair[0].shape == weight.shape]
    assert optimizer.rests() == (name in RESTING)
    if optimizer.rests():
        for old, new in tables:
            np.testing.assert_array_equal(np.delete(new, [1, 4], 0), np.delete(old, [1, 4], 0))


def test_each_row_comes_once_and_sums_are_in_the_order_of_reads() -> None:
    random = np.random.default_rng(1)
    ids = np.array([4, 9, 2, 4, 11, 4, 2], "int32")  # The table has nine rows: 9 and 11 are none.
    rows = random.normal(size=(len(ids), 3)).astype("float32")
    found = RowGradient(jnp.asarray(ids), jnp.asarray(rows)).once_each(9)
    whole: dict[int, Any] = {}
    for one, row in zip(ids, rows, strict=True):
        whole[int(one)] = whole.get(int(one), np.zeros(3, "float32")) + row
    within = {
        int(i): row for i, row in zip(found.ids, np.asarray(found.rows), strict=True) if i < 9
    }
    assert within.keys() == {2, 4}
    for one, row in within.items():
        np.testing.assert_array_equal(row, whole[one])
    assert len(set(found.ids.tolist())) == len(ids)
