"""Every public entry point, found by inspection: functions, classes, and methods of classes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

import everystep
from everystep.core import Configurable


class EntryPoint(NamedTuple):
    """What can be called: by its public name, with the parameters that it has.

    A method is known by the class that defines it, and is called on an object of `owner`.
    """

    name: str
    function: Callable[..., Any]
    parameters: tuple[str, ...]
    owner: type | None = None


def modules() -> list[ModuleType]:
    """Return the public modules, and those inside them that their `__all__` names."""
    known: list[ModuleType] = [everystep]
    for module in known:
        values = [getattr(module, name) for name in module.__all__]
        known += [each for each in values if isinstance(each, ModuleType) and each not in known]
    return known


def public_values() -> dict[Any, str]:
    """Return functions and classes of the public modules by the first name that each has."""
    named: dict[Any, str] = {}
    # A module that says more than `everystep` itself comes first.
    for module in [*modules()[1:], everystep]:
        for name in module.__all__:
            value = getattr(module, name)
            error = inspect.isclass(value) and issubclass(value, Exception)
            if (inspect.isfunction(value) or inspect.isclass(value)) and not error:
                named.setdefault(value, f"{module.__name__}.{name}".removeprefix("everystep."))
    return named


def entry_points() -> dict[str, EntryPoint]:
    """Return all entry points by their names."""
    found = {}
    for value, name in public_values().items():
        found[name] = EntryPoint(name, value, parameters_of(value))
        if inspect.isclass(value):
            for method in methods_of(value):
                # The class nearest to the definition stands for all that inherit it.
                found.setdefault(method.name, method)
    return found


def parameters_of(thing: Any) -> tuple[str, ...]:
    if inspect.isclass(thing) and issubclass(thing, Configurable) and not thing._own_init:
        return tuple(thing.settings)
    plain = (
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.KEYWORD_ONLY,
        inspect.Parameter.POSITIONAL_ONLY,
    )
    parameters = inspect.signature(thing).parameters.values()
    return tuple(each.name for each in parameters if each.kind in plain and each.name != "self")


def methods_of(cls: type) -> Iterator[EntryPoint]:
    """Yield the public methods of a class, `__call__` among them, that everystep defines."""
    for name in dir(cls):
        if name.startswith("_") and name != "__call__":
            continue
        method = inspect.getattr_static(cls, name)
        plain = getattr(method, "__func__", method)
        if not inspect.isfunction(plain) or not plain.__module__.startswith("everystep"):
            continue
        defined = inspect.unwrap(plain).__qualname__
        if "." in defined:  # Else it is a function that the class holds, an entry point itself.
            parameters = tuple(each for each in parameters_of(plain) if each != "cls")
            yield EntryPoint(defined, plain, parameters, cls)
