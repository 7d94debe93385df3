"""The compiled extension of the native twin: loaded where it was built, else the reason why not."""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import jax

from everystep.errors import SettingError
from everystep.kinds import shown

VARIABLE = "EVERYSTEP_PATH"
_HERE = "everystep.kernels"


class Extension(NamedTuple):
    """What came of loading the extension.

    Args:
        module: the extension, or None.
        why_not: why there is none; "" where there is one.
    """

    module: Any
    why_not: str


@cache
def extension() -> Extension:
    """Load the extension, make its functions known to XLA, and let freed memory be used again.

    With glibc, up to 256 MiB of what was freed stays with the process from then on. Where the
    environment sets up glibc's memory (MALLOC_TRIM_THRESHOLD_, GLIBC_TUNABLES) that stands.

    Returns:
        The extension, or why there is none: it was not built, or cannot be loaded here.
    """
    try:
        module = importlib.import_module(f"{_HERE}._native")
        for name, call in module.calls().items():
            jax.ffi.register_ffi_target(name, call, platform="cpu")
        module.keep_freed_memory()
    except ModuleNotFoundError:
        return Extension(None, built()["WHY_NOT"] or "the build left it out")
    # What a loader has to say of a file for another machine, or JAX of a function that it refuses.
    except Exception as error:
        reason = str(error).strip().split("\n")[0]
        return Extension(None, f"it cannot be loaded here: {reason}")
    return Extension(module, "")


def built() -> dict[str, str]:
    """Return what the build says of itself: COMPILER, INSTRUCTIONS, WHY_NOT."""
    try:
        module = importlib.import_module(f"{_HERE}._built")
    except ModuleNotFoundError:
        why_not = "everystep runs from its sources, which were not built"
        return {"COMPILER": "", "INSTRUCTIONS": "", "WHY_NOT": why_not}
    return {name: getattr(module, name) for name in ("COMPILER", "INSTRUCTIONS", "WHY_NOT")}


# JAX asks it before it takes a traced program again.
_path: Any = jax.make_user_context(None)  # type: ignore[no-untyped-call]


def paths() -> tuple[str, ...]:
    """Return the instructions that were compiled and that this processor has, fastest first."""
    module = extension().module
    return () if module is None else tuple(module.paths())


def path() -> str:
    """Return the set of instructions that is used: the fastest, or what EVERYSTEP_PATH says.

    Raises:
        SettingError: EVERYSTEP_PATH names one that is not there.
    """
    if _path.value is not None:
        return str(_path.value)
    return _checked(os.environ.get(VARIABLE) or paths()[0], VARIABLE)


@contextmanager
def only_path(name: str) -> Iterator[None]:
    """Use one set of instructions for what is traced inside.

    Raises:
        SettingError: it is not there.
    """
    with _path(_checked(name, "only_path")):
        yield


def _checked(name: str, where: str) -> str:
    if name not in paths():
        raise SettingError(
            f"{where} must be one of {', '.join(map(repr, paths()))}, which are the instructions "
            f"that were compiled and that this processor has, not {shown(name)}"
        )
    return name
