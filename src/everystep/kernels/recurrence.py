"""The entry to the recurrent loop: what it takes and promises, whichever twin runs it."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from everystep.errors import SettingError, ShapeError
from everystep.kernels.asked import Asked, Derivatives, Equation, Fixed, Twin
from everystep.kernels.gates import States
from everystep.kernels.twins import AUTO, choose, platform_of
from everystep.sequences import numbers


def recurrent(
    gates: Equation,
    inputs: ArrayLike,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None,
    initial: tuple[ArrayLike, ...],
    *,
    recurrent_bias: ArrayLike | None = None,
    parameters: tuple[ArrayLike, ...] = (),
    segments: ArrayLike | None = None,
    zero_output_for_mask: bool = False,
    packed: bool = False,
    reverse: bool = False,
    recurrent_dropout: ArrayLike | None = None,
    derivatives: Derivatives = "reverse",
    twin: str = AUTO,
) -> tuple[jax.Array, States]:
    """Runs a recurrent cell over the steps of every row.

    At step t of a row, with the states s of the step before it:

        s'   = 0 where a packed row starts another sequence here, else s
        new  = gates(x[t] @ kernel + bias,
                     (s'[0] * recurrent_dropout) @ recurrent_kernel + recurrent_bias, s',
                     *parameters)
        s[t] = new where the step is real, else s'
        outputs[t] = s[t][0]

    `ResetBeforeGRU` makes new from the same arrays by an equation of its own.

    Shapes:
        inputs: (batch, steps, features).
        kernel, recurrent_kernel: (features, shares), (units, shares); shares = blocks * units.
        bias, recurrent_bias: (shares,).
        initial: one (batch, units) for each state of the cell.
        parameters: one (parameter_blocks[k] * units,) for each vector of weights of the cell's own.
        segments: (batch, steps), integers.
        recurrent_dropout: (batch, units).

    Args:
        gates: the cell's equation, such as `LSTMGates()`; hashable, a new one compiles anew.
        inputs: the rows. What they hold at padding is never read.
        kernel: weights of the inputs, block by block in the cell's gate order.
        recurrent_kernel: weights of the first state, in the same order.
        bias: added to the inputs' share, or None.
        initial: the states before the first step.
        recurrent_bias: added to the recurrent share, or None; only some cells tell it from bias.
        parameters: what the cell's equation has besides the two products, such as peepholes.
        segments: the sequence that each step belongs to, 0 for padding; None: all steps are real.
            Padding carries the states, and its output repeats the carried one.
        zero_output_for_mask: give zeros at padding instead.
        packed: rows may hold several sequences: the states are zeroed where the id differs from
            the last real one before it. A row's first real step starts from `initial`.
        reverse: run from the last step to the first, "before" meaning after; outputs stay with
            their steps.
        recurrent_dropout: multiplies the first state ahead of its product, the same at all steps.
        derivatives: "reverse" has the fast backward pass, which JAX can also differentiate
            further; "any" also allows `jax.jvp` and `jax.jacfwd`, with JAX's own slower one.
        twin: which implementation runs it: "auto", the fastest that can, or one by its name, such
            as "xla". `only` around the call and the environment's EVERYSTEP_KERNEL say it too.

    Returns:
        The outputs, (batch, steps, units), in the type of the inputs and kernels taken together,
        and the states after the last processed step, in the type of `initial` where it is wider.
        Types narrower than float32 multiply as they are, and add up and keep states in float32.

    Raises:
        ShapeError: two arrays do not fit each other.
        DataError: one holds no numbers, or integers of more than 32 bits.
        SettingError: `packed` without segments, a value of `derivatives` or a twin that does not
            exist, or a twin that cannot run this.

    Example:
        >>> import jax.numpy as jnp
        >>> from everystep.kernels import SimpleRNNGates
        >>> add = SimpleRNNGates(activation=lambda total: total)
        >>> one, rows = jnp.ones((1, 1)), jnp.ones((1, 5, 1))
        >>> outputs, (last,) = recurrent(add, rows, one, one, None, (jnp.zeros((1, 1)),),
        ...                              segments=[[1, 1, 2, 2, 0]], packed=True)
        >>> outputs[0, :, 0].tolist(), last.tolist()
        ([1.0, 2.0, 1.0, 2.0, 2.0], [[2.0]])

    Source: gates.py names each cell's; Williams and Zipser 1995 for the backward pass in time.
    """
    if derivatives not in ("reverse", "any"):
        raise SettingError(f"derivatives={derivatives!r} does not exist; use 'reverse' or 'any'")
    if packed and segments is None:
        raise SettingError("packed=True needs segments, which say where each sequence starts")
    arrays: dict[str, Any] = {
        "inputs": inputs,
        "kernel": kernel,
        "recurrent_kernel": recurrent_kernel,
        "bias": bias,
        "initial": tuple(initial),
        "parameters": tuple(parameters),
        "recurrent_bias": recurrent_bias,
        "segments": segments,
        "recurrent_dropout": recurrent_dropout,
    }
    arrays = {
        name: tuple(numbers(name, each) for each in given)
        if isinstance(given, tuple)
        else _array(name, given)
        for name, given in arrays.items()
    }
    _check_shapes(gates, arrays)
    fixed = Fixed(gates, zero_output_for_mask, packed, reverse, derivatives)
    result: tuple[jax.Array, States] = _run(choose(_asked(fixed, arrays), twin).twin, fixed, arrays)
    return result


def _array(name: str, given: ArrayLike | None) -> jax.Array | None:
    if given is None and name not in ("inputs", "kernel", "recurrent_kernel"):
        return None
    array: jax.Array = numbers(name, given)
    return array


def _check_shapes(gates: Equation, arrays: dict[str, Any]) -> None:
    """Holds every array to the sizes that inputs and recurrent kernel set."""
    for name, rank in (("inputs", 3), ("kernel", 2), ("recurrent_kernel", 2)):
        if arrays[name].ndim != rank:
            raise ShapeError(f"{name} must have {rank} axes, got shape {arrays[name].shape}")
    batch, steps, features = arrays["inputs"].shape
    units = arrays["recurrent_kernel"].shape[0]
    shares = gates.blocks * units
    counted = (
        ("states", arrays["initial"], gates.state_count),
        ("parameters", arrays["parameters"], len(gates.parameter_blocks)),
    )
    for what, given, count in counted:
        if len(given) != count:
            raise ShapeError(f"{type(gates).__name__} has {count} {what}, got {len(given)}")
    wanted = {
        "kernel": (features, shares),
        "recurrent_kernel": (units, shares),
        "bias": (shares,),
        "recurrent_bias": (shares,),
        "segments": (batch, steps),
        "recurrent_dropout": (batch, units),
    }
    found = [(name, arrays[name], shape) for name, shape in wanted.items()]
    found += [("initial state", state, (batch, units)) for state in arrays["initial"]]
    own = zip(arrays["parameters"], gates.parameter_blocks, strict=True)
    found += [("parameter", parameter, (blocks * units,)) for parameter, blocks in own]
    for name, array, shape in found:
        if array is not None and array.shape != shape:
            raise ShapeError(f"{name} must have shape {shape}, got {array.shape}")


@partial(jax.jit, static_argnums=(0, 1))
def _run(twin: Twin, fixed: Fixed, arrays: dict[str, Any]) -> tuple[jax.Array, States]:
    """Compiled once for each set of shapes and settings, so that eager calls are cheap too."""
    return twin.run(fixed, arrays)


def _asked(fixed: Fixed, arrays: dict[str, Any]) -> Asked:
    batch, steps, features = arrays["inputs"].shape
    dtype = jnp.result_type(arrays["inputs"], arrays["kernel"], arrays["recurrent_kernel"])
    return Asked(
        fixed,
        batch,
        steps,
        features,
        units=arrays["recurrent_kernel"].shape[0],
        dtype=str(dtype),
        platform=platform_of(arrays["inputs"]),
        segments=arrays["segments"] is not None,
        dropout=arrays["recurrent_dropout"] is not None,
        bias=arrays["bias"] is not None,
        recurrent_bias=arrays["recurrent_bias"] is not None,
    )
