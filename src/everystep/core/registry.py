"""Which name in a configuration stands for which class: explicit tables, never an import path.

A configuration comes from a file, and a file may be hostile. A name in it is looked up in a table;
what is in no table is refused, and nothing is imported or called to find out.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from everystep.core.naming import snake_case
from everystep.core.plain_data import marked, unmarked
from everystep.core.sharing import find_read, note_read, note_written
from everystep.errors import IdentifierError, SettingError, cure_of_name
from everystep.kinds import Kind, checked, reject, shown

T = TypeVar("T")

_NAMED = Kind(
    "a class or a function",
    lambda value: value if callable(value) and value.__name__ else reject(value),
    refused=(None, "text", 3),
)
_catalogues: dict[str, Catalogue] = {}
_registered: dict[str, Any] = {}
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_custom: ContextVar[Mapping[str, Any]] = ContextVar("custom", default=_NOTHING)


class Catalogue:
    """The table of one family of classes, such as the initializers.

    Args:
        what: the family in words, for error messages: `initializer`.
        module: the family's name in configurations: `keras.initializers`.
        classes: the classes, found under their own names; a family of functions lists those.
        aliases: further names that people may use, besides the classes' own in snake case.
        renamed: classes that are public by another name than their own, by that name.
    """

    def __init__(
        self,
        what: str,
        module: str,
        classes: Iterable[Any],
        aliases: Mapping[str, Any] | None = None,
        renamed: Mapping[str, Any] = _NOTHING,
    ) -> None:
        self.what = what
        self.module = module
        self.classes: dict[str, Any] = {cls.__name__: cls for cls in classes} | dict(renamed)
        self.names = {cls: name for name, cls in renamed.items()}
        self.aliases = {snake_case(name): cls for name, cls in self.classes.items()}
        self.aliases |= aliases or {}
        _catalogues[module] = self

    def find(self, name: str) -> Any:
        """Return the class that a name stands for, or raise the error that lists the names."""
        custom = _custom.get().get(name, _registered.get(name))
        if custom is not None:
            return custom
        found = self.classes.get(name) or self.aliases.get(name)
        if found is None:
            problem = unknown(self.what, name, [*self.aliases, *self.classes])
            raise SettingError(f"Could not interpret {self.what} identifier: {name}: {problem}")
        return found

    def make(self, value: Any) -> Any:
        """Return the object for a name, a class, a configuration or an object itself."""
        if isinstance(value, str):
            found = self.find(value)
            return found() if isinstance(found, type) else found
        if isinstance(value, dict) and "class_name" in value:
            return deserialize(value, self)
        if isinstance(value, type):
            return value()
        return value

    def get(self, value: Any) -> Any:
        """Return the object for whatever `make` takes, or a function of a user's own.

        Raises:
            SettingError: nothing has that name.
            IdentifierError: it is neither a name nor something that can be called.
        """
        found = self.make(value)
        if not callable(found):
            raise IdentifierError(
                f"Could not interpret {self.what} identifier: the {self.what} must be a name or a "
                f"callable, not {shown(value)}"
            )
        return found


def named(module: str, name: Any) -> Any:
    """Return the object of a family, such as `keras.initializers`, that a name stands for."""
    return _catalogues[module].make(name)


def deserializer(get: Callable[[Any], T]) -> Callable[..., T]:
    """Return a family's `deserialize`: its `get`, which also takes names of a user's own."""

    @checked
    def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> T:
        """Return the object for a configuration or a name.

        Args:
            config: the configuration.
            custom_objects: names of classes and functions of your own.

        Raises:
            SettingError: the name is in no table.
        """
        with custom_object_scope(custom_objects or {}):
            return get(config)

    return deserialize


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return the message for a name that no table has, with the nearest one that exists."""
    return f"there is no {what} named '{name}': {cure_of_name(name, sorted(set(known)))}"


@checked
def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Enter a class or function of your own in the table, so that models with it can be loaded.

    Args:
        package: the first half of the registered name.
        name: the second half; by default the class's own name.

    Example:
        >>> import everystep as es
        >>> @es.saving.register_keras_serializable(package="docs")
        ... class Twice(es.layers.Layer):
        ...     stepwise = True
        ...     def call(self, inputs):
        ...         return 2 * inputs
        >>> model = es.Sequential([Twice(input_shape=(3,))])
        >>> es.Sequential.from_config(model.get_config()).layers[0].name
        'twice'
    """

    def register(thing: T) -> T:
        own = name or thing.__name__  # type: ignore[attr-defined]
        thing.__registered_name__ = f"{package}>{own}"  # type: ignore[attr-defined]
        _registered[f"{package}>{own}"] = thing
        return thing

    return register


@checked(obj=_NAMED)
def get_registered_name(obj: Any) -> str:
    """Return the name under which a class or function is registered, or else its own.

    Example:
        >>> @register_keras_serializable(package="docs")
        ... def twice(x):
        ...     return 2 * x
        >>> get_registered_name(twice), get_registered_name(dict)
        ('docs>twice', 'dict')
    """
    return str(getattr(obj, "__dict__", {}).get("__registered_name__", obj.__name__))


@checked
def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Return the class or function that is registered under a name, or None.

    Args:
        name: the name.
        custom_objects: a table to look in after those of the scope and the registered ones.
        module_objects: a table to look in last.
    """
    tables = (_custom.get(), _registered, custom_objects or {}, module_objects or {})
    return next((table[name] for table in tables if name in table), None)


