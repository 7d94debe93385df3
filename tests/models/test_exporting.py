"""Models as programs of JAX: they run without everystep, for any batch and any number of steps."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.errors import SegmentsError, SettingError, ShapeError, StateError
from tests.catalogue import ENTRIES, Entry
from tests.models.entries import model_of

layers = es.layers


def values(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def tagger() -> Any:
    read = layers.Bidirectional(layers.LSTM(4, return_sequences=True))
    row = [layers.Embedding(11, 3, mask_zero=True), read, layers.Dropout(0.5), layers.Dense(2)]
    return es.Sequential([es.Input((None,), dtype="int32"), *row])


def reader() -> Any:
    each = layers.TimeDistributed(es.Sequential([layers.Dense(4), layers.Dense(2)]))
    return es.Sequential([es.Input((None, 3)), layers.LSTM(4, return_sequences=True), each])


def pair() -> Any:
    """Two sequences of lengths of their own, read together at the end."""
    one, other = es.Input((None, 3)), es.Input((None, 2))
    ends = [layers.LSTM(4)(one), layers.LSTM(4)(other)]
    return es.Model([one, other], [ends[0] + ends[1], layers.Dense(2)(one)])


ALONE = """
import sys
import numpy as np, jax, jax.export
with open(sys.argv[1], "rb") as file:
    program = jax.export.deserialize(bytearray(file.read()))
given = np.load(sys.argv[2])
calls = sorted({name.split("/")[0] for name in given.files})
for call in calls:
    names = [name for name in sorted(given.files) if name.startswith(f"{call}/x")]
    inputs = [given[name] for name in names]
    inputs = inputs[0] if len(inputs) == 1 else inputs
    more = [given[f"{call}/segments"]] if f"{call}/segments" in given.files else []
    found = jax.tree.leaves(program.call(inputs, *more))
    wanted = [given[name] for name in sorted(given.files) if name.startswith(f"{call}/y")]
    assert len(found) == len(wanted), (len(found), len(wanted))
    for left, right in zip(found, wanted):
        np.testing.assert_allclose(left, right, rtol=2e-5, atol=2e-5)
assert not any(name.startswith("everystep") for name in sys.modules)
"""


def assert_runs_alone(folder: Path, calls: list[tuple[list[Any], Any, list[Any]]]) -> None:
    """The program gives the outputs for each call, in a process that knows JAX alone."""
    arrays: dict[str, Any] = {}
    for number, (inputs, segments, outputs) in enumerate(calls):
        arrays |= {f"{number}/x{place}": array for place, array in enumerate(inputs)}
        arrays |= {f"{number}/y{place}": np.asarray(array) for place, array in enumerate(outputs)}
        if segments is not None:
            arrays[f"{number}/segments"] = segments
    np.savez(folder / "calls.npz", **arrays)
    command = [sys.executable, "-c", ALONE, str(folder / "m.jax"), str(folder / "calls.npz")]
    subprocess.run(command, check=True)


def test_any_batch_and_any_number_of_steps(tmp_path: Path) -> None:
    model = reader()
    told = model.export(tmp_path / "m.jax")
    assert told.inputs == ["(batch, steps, 3)"]
    assert told.outputs == ["(batch, steps, 2)"]
    assert told.fixed == ["axis 2 of input 0 (the features) is 3, as its Input says"]
    inputs = [values(0, 2, 5, 3), values(1, 1, 1, 3), values(2, 4, 9, 3)]
    assert_runs_alone(tmp_path, [([x], None, [model(x)]) for x in inputs])


def test_padding_that_an_embedding_finds(tmp_path: Path) -> None:
    model = tagger()
    model.export(tmp_path / "m.jax")
    ids = np.array([[3, 1, 0, 0], [2, 5, 4, 0]], "int32")
    assert_runs_alone(tmp_path, [([ids], None, [model(ids).values])])


def test_packed_rows(tmp_path: Path) -> None:
    model = reader()
    model.export(tmp_path / "m.jax", segments="packed")
    packed = es.pack([values(n, n, 3) for n in (5, 2, 3, 4)], length=7)
    steps = model(packed)
    outputs = [steps.values, packed.segments]
    assert_runs_alone(tmp_path, [([packed.values], np.asarray(packed.segments), outputs)])


def test_several_inputs_have_lengths_of_their_own(tmp_path: Path) -> None:
    model = pair()
    told = model.export(tmp_path / "m.jax")
    assert told.inputs == ["(batch, steps_0, 3)", "(batch, steps_1, 2)"]
    inputs = [values(0, 2, 5, 3), values(1, 2, 4, 2)]
    assert_runs_alone(tmp_path, [(inputs, None, model(inputs))])


def test_inputs_that_meet_at_each_step_have_one_length(tmp_path: Path) -> None:
    one, other = es.Input((None, 3)), es.Input((None, 3))
    told = es.Model([one, other], one + other).export(tmp_path / "m.jax")
    assert told.inputs == ["(batch, steps, 3)"] * 2


def test_a_size_that_is_given_stays_fixed(tmp_path: Path) -> None:
    row = [layers.Flatten(), layers.Dense(2)]
    told = es.Sequential([es.Input((5, 3)), *row]).export(tmp_path / "m.jax")
    assert told.inputs == ["(batch, 5, 3)"]
    assert told.fixed[0] == "axis 1 of input 0 (the number of steps) is 5, as its Input says"


def test_a_model_that_needs_a_size_says_so(tmp_path: Path) -> None:
    class StepByStep(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return sum(inputs[:, step] for step in range(inputs.shape[1]))

    model = es.Sequential([StepByStep()])
    model(values(0, 2, 4, 3))
    model._built_for = (None, None, 3)
    with pytest.raises(ShapeError, match=r"for any size of the axes.*\(None, None, 3\).*Input\("):
        model.export(tmp_path / "m.jax")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="not built"):
        es.Sequential([layers.Dense(2)]).export(tmp_path / "m.jax")
    with pytest.raises(SettingError, match="segments must be one of"):
        reader().export(tmp_path / "m.jax", segments="mask")
    stateful = layers.LSTM(2, stateful=True, batch_input_shape=(2, 4, 3), name="keeps")
    with pytest.raises(SettingError, match=r"keeps.*return_state"):
        es.Sequential([stateful]).export(tmp_path / "m.jax")
    last = es.Sequential([es.Input((None, 3)), layers.LSTM(2, name="last")])
    with pytest.raises(SegmentsError, match="last"):
        last.export(tmp_path / "m.jax", segments="packed")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "entry",
    [entry for entry in ENTRIES if not entry.variant and not entry.states],
    ids=lambda entry: entry.name,
)
def test_every_layer_can_be_exported(tmp_path: Path, entry: Entry) -> None:
    if entry.name == "InputLayer":
        pytest.skip("an Input is the start of a model, not a layer in it")
    steps = (None,) if entry.any_length and len(entry.shape) > 1 else entry.shape[1:2]
    model, _ = model_of(entry, (None, *steps, *entry.shape[2:]))
    told = model.export(tmp_path / "m.jax", platforms=["cpu"])
    assert told.inputs[0].startswith("(batch, steps" if steps == (None,) else "(batch, ")
