"""What nobody should do to the native twin: it must stay right, or refuse, and never crash or hang.

The truth is the NumPy loop, so that each of many shapes costs no program of the scan.
"""

import os
import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.kernels import recurrent
from everystep.kernels.extension import extension, only_path, paths
from tests.kernels import truth
from tests.kernels.truth import Case
from tests.tolerances import assert_close

pytestmark = [
    pytest.mark.skipif(bool(extension().why_not), reason=f"no native twin: {extension().why_not}"),
    pytest.mark.usefixtures("on_a_cpu"),
]

CELLS = ["lstm", "gru", "simple", "peephole"]
SECONDS = 120


def native(case: Case, **settings: Any) -> Any:
    return recurrent(case.gates, initial=case.initial, **case.arrays, **settings, twin="native")


def assert_is_truth(case: Case, **settings: Any) -> None:
    outputs, last = native(case, **settings)
    wanted, wanted_last = truth.run(case, **settings)
    assert_close(outputs, wanted.astype(np.float32))
    for found, state in zip(last, wanted_last, strict=True):
        assert_close(found, state.astype(np.float32))


def small(case: Case) -> Case:
    """Weights small enough for rounding errors not to grow over many terms and steps."""
    for name in ("kernel", "recurrent_kernel"):
        case.arrays[name] /= np.float32(max(1, len(case.arrays[name])) ** 0.5)
    return case


@pytest.mark.parametrize("path", paths())
@pytest.mark.parametrize("cell", CELLS)
def test_sizes_that_fill_no_register(cell: str, path: str) -> None:
    random = np.random.default_rng([len(path), CELLS.index(cell)])
    for units in (2, 15, 17, 31, 47, 65, 70):
        batch, steps = (int(size) for size in random.integers(1, (20, 7)))
        case = small(Case(cell, batch, steps, int(random.integers(0, 71)), units, seed=units))
        ids = random.choice([-(2**31), -1, 0, 0, 1, 2**31 - 1], size=(batch, steps))
        case.arrays["inputs"][ids == 0] = np.nan
        with only_path(path):
            assert_is_truth(
                case,
                segments=ids.astype(np.int32),
                packed=bool(units % 2),
                reverse=bool(random.integers(2)),
            )


@pytest.mark.parametrize("sizes", [(1, 20_000, 2, 3), (5_000, 2, 1, 5), (2, 2, 3, 1025)])
def test_sizes_that_are_out_of_proportion(sizes: Any) -> None:
    assert_is_truth(small(Case("gru", *sizes)))


def test_arrays_need_not_lie_as_they_should() -> None:
    case = Case("lstm")
    wanted = truth.run(case)[0].astype(np.float32)
    plain = case.arrays["inputs"]
    shifted = np.zeros(plain.nbytes + 1, np.uint8)[1:].view(np.float32).reshape(plain.shape)
    shifted[...] = plain
    for odd in (
        np.asfortranarray(plain),
        np.repeat(plain, 2, axis=2)[:, :, ::2],
        np.flip(np.flip(plain, 1).copy(), 1),
        shifted,
    ):
        case.arrays["inputs"] = odd
        assert_close(native(case)[0], wanted)


def test_an_infinite_input_is_a_saturated_gate_on_the_way_back_too() -> None:
    case = Case("lstm", 2, 4, 3, 5)  # units that leave lanes of a register empty
    case.arrays["inputs"][1, 1, 2] = np.inf

    def gradient(twin: str) -> Any:
        def summed(inputs: Any) -> Any:
            arrays = dict(case.arrays, inputs=inputs)
            return recurrent(case.gates, initial=case.initial, **arrays, twin=twin)[0].sum()

        return jax.grad(summed)(case.arrays["inputs"])

    wanted = gradient("xla")
    assert np.isfinite(wanted).all()
    assert_close(gradient("native"), wanted)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 3e38, -1e-45])
@pytest.mark.parametrize("cell", CELLS)
def test_odd_numbers_stay_in_their_row_and_behind_their_step(cell: str, number: float) -> None:
    case = Case(cell, 5, 4, 3, 18)
    calm, _ = native(case)
    case.arrays["inputs"][2, 1] = number
    outputs, _ = native(case)
    np.testing.assert_array_equal(outputs[:2], calm[:2])
    np.testing.assert_array_equal(outputs[3:], calm[3:])
    np.testing.assert_array_equal(outputs[2, :1], calm[2, :1])
    if np.isnan(number):
        assert np.isnan(outputs[2, 1:]).all()


