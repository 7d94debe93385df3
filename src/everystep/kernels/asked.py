"""What is known of a run of the recurrent loop when it is traced, and what its twins are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp

from everystep.kernels.gates import Gates, States
from everystep.kernels.reset_before import ResetBeforeGRU

Derivatives = Literal["reverse", "any"]
Equation = Gates | ResetBeforeGRU


@dataclass(frozen=True)
class Fixed:
    """What is fixed when a run is compiled; `recurrent` says what each means."""

    gates: Equation
    zero_output_for_mask: bool = False
    packed: bool = False
    reverse: bool = False
    derivatives: Derivatives = "reverse"


@dataclass(frozen=True)
class Asked:
    """What is asked of a twin: all that may decide whether it can run it.

    Args:
        fixed: what is fixed when the run is compiled.
        batch: how many rows there are.
        steps: how many steps a row has.
        features: how many features a step has.
        units: how many units the cell has. A size is None where it is not known yet, and no integer
            where it is a name for any number.
        dtype: the type of inputs and kernels taken together, such as `"float32"`.
        platform: where it runs, as JAX calls it: `"cpu"`, `"gpu"` or `"tpu"`.
        segments: whether there are segments.
        dropout: whether the recurrent share is dropped in part.
        bias: whether there is a bias of the inputs' share.
        recurrent_bias: whether there is one of the recurrent share.
    """

    fixed: Fixed
    batch: Any
    steps: Any
    features: Any
    units: Any
    dtype: str
    platform: str
    segments: bool = False
    dropout: bool = False
    bias: bool = True
    recurrent_bias: bool = False

    @property
    def gates(self) -> Equation:
        """The cell's equation."""
        return self.fixed.gates

    @property
    def sizes(self) -> tuple[Any, Any, Any, Any]:
        """Batch, steps, features and units."""
        return self.batch, self.steps, self.features, self.units


@dataclass(frozen=True)
class Twin:
    """One implementation of the recurrent loop.

    Args:
        name: what it is called.
        platforms: where it runs; () for everywhere.
        why_not: gives the reason why it cannot run what is asked, "" if it can. It is asked on its
            own platforms only, and not for derivatives of any mode, which `xla` alone has.
        run: runs it on the arrays of `recurrent`, by their names there, under `jax.jit`.
    """

    name: str
    platforms: tuple[str, ...]
    why_not: Callable[[Asked], str]
    run: Callable[[Fixed, dict[str, Any]], tuple[jax.Array, States]]


def in_promised_types(
    arrays: dict[str, Any], dtype: Any, outputs: jax.Array, last: States
) -> tuple[jax.Array, States]:
    """Return what a twin gives in the types that `recurrent` promises.

    Args:
        arrays: those of `recurrent`, by the names that they have there.
        dtype: the type of inputs and kernels taken together.
        outputs: in any type.
        last: the last states, in any types.
    """
    return outputs.astype(dtype), tuple(
        state.astype(jnp.promote_types(dtype, given.dtype))
        for state, given in zip(last, arrays["initial"], strict=True)
    )
