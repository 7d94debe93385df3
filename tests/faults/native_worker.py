"""A process that does to the native code what it reads from a pipe: a crash of it is told apart.

Each line is a case in JSON; the answer says what came of it. Only errors that are meant to be
raised are answers: anything else ends the process.
"""

import json
import math
import sys
from collections.abc import Callable
from typing import Any

import jax
import ml_dtypes
import numpy as np

from everystep.errors import EverystepError
from everystep.kernels import recurrent
from everystep.kernels.extension import extension
from everystep.kernels.gates import GRUGates, LSTMGates, SimpleRNNGates
from everystep.kernels.reset_before import ResetBeforeGRU
from everystep.kernels.variants import PeepholeLSTMGates

GATES: dict[str, Any] = {
    "simple": SimpleRNNGates(),
    "lstm": LSTMGates(),
    "peephole": PeepholeLSTMGates(),
    "gru": GRUGates(),
    "gru_reset_before": ResetBeforeGRU(),
}
NUMBERS = [0.0, 1.0, -0.5, 3e38, -1e-45, np.nan, np.inf, -np.inf]
IDS = [-(2**31), -2, -1, 0, 0, 1, 1, 2, 5, 2**31 - 1]
MOST = 2**20
"""Numbers in an array; those of nothing may say what sizes they like."""
REFUSED = (ValueError, TypeError, IndexError, RuntimeError, MemoryError, EverystepError)


def misaligned(array: Any) -> Any:
    """The same numbers, one byte off where they should start."""
    shifted = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    shifted[...] = array
    return shifted


def read_only(array: Any) -> Any:
    """The same numbers, not to be written."""
    array.flags.writeable = False
    return array


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "plain": lambda array: array,
    "in Fortran's order": np.asfortranarray,
    "strided": lambda array: np.repeat(array, 2, axis=-1)[..., ::2] if array.ndim else array,
    "reversed": lambda array: np.flip(np.flip(array).copy()),
    "misaligned": misaligned,
    "read-only": read_only,
    "the other byte order": lambda array: array.astype(array.dtype.newbyteorder(">")),
}


def array_of(case: Any) -> Any:
    """An array as a case describes it: shape, dtype, how it lies, and a seed for what it holds."""
    if case is None:
        return None
    shape, name, layout, seed = case
    if math.prod(shape) > MOST:
        raise MemoryError("array is too big")
    dtype = np.dtype(getattr(ml_dtypes, name, name))
    random = np.random.default_rng(seed)
    if dtype.kind in "iub":
        array = random.choice(IDS, shape).astype("int64").astype(dtype)
    elif dtype.kind in "fcV":
        array = np.where(random.random(shape) < 0.1, random.choice(NUMBERS, shape), 0.25)
        with np.errstate(all="ignore"):
            array = array.astype(dtype)
    else:
        array = np.zeros(shape, dtype)
    return LAYOUTS[layout](array)


def foreign(case: Any) -> str:
    """Call a foreign function by its name, as any program of JAX may."""
    arrays = [array_of(each) for each in case["arguments"]]
    results = [
        jax.ShapeDtypeStruct(shape, getattr(ml_dtypes, name, name))  # type: ignore[no-untyped-call]
        for shape, name, *_ in case["results"]
    ]
    call = jax.ffi.ffi_call(case["name"], results)(*arrays, **case["attributes"])
    return str([np.asarray(each).shape for each in call])


def stepping(case: Any) -> str:
    """Call the methods of the extension's own classes, whatever comes of each of them."""
    module = extension().module
    operations, steppers, said = module.Operations(), [], []
    for name, arguments in case["calls"]:
        given = [array_of(each) if isinstance(each, list) else each for each in arguments]
        try:
            if name == "Stepper":
                steppers.append(module.Stepper(operations, *given))
            elif name in ("run", "read", "write"):
                getattr(steppers[-1], name)(*given)
            else:
                getattr(operations, name)(*given)
        except REFUSED as error:
            said.append(f"{name}: {error}")
        else:
            said.append(f"{name}: done")
    return "; ".join(said)


def looped(case: Any) -> str:
    """Run the recurrent loop as it is called from Python."""
    arrays = {name: array_of(each) for name, each in case["arrays"].items()}
    initial = tuple(array_of(each) for each in case["initial"])
    parameters = tuple(array_of(each) for each in case["parameters"])
    outputs, _ = recurrent(
        GATES[case["gates"]], initial=initial, parameters=parameters, **arrays, **case["settings"]
    )
    return str(np.asarray(outputs).shape)


KINDS = {"foreign": foreign, "stepping": stepping, "looped": looped}


def main() -> None:
    """Answer until the pipe is closed."""
    extension()
    for line in sys.stdin:
        case = json.loads(line)
        try:
            answer = {"gave": KINDS[case["kind"]](case)}
        except REFUSED as error:
            answer = {"refused": f"{type(error).__name__}: {error}"}
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