def test_it_runs_inside_of_loops_branches_and_beside_itself() -> None:
    case = Case("lstm", 3)
    inputs = jnp.asarray(case.arrays["inputs"])

    def run(inputs: Any) -> jax.Array:
        arrays = dict(case.arrays, inputs=inputs)
        return recurrent(case.gates, initial=case.initial, **arrays, twin="native")[0]

    @jax.jit
    def everywhere(inputs: Any, take: Any) -> Any:
        _, scanned = jax.lax.scan(lambda seen, x: (seen, run(x)), 0, jnp.stack([inputs, -inputs]))
        _, turned = jax.lax.while_loop(
            lambda at: at[0] < 3, lambda at: (at[0] + 1, run(inputs)), (0, run(-inputs))
        )
        chosen = jax.lax.cond(take, run, lambda x: 0 * run(x), inputs)
        return scanned[0], turned, chosen, jnp.stack([run(inputs * k) for k in range(1, 9)])[0]

    for found in everywhere(inputs, True):
        np.testing.assert_array_equal(found, run(inputs))


def test_thousands_of_calls_take_no_more_memory_than_one() -> None:
    case = Case("lstm", 8, 20, 16, 32)

    def loss(arrays: Any) -> jax.Array:
        return jnp.sum(recurrent(case.gates, initial=case.initial, **arrays, twin="native")[0])

    compiled = jax.jit(jax.grad(loss))
    for count in (500, 3000):
        before = _resident()
        for _ in range(count):
            compiled(case.arrays)
    assert _resident() - before < 16 * 2**20


def _resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def alone(program: str, **environment: str) -> Any:
    """Runs a program in a process of its own, which is ended where it hangs."""
    return subprocess.run(
        [sys.executable, "-c", BEFORE + program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


BEFORE = """
import os, threading
import jax, jax.numpy as jnp, numpy as np
from everystep.kernels import recurrent
from everystep.kernels.extension import extension
from tests.kernels.truth import Case

jax.config.update("jax_default_device", jax.local_devices(backend="cpu")[0])
case = Case("lstm", 16, 20, 40, 70)

def run(arrays):
    return recurrent(case.gates, initial=case.initial, **arrays, twin="native")[0]

gradient = jax.jit(jax.grad(lambda arrays: jnp.sum(jnp.sin(run(arrays)))))
"""

THREADS = """
wanted = jax.tree.map(np.asarray, (run(case.arrays), gradient(case.arrays)))
failed = []

def work():
    try:
        for _ in range(30):
            found = run(case.arrays), gradient(case.arrays)
            jax.tree.map(np.testing.assert_array_equal, found, wanted)
    except BaseException as error:
        failed.append(error)

threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads:
    thread.start()
members = 0
while any(thread.is_alive() for thread in threads):
    members = members % 5 + 1
    extension().module.set_team_size(members)
    threads[0].join(0.002)
assert not failed, failed
"""


def test_many_threads_may_call_at_once_while_the_team_changes() -> None:
    done = alone(THREADS)
    assert done.returncode == 0, done.stderr


ASKED_FOR = """
for threads in ("0", "-1", "two", "2 ", "99999999999999999999"):
    os.environ["EVERYSTEP_THREADS"] = threads
    try:
        run(case.arrays).block_until_ready()
    except Exception as error:
        assert "EVERYSTEP_THREADS" in str(error), error
    else:
        raise AssertionError(threads)
"""


def test_a_number_of_threads_that_is_none_is_named() -> None:
    done = alone(ASKED_FOR)
    assert done.returncode == 0, done.stderr


def test_more_threads_than_cores_are_slow_and_right() -> None:
    print_sum = "print(np.asarray(run(case.arrays)).tobytes().hex())"
    one, many = (alone(print_sum, EVERYSTEP_THREADS=threads) for threads in ("1", "9"))
    assert one.stdout
    assert one.stdout == many.stdout


def test_the_stepper_refuses_what_it_cannot_hold() -> None:
    """The extension's own classes, which hold arrays and sizes to each other by themselves."""
    module = extension().module

    def softmax(width: int) -> Any:
        operations = module.Operations()
        operations.softmax(width)
        return operations

    for width in (-3, 2**61):
        with pytest.raises(ValueError, match="width"):
            softmax(width)
    for batch in (0, -1, 2**31, 2**62):
        with pytest.raises(ValueError, match="a row or more"):
            module.Stepper(softmax(3), batch)
    nothing = np.zeros((2, 5, 0), np.float32)
    module.Stepper(softmax(0), 2).run(nothing, None, nothing.copy())
    outputs = np.zeros((2, 5, 3), np.float32)
    stepper = module.Stepper(softmax(3), 2)
    for wrong in ((2, 3), (3, 5, 3), (2, 0, 3), (2, 5, 4)):
        with pytest.raises(ValueError, match="inputs"):
            stepper.run(np.zeros(wrong, np.float32), None, outputs)
    for mask, to in ((np.ones((2, 4), np.int32), outputs), (None, outputs[:, 1:].copy())):
        with pytest.raises(ValueError, match=r"must have|have the shape"):
            stepper.run(outputs, mask, to)
