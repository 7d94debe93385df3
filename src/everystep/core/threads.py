"""How many threads XLA has on CPUs, which the last bits of large sums hang on."""

from __future__ import annotations

import os

import jax

from everystep.errors import SettingError
from everystep.kinds import POSITIVE, checked

_VARIABLE = "NPROC"


def xla_threads() -> int:
    """Return how many threads XLA shares a computation between on CPUs.

    That is what `set_xla_threads` or the environment's NPROC says, else the number of cores that
    this process may use.

    Example:
        >>> xla_threads() > 0
        True
    """
    given = os.environ.get(_VARIABLE, "")
    if given.isdigit() and int(given):
        return int(given)
    allowed = getattr(os, "sched_getaffinity", None)
    return (os.cpu_count() or 1) if allowed is None else len(allowed(0))


@checked(number=POSITIVE)
def set_xla_threads(number: int) -> None:
    """Give XLA so many threads on CPUs: with one, a seed gives the same bits on any cores.

    XLA shares large sums, and long rows of small operations, out among its threads, by how many
    there are and by how many cores the process may use; the last bits hang on that. One thread has
    nothing to share. The native loop gives the same bits on any number of threads, and keeps those
    that it has. More threads than cores take up to three times as long.

    Like the environment's NPROC, which it sets for processes that this one starts too, it stands
    once JAX has computed something.

    Args:
        number: how many.

    Raises:
        SettingError: JAX has computed something already, with another number of threads.
    """
    if number != xla_threads() and _has_begun():
        raise SettingError(
            f"set_xla_threads({number}) comes too late: JAX has already computed something in this "
            f"process, with {xla_threads()} threads. Call it before anything else, or set "
            f"{_VARIABLE}={number} in the environment"
        )
    os.environ[_VARIABLE] = str(number)


def _has_begun() -> bool:
    """Whether JAX has begun to compute: it then refuses another number of devices."""
    devices = jax.config.jax_num_cpu_devices  # type: ignore[attr-defined]
    try:
        jax.config.update("jax_num_cpu_devices", devices + 2)  # type: ignore[no-untyped-call]
    except RuntimeError:
        return True
    jax.config.update("jax_num_cpu_devices", devices)  # type: ignore[no-untyped-call]
    return False