def get_custom_objects() -> dict[str, Any]:
    """Return the table of what is registered; what is put into it is registered as well."""
    return _registered


@checked
@contextmanager
def custom_object_scope(objects: Mapping[str, Any]) -> Iterator[None]:
    """Let these names stand for these classes or functions while the `with` block lasts."""
    token = _custom.set({**_custom.get(), **objects})
    try:
        yield
    finally:
        _custom.reset(token)


def serialize(value: Any) -> Any:
    """Return plain data for a setting's value: numbers, strings, lists, and named objects."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [serialize(item) for item in value]
    if isinstance(value, dict):
        return {str(key): serialize(item) for key, item in value.items()}
    if hasattr(value, "get_config"):
        return note_written(value, {**_name_of(type(value)), "config": value.get_config()})
    if inspect.isfunction(value):
        return _name_of_function(value)
    data = marked(value)
    if data is not None:
        return data
    raise SettingError(
        f"{shown(value)} cannot be written to a configuration: give the class a get_config of its "
        "own"
    )


def _name_of(cls: type) -> dict[str, Any]:
    for catalogue in _catalogues.values():
        name = catalogue.names.get(cls, cls.__name__)
        if catalogue.classes.get(name) is cls:
            return {
                "module": catalogue.module,
                "class_name": name,
                "registered_name": None,
            }
    # Its own name: a subclass that is not registered must not go by that of its base.
    registered = vars(cls).get("__registered_name__", cls.__name__)
    return {"module": None, "class_name": cls.__name__, "registered_name": registered}


def _name_of_function(function: Any) -> dict[str, Any]:
    name = getattr(function, "__registered_name__", None)
    if name is None:
        own = function.__name__
        tables = (_custom.get(), *(catalogue.classes for catalogue in _catalogues.values()))
        if not any(table.get(own) is function for table in tables):
            raise SettingError(
                f"the function '{own}' is in no table, so a configuration cannot name it: decorate "
                "it with everystep.saving.register_keras_serializable"
            )
        name = own
    return {
        "module": "builtins",
        "class_name": "function",
        "config": name,
        "registered_name": "function",
    }


def deserialize(data: Any, catalogue: Catalogue | None = None) -> Any:
    """Return what plain data from `serialize` stands for.

    Args:
        data: the plain data.
        catalogue: where to look for the name; by default the family that the data names.

    Raises:
        SettingError: a name is in no table.
    """
    if isinstance(data, list):
        return [deserialize(item) for item in data]
    if not isinstance(data, dict):
        return data
    if "class_name" not in data:
        return {key: deserialize(value) for key, value in data.items()}
    name, config = data["class_name"], data.get("config") or {}
    if isinstance(name, str) and name.startswith("__"):
        return unmarked(name, config)
    if name == "function" and isinstance(config, str):
        return _function_named(config, catalogue)
    shared = find_read(data)
    return shared if shared is not None else note_read(_object(data, catalogue), data)


def _object(data: dict[str, Any], catalogue: Catalogue | None) -> Any:
    """Return the object whose class the data names, made from the settings that it holds."""
    name, config = data["class_name"], data.get("config") or {}
    if not isinstance(name, str) or not isinstance(config, dict):
        raise SettingError("a configuration must name its class and hold its settings")
    catalogue = catalogue or _catalogues.get(str(data.get("module")))
    registered = data.get("registered_name")
    for table in (_custom.get(), _registered):
        for key in (registered, name):
            if isinstance(key, str) and key in table:
                return _from_config(table[key], config)
    if catalogue is None:
        raise SettingError(
            f"Could not locate class '{name}': the configuration names '{registered or name}', "
            "which is not registered: decorate the class with "
            "everystep.saving.register_keras_serializable, or load with custom_objects={...}"
        )
    return _from_config(catalogue.find(name), config)


def _function_named(name: str, catalogue: Catalogue | None) -> Any:
    if catalogue is not None:
        return catalogue.find(name)
    tables = (_custom.get(), _registered, *(table.classes for table in _catalogues.values()))
    for table in tables:
        if name in table:
            return table[name]
    raise SettingError(unknown("function", name, {**_registered, **_custom.get()}))


def _from_config(cls: Any, config: Mapping[str, Any]) -> Any:
    return cls.from_config(config) if hasattr(cls, "from_config") else cls
