"""The twins of the recurrent loop, and which of them runs what is asked."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax

from everystep.errors import SettingError
from everystep.kernels.asked import Asked, Twin
from everystep.kernels.cudnn import CUDNN
from everystep.kernels.native import NATIVE
from everystep.kernels.xla import XLA
from everystep.kinds import shown

TWINS: tuple[Twin, ...] = (CUDNN, NATIVE, XLA)
"""The fastest first. The last one runs everything."""

AUTO = "auto"
VARIABLE = "EVERYSTEP_KERNEL"

# JAX asks it before it takes a traced program again, so none that another twin runs is taken.
_only: Any = jax.make_user_context(None)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Choice:
    """Which twin runs what was asked.

    Args:
        twin: the twin.
        why: for each faster twin of this platform its name, and why it does not run it.
    """

    twin: Twin
    why: tuple[tuple[str, str], ...]


def names() -> tuple[str, ...]:
    """Return what `twin` may be."""
    return (AUTO, *(twin.name for twin in TWINS))


@contextmanager
def only(name: str) -> Iterator[None]:
    """Let one twin alone run every recurrent loop that is traced inside, whatever else asks.

    Args:
        name: the twin, or "auto" to lift what stands around.

    Raises:
        SettingError: there is no such twin. A run that it cannot take raises the same.

    Example:
        >>> import everystep as es, numpy as np
        >>> with only("xla"):
        ...     es.layers.LSTM(3)(np.ones((2, 5, 4), "float32")).shape
        (2, 3)
    """
    with _only(_checked(name, "only")):
        yield


def choose(asked: Asked, twin: str = AUTO) -> Choice:
    """Return the twin that runs what is asked.

    The first of these that says one decides: `only` around the call, `twin`, the environment's
    EVERYSTEP_KERNEL. Where none does, it is the first twin without a reason against it.

    Args:
        asked: what is asked.
        twin: the name of a twin, or "auto".

    Raises:
        SettingError: there is no such twin, or it cannot run what is asked.

    Example:
        >>> from everystep.kernels import LSTMGates
        >>> from everystep.kernels.asked import Asked, Fixed
        >>> choose(Asked(Fixed(LSTMGates()), 2, 5, 3, 4, "float32", "tpu")).twin.name
        'xla'
    """
    forced, says = _forced(twin)
    if forced != AUTO:
        chosen = next(each for each in TWINS if each.name == forced)
        if why := why_not(chosen, asked):
            raise SettingError(
                f"{says} asks for the twin {forced!r} of the recurrent loop, which cannot run "
                f"this: {why}. Leave it out, or use {AUTO!r}, which takes the fastest that can"
            )
        faster = [each for each in TWINS[: TWINS.index(chosen)] if _runs_on(each, asked.platform)]
        return Choice(chosen, tuple((each.name, f"{says} asks for {forced!r}") for each in faster))
    against: list[tuple[str, str]] = []
    for chosen in TWINS:
        why = why_not(chosen, asked)
        if not why:
            break
        if _runs_on(chosen, asked.platform):
            against.append((chosen.name, why))
    return Choice(chosen, tuple(against))


def why_not(twin: Twin, asked: Asked) -> str:
    """Return why a twin cannot run what is asked; "" if it can."""
    if not _runs_on(twin, asked.platform):
        return f"it runs on {' and '.join(twin.platforms)} alone, not on {asked.platform}"
    if asked.fixed.derivatives == "any" and twin is not XLA:
        return "derivatives='any' asks for forward mode too, which the twin 'xla' alone has"
    return twin.why_not(asked)


def default_platform() -> str:
    """Return the platform on which JAX runs what says nothing else."""
    device: Any = jax.config.jax_default_device  # type: ignore[attr-defined]
    if device is None:
        return jax.default_backend()
    return device if isinstance(device, str) else str(device.platform)


def platform_of(array: Any) -> str:
    """Return where an array is, or where it will be as far as that is known while it is traced."""
    if isinstance(array, jax.core.Tracer):
        return default_platform()
    return str(next(iter(array.devices())).platform)


def _runs_on(twin: Twin, platform: str) -> bool:
    return not twin.platforms or platform in twin.platforms


def _forced(twin: str) -> tuple[str, str]:
    """Return the twin that is forced, "auto" for none, and who says so."""
    _checked(twin, "twin=")
    if _only.value is not None:
        return _only.value, "the context manager only()"
    if twin != AUTO:
        return twin, f"twin={twin!r}"
    given = os.environ.get(VARIABLE) or AUTO
    return _checked(given, VARIABLE), f"the environment's {VARIABLE}={given}"


def _checked(name: str, where: str) -> str:
    if name not in names():
        raise SettingError(
            f"{where} must be one of {', '.join(map(repr, names()))}, which are the twins of the "
            f"recurrent loop, not {shown(name)}"
        )
    return name
