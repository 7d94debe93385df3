"""Steps whose loss or gradients are no numbers leave no trace, and are told of."""

import warnings
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file

import everystep as es
from everystep import layers
from everystep.callbacks import Callback, Checkpoints, FiniteGuard
from everystep.callbacks.checkpoints import newest
from everystep.errors import DataError
from tests.tolerances import assert_close

WORDS = 2**18 // 3 + 1
"""A table of three features that is large enough for its rows to be moved alone."""


def stateful() -> Any:
    """Layers that keep something from step to step, and an optimizer that does."""
    model = es.Sequential(
        [
            layers.LSTM(4, return_sequences=True, stateful=True),
            layers.BatchNormalization(),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


def rooted() -> Any:
    """A loss that is finite where its gradient is not: the root of a distance of zero."""

    def root(target: Any, output: Any) -> Any:
        return jnp.sqrt(jnp.abs(target - output))

    model = es.Sequential([layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(es.optimizers.SGD(0.1, momentum=0.5), root)
    return model


def table() -> Any:
    """A table whose read rows alone are moved."""
    model = es.Sequential([layers.Embedding(WORDS, 3), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def batches(kind: Any) -> list[Any]:
    """Five batches, the second and the fourth of which are bad."""
    random = np.random.default_rng(4)
    given = []
    for number in range(5):
        x = random.normal(size=(2, 3, 2)).astype("float32")
        y = random.normal(size=(2, 3, 1)).astype("float32")
        bad = number % 2
        if kind is rooted:
            x = x[..., :1]
            y = np.zeros_like(x) if bad else x - 1
            x = x * 0 if bad else x
        elif kind is table:
            x = random.integers(WORDS, size=(2, 3))
            y = y * np.inf if bad else y
        elif bad:
            x[1, 2, 0] = (np.nan, np.inf)[number // 2]
        given.append((x, y))
    return given


class Numbered:
    """Batches by number."""

    def __init__(self, given: list[Any]) -> None:
        self.given = given

    def __len__(self) -> int:
        return len(self.given)

    def __getitem__(self, number: int) -> Any:
        return self.given[number]


def fitted(kind: Any, given: list[Any], *also: Callback, **settings: Any) -> tuple[Any, Any]:
    es.utils.set_random_seed(2)
    model = kind()
    for name, value in settings.items():
        setattr(model, name, value)
    # Weights come from the first batch's seed, which is the same, whatever comes behind it.
    with warnings.catch_warnings(action="ignore"):
        history = model.fit(Numbered(given), epochs=2, shuffle=False, callbacks=list(also))
    arrays = [*model.get_weights(), *(each.numpy() for each in model.optimizer.variables)]
    return arrays, history.history


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (stateful, {}),
        (rooted, {"run_eagerly": True}),
        (rooted, {"steps_per_execution": 2}),
        (table, {}),
    ],
)
def test_what_is_left_out_leaves_no_trace(kind: Any, settings: dict[str, Any]) -> None:
    given = batches(kind)
    guard = FiniteGuard("skip")
    arrays, history = fitted(kind, given, guard, **settings)
    wanted, wanted_history = fitted(kind, given[::2], FiniteGuard(), **settings)
    assert guard.skipped == 4
    assert history == wanted_history
    for found, expected in zip(arrays, wanted, strict=True):
        assert np.isfinite(found).all()
        assert (found == expected).all()


def test_training_without_a_guard_takes_in_what_is_no_number() -> None:
    arrays, _ = fitted(stateful, batches(stateful))
    assert not all(np.isfinite(array).all() for array in arrays)


def test_a_guard_changes_nothing_of_a_training_that_is_sound() -> None:
    given = batches(stateful)[::2]
    watched, alone = fitted(stateful, given, FiniteGuard())[0], fitted(stateful, given)[0]
    for found, expected in zip(watched, alone, strict=True):
        # XLA puts other operations together where the update is a branch.
        assert_close(found, expected)


def test_training_ends_at_the_weights_before_the_step(tmp_path: Path) -> None:
    given = batches(stateful)
    model = stateful()
    model.fit(Numbered(given[:1]), shuffle=False)
    before = model.get_weights()
    guard = FiniteGuard(folder=str(tmp_path / "looked" / "at"))
    path = tmp_path / "looked" / "at" / "step-2.safetensors"
    with pytest.raises(DataError) as caught:
        model.fit(Numbered(given[1:]), shuffle=False, callbacks=[guard])
    message = str(caught.value)
    assert message.startswith("step 2 (epoch 1, batch 1) changed nothing, and training ends: ")
    assert "its loss is nan, as are the gradients of " in message
    assert "In the batch inputs[1, 2, 0] is nan" in message
    assert str(path) in message
    for found, expected in zip(model.get_weights(), before, strict=True):
        assert (found == expected).all()
    kept = load_file(path)
    assert np.array_equal(kept["batch/inputs"], given[1][0], equal_nan=True)
    assert (kept["batch/targets/0"] == given[1][1]).all()
    weights = {name: each for name, each in kept.items() if name.startswith("weights/")}
    assert len(weights) == len(before) + len(("h", "c"))
    # It goes on from there, and nobody watches any more.
    model.fit(Numbered(given[2:3]))
    assert not model._programs.watched


def test_patience_has_an_end() -> None:
    given = batches(stateful)
    bad = [given[1]] * 3
    with pytest.raises(DataError, match=r"step 4 \(epoch 1, batch 4\) changed nothing"):
        fitted(stateful, [given[0], *bad], FiniteGuard("skip", patience=2))
    guard = FiniteGuard("skip", patience=3)
    fitted(stateful, [given[0], *bad, given[2]], guard)
    assert guard.skipped == 6


def test_each_step_that_is_left_out_is_told_of() -> None:
    model = rooted()
    with pytest.warns(UserWarning, match="is left out") as told:
        model.fit(Numbered(batches(rooted)), shuffle=False, callbacks=[FiniteGuard("skip")])
    assert [str(each.message).split(":")[0] for each in told] == [
        "step 2 (epoch 1, batch 2) is left out",
        "step 4 (epoch 1, batch 4) is left out",
    ]
    assert "its loss is 0, but not finite are the gradients of" in str(told[0].message)


def test_no_checkpoint_holds_what_is_no_number(tmp_path: Path) -> None:
    given = batches(stateful)
    with pytest.raises(DataError):
        fitted(stateful, given, FiniteGuard(), Checkpoints(str(tmp_path), save_freq=1))
    found = newest(tmp_path)
    assert found is not None
    assert found[0].stem == "0000000001"
    assert all(np.isfinite(array).all() for array in found[1].tensors.values())


def test_how_many_were_left_out_is_kept(tmp_path: Path) -> None:
    given, guard = batches(rooted), FiniteGuard("skip")
    fitted(rooted, given, FiniteGuard("skip"), Checkpoints(str(tmp_path)))
    fitted(rooted, given, guard, Checkpoints(str(tmp_path)))
    assert guard.skipped == 4


def test_gradients_that_are_scaled_may_overflow() -> None:
    model = es.Sequential([layers.Dense(1)])
    scaled = es.optimizers.LossScaleOptimizer(es.optimizers.SGD(0.01), initial_scale=2.0**127)
    model.compile(scaled, "mse")
    given = np.full((8, 1), 100.0, "float32"), np.zeros((8, 1), "float32")
    model.fit(*given, batch_size=2, callbacks=[FiniteGuard()])
    assert float(scaled.scale_loss(1.0)) < 2.0**127
