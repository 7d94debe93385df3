"""What computes on this machine, and why nothing faster does."""

from __future__ import annotations

import platform
from importlib.metadata import version

import jax

from everystep import __version__
from everystep.drawing.health import Health, Native, Twin
from everystep.kernels import Asked, Fixed, LSTMGates, asked, twins
from everystep.kernels.extension import built, extension, path, paths

_NATIVE_TYPES = ("float32", "bfloat16")


def examine() -> Health:
    """Look at versions, devices, and the twins of the recurrent loop on JAX's default device.

    Raises:
        SettingError: the environment asks for instructions that are not there.
    """
    return Health(
        versions={
            "everystep": __version__,
            "python": platform.python_version(),
            "jax": jax.__version__,
            "jaxlib": version("jaxlib"),
            "system": f"{platform.system()} on {platform.machine()}",
        },
        devices=[f"{each.platform}:{each.id} ({each.device_kind})" for each in jax.devices()],
        twins=[_examined(twin) for twin in twins.TWINS],
        native=_native(),
    )


def _asked(dtype: str, where: str) -> Asked:
    return Asked(Fixed(LSTMGates()), None, None, None, None, dtype, where)


def _examined(twin: asked.Twin) -> Twin:
    why_not = twins.why_not(twin, _asked("float32", twins.default_platform()))
    cure = "" if twin.name != "native" or not extension().why_not else _cure()
    return Twin(name=twin.name, runs=not why_not, why_not=why_not, cure=cure)


def _cure() -> str:
    return (
        "install GCC or clang and Python's headers, then everystep once more, which builds it: "
        "pip install --force-reinstall --no-deps everystep, or . in a copy of its repository"
    )


def _native() -> Native:
    module = extension().module
    if module is None:
        return Native(compiler="", instructions=[], not_here=[], in_use="", threads=0, types=[])
    native = next(twin for twin in twins.TWINS if twin.name == "native")
    return Native(
        compiler=built()["COMPILER"] or module.compiler(),
        instructions=list(paths()),
        not_here=sorted({*built()["INSTRUCTIONS"].split(";")} - {"", *paths()}),
        in_use=path(),
        threads=module.team_size(),
        types=[each for each in _NATIVE_TYPES if not native.why_not(_asked(each, "cpu"))],
    )
