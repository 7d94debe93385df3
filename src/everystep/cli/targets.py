"""What a command looks into: the model of a file, or an object of somebody's Python code."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import Any

from everystep.cli.foreign_code import running
from everystep.errors import SettingError, cure_of_name
from everystep.formats.suffixes import MODEL_SUFFIXES, WEIGHTS_SUFFIXES


def load_target(target: str) -> Any:
    """Return what a target of a command line names.

    Args:
        target: a file of a model (`tagger.keras`, `tagger.everystep`), or code and the name of an
            object in it (`package.module:model`, `folder/file.py:model`). Code is run by importing
            it. A function without parameters is called, and what it returns is taken; everything
            else is taken as it is.

    Raises:
        SettingError: there is no such file, module or object.
        FormatError: the file is damaged, or holds what everystep does not have.
        DataError: the code fails.

    Example:
        >>> load_target("math:sqrt")(9.0)
        3.0
        >>> load_target("math:sqroot")
        Traceback (most recent call last):
            ...
        everystep.errors.SettingError: math:sqroot: math has no 'sqroot': did you mean 'sqrt'?
    """
    if target.endswith(MODEL_SUFFIXES):
        return _model_of_file(target)
    code, colon, name = target.rpartition(":")
    if not (colon and code and name):
        raise SettingError(_not_a_target(target))
    # Models of Keras can be looked into where they run on JAX.
    os.environ.setdefault("KERAS_BACKEND", "jax")
    with running(target):
        module = _module_of_file(target, code) if code.endswith(".py") else _module(target, code)
        found = _object_in(module, target, code, name)
        return found() if _makes(found) else found


def _not_a_target(target: str) -> str:
    if target.endswith(WEIGHTS_SUFFIXES):
        return f"{target}: holds weights alone: save the whole model as .everystep or .keras"
    return (
        f"{target!r} names neither a file that ends with .keras or .everystep nor an object of "
        "Python, as package.module:object or file.py:object do"
    )


def _model_of_file(target: str) -> Any:
    if not Path(target).is_file():
        raise SettingError(f"{target}: no such file")
    from everystep.models import load_model

    return load_model(target, compile=False)


def _module_of_file(target: str, code: str) -> ModuleType:
    """Run a file of Python as a module that can import what stands beside it."""
    path = Path(code).resolve()
    if not path.is_file():
        raise SettingError(f"{target}: no such file: {code}")
    sys.path.insert(0, str(path.parent))
    # Its own name may be that of a module that is imported already.
    name = f"everystep target {path}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, "a file that ends with .py has a loader"
    assert spec.loader is not None, "a file that ends with .py has a loader"
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _module(target: str, code: str) -> ModuleType:
    if (folder := os.getcwd()) not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(code)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{code}.".startswith(f"{error.name}."):
            raise  # The module is there, and imports one that is not.
        raise SettingError(
            f"{target}: no module named {error.name!r} here or among what is installed"
        ) from None


def _object_in(module: ModuleType, target: str, code: str, name: str) -> Any:
    try:
        found = reduce(getattr, name.split("."), module)
    except AttributeError:
        public = [each for each in vars(module) if not each.startswith("_")]
        raise SettingError(
            f"{target}: {code} has no {name!r}: {cure_of_name(name, public)}"
        ) from None
    if inspect.isclass(found):
        raise SettingError(
            f"{target}: {name} is a class: name an object made of it, or a function without "
            "parameters that makes one"
        )
    return found


def _makes(found: Any) -> bool:
    """Tell a function that makes a model, as it takes nothing, from one that is to be explained."""
    return inspect.isfunction(found) and not inspect.signature(found).parameters
