"""Which twin of the recurrent loop runs what is asked, and who may say so."""

from dataclasses import replace
from typing import Any

import jax
import jax.export
import numpy as np
import pytest

import everystep as es
from everystep.errors import SettingError
from everystep.kernels import Asked, Fixed, LSTMGates, choose, only, recurrent, twins
from everystep.kernels.asked import Twin
from everystep.kernels.xla import XLA
from everystep.layers.looping import chosen_loop
from tests.kernels.truth import Case

HERE = twins.default_platform()
ASKED = Asked(Fixed(LSTMGates()), 3, 5, 2, 4, "float32", HERE)


def _callback(fixed: Fixed, arrays: dict[str, Any]) -> Any:
    """What no scan and no exported program could hold."""
    states = arrays["initial"]
    shape = jax.ShapeDtypeStruct((*arrays["inputs"].shape[:2], states[0].shape[1]), "float32")  # type: ignore[no-untyped-call]
    outputs = jax.pure_callback(lambda x: np.full(shape.shape, 7, "float32"), shape, states[0])
    return outputs, states


def _too_long(asked: Asked) -> str:
    return "it takes no more than 9 steps" if asked.steps is not None and asked.steps > 9 else ""


FAST = Twin("fast", (HERE,), _too_long, _callback)


@pytest.fixture(autouse=True)
def _with_a_faster_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twins, "TWINS", (FAST, XLA))
    monkeypatch.delenv(twins.VARIABLE, raising=False)


def is_fast(outputs: Any) -> bool:
    return bool((np.asarray(outputs) == 7).all())


def run(case: Case, **settings: Any) -> Any:
    return recurrent(case.gates, initial=case.initial, **case.arrays, **settings)[0]


def test_the_first_twin_without_a_reason_against_it_runs() -> None:
    assert choose(ASKED).twin.name == "fast"
    assert is_fast(run(Case("lstm")))
    long = choose(replace(ASKED, steps=10))
    assert (long.twin.name, long.why) == ("xla", (("fast", "it takes no more than 9 steps"),))
    assert not is_fast(run(Case("lstm", steps=10)))


def test_where_a_twin_does_not_run_it_is_no_faster_one() -> None:
    assert choose(replace(ASKED, platform="tpu")) == twins.Choice(XLA, ())


def test_forward_mode_is_that_of_jax() -> None:
    found = choose(replace(ASKED, fixed=Fixed(LSTMGates(), derivatives="any")))
    assert found.twin.name == "xla"
    assert "forward mode" in found.why[0][1]


def test_a_twin_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_fast(run(Case("lstm"), twin="xla"))
    monkeypatch.setenv(twins.VARIABLE, "xla")
    assert not is_fast(run(Case("lstm")))
    assert is_fast(run(Case("lstm"), twin="fast"))
    with only("xla"):
        assert not is_fast(run(Case("lstm"), twin="fast"))
        with only("auto"):
            assert is_fast(run(Case("lstm")))


def test_programs_that_were_traced_for_another_twin_are_not_taken() -> None:
    case = Case("lstm")
    compiled = jax.jit(lambda inputs: run(replace_inputs(case, inputs)))
    inputs = case.arrays["inputs"]
    assert is_fast(compiled(inputs))
    with only("xla"):
        assert not is_fast(compiled(inputs))
    assert is_fast(compiled(inputs))


def replace_inputs(case: Case, inputs: Any) -> Case:
    other = Case(case.cell)
    other.arrays["inputs"] = inputs
    return other


@pytest.mark.parametrize(
    ("asked", "kernel", "message"),
    [
        (replace(ASKED, steps=10), "fast", "twin='fast' .*no more than 9 steps"),
        (replace(ASKED, platform="tpu"), "fast", f"runs on {HERE} alone, not on tpu"),
        (ASKED, "quick", "'auto', 'fast', 'xla'.*not 'quick'"),
    ],
)
def test_what_a_forced_twin_cannot_run_is_refused(asked: Asked, kernel: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        choose(asked, kernel)


def test_the_environment_is_named_where_it_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(twins.VARIABLE, "quick")
    with pytest.raises(SettingError, match="EVERYSTEP_KERNEL must be one of"):
        choose(ASKED)
    monkeypatch.setenv(twins.VARIABLE, "fast")
    with pytest.raises(SettingError, match="EVERYSTEP_KERNEL=fast asks for"):
        choose(replace(ASKED, steps=10))
    with pytest.raises(SettingError, match="only must be one of"), only("quick"):
        pass


def test_layers_say_which_twin_runs_them() -> None:
    cell = es.layers.LSTMCell(4)
    assert chosen_loop(cell) == ("fast", "")
    with only("xla"):
        loop = chosen_loop(es.layers.StackedRNNCells([cell, cell]))
    assert loop.kernel == "xla"
    assert loop.why.startswith("fast: the context manager")


def test_explanations_read_the_scan() -> None:
    explained = es.explain(es.layers.LSTM(5, return_sequences=True), (None, 4, 3))
    assert (explained.depends == np.tri(4, dtype=bool)).all()
    assert "pure_callback" not in str(explained.program.jaxpr)
    assert list(explained.kernels.values()) == [("fast", "")]


def test_exported_programs_run_everywhere(tmp_path: Any) -> None:
    model = es.Sequential([es.Input((4, 3)), es.layers.LSTM(5, return_sequences=True)])
    inputs = np.ones((2, 4, 3), "float32")
    assert is_fast(model(inputs))
    model.export(tmp_path / "model")
    program = jax.export.deserialize(bytearray((tmp_path / "model").read_bytes()))
    assert not is_fast(program.call(inputs))  # type: ignore[no-untyped-call]
