"""Typed settings: declared once in a class, from which constructor, config, repr and checks come.

A class lists its settings in order; what a setting takes is a `Kind`. From the list follow the
constructor and its signature, `get_config` and `from_config`, the repr, and one clear error for a
wrong value. A class with an `__init__` of its own works too: its arguments become its config.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

from everystep.core.registry import deserialize, serialize
from everystep.errors import SettingError, cure_of_name
from everystep.kinds import Kind, checked

REQUIRED: Any = inspect.Parameter.empty
InConfig = bool | Literal["where given"]


@dataclass(frozen=True)
class Setting:
    """One setting of a class: its kind, its default and its place in the constructor."""

    kind: Kind
    default: Any = REQUIRED
    kw_only: bool = False
    in_config: InConfig = True
    attribute: str = ""
    after: str = ""
    name: str = ""

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is REQUIRED

    def parse(self, owner: str, value: Any) -> Any:
        """Return the value to keep, or raise the error that names class, setting and cure."""
        return self.kind.taken(f"{owner}: {self.name}", value)


def setting(
    kind: Kind,
    *,
    default: Any = REQUIRED,
    kw_only: bool = False,
    in_config: InConfig = True,
    attribute: str = "",
    after: str = "",
) -> Any:
    """Declare a setting in a class body.

    Args:
        kind: what it takes.
        default: the value where none is given; without one the setting is required.
        kw_only: whether it can be given by name alone.
        in_config: whether `get_config` lists it: always, never, or where it is not its default.
        attribute: where the object keeps it, if not under the setting's own name.
        after: the setting behind which it stands; by default it stands last.
    """
    return Setting(kind, default, kw_only, in_config, attribute, after)


class Configurable:
    """A class whose settings are declared as typed fields; see the module's docstring."""

    settings: ClassVar[Mapping[str, Setting]] = {}
    _own_init: ClassVar[bool] = False
    _given: tuple[tuple[Any, ...], dict[str, Any]]

    def __init_subclass__(cls, fills_settings: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = {
            name: replace(value, name=name, attribute=value.attribute or name)
            for name, value in vars(cls).items()
            if isinstance(value, Setting)
        }
        for name in own:
            delattr(cls, name)
        inherited: dict[str, Setting] = {}
        for base in reversed(cls.__mro__[1:]):
            further = getattr(base, "settings", {})
            inherited = {name: inherited[name] for name in inherited if name not in further}
            inherited |= further
        # A setting that is declared again stands where this class puts it.
        kept = {name: item for name, item in inherited.items() if name not in own}
        placed = _placed(kept | own)
        cls.settings = dict(sorted(placed.items(), key=lambda item: item[1].kw_only))
        if "__init__" in vars(cls):
            cls._own_init = not fills_settings
        if not cls._own_init and _open_ended(cls.__init__):
            cls.__signature__ = _signature(cls.settings)  # type: ignore[attr-defined]
        elif "__init__" in vars(cls):
            # Not that of the base, which has been set there.
            cls.__signature__ = _without_self(cls.__init__)  # type: ignore[attr-defined]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Remember the arguments, for classes that have an `__init__` of their own."""
        self = super().__new__(cls)
        if cls._own_init:
            object.__setattr__(self, "_given", (args, kwargs))
        return self

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for name, value in self._bind(args, kwargs).items():
            item = self.settings[name]
            setattr(self, item.attribute, item.parse(type(self).__name__, value))

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        owner = type(self).__name__
        for name in kwargs:
            if name not in self.settings:
                raise SettingError(
                    f"Unrecognized keyword arguments passed to {owner}: {owner} has no setting "
                    f"'{name}': {cure_of_name(name, self.settings)}"
                )
        try:
            bound = _signature(self.settings).bind(*args, **kwargs)
        except TypeError as error:
            raise SettingError(f"{owner}: {error}") from None
        bound.apply_defaults()
        return bound.arguments

    def get_config(self) -> dict[str, Any]:
        """Return the settings as plain data, from which `from_config` makes an equal object."""
        config = {
            name: item.kind.to_config(getattr(self, item.attribute))
            for name, item in self.settings.items()
            if item.in_config is True
            or (item.in_config and not _is_default(item, getattr(self, item.attribute)))
        }
        return config | self._own_arguments()

    def _own_arguments(self) -> dict[str, Any]:
        """Return the arguments of a class with its own `__init__`, as plain data.

        One that has a `get_config` of its own as well says there what it wants of them.
        """
        if not self._own_init or _defined(type(self), "get_config") <= _defined(
            type(self), "__init__"
        ):
            return {}
        args, kwargs = self._given
        signature = inspect.signature(type(self).__init__)
        bound = signature.bind(self, *args, **kwargs).arguments
        return {
            name: serialize(value)
            for name, value in bound.items()
            if name not in self.settings and _by_name(signature.parameters[name])
        }

    @classmethod
    @checked
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return a new object with the settings that `get_config` gave."""
        if not cls._own_init:
            return cls(**config)
        left = {} if _takes_any_name(cls.__init__) else cls._not_taken(config)
        made = cls(
            **{
                name: value if name in cls.settings else deserialize(value)
                for name, value in config.items()
                if name not in left
            }
        )
        for name, value in left.items():
            item = cls.settings[name]
            setattr(made, item.attribute, item.parse(cls.__name__, value))
        return made

    @classmethod
    def _not_taken(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings that an `__init__` of its own does not take, such as the name."""
        taken = inspect.signature(cls.__init__).parameters
        return {
            name: value
            for name, value in config.items()
            if name in cls.settings and name not in taken
        }

    def __repr__(self) -> str:
        parts = []
        for name, item in self.settings.items():
            value = getattr(self, item.attribute, item.default)
            if item.in_config and not _is_default(item, value):
                parts.append(f"{name}={_shown(item, value)}")
        return f"{type(self).__name__}({', '.join(parts)})"


def _shown(item: Setting, value: Any) -> str:
    # A function of one's own may have no place in a configuration, but it has a name.
    if inspect.isfunction(value):
        return value.__name__
    several = value if isinstance(value, list) and value else [value]
    whole = all(isinstance(one, Configurable) for one in several)
    return repr(value if whole else item.kind.to_config(value))


def _placed(settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """Put each setting that says so behind the one that it names."""
    order = [name for name, item in settings.items() if item.after not in settings]
    for name in [name for name in settings if name not in order]:
        order.insert(order.index(settings[name].after) + 1, name)
    return {name: settings[name] for name in order}


def _is_default(item: Setting, value: Any) -> bool:
    if item.default is REQUIRED:
        return False
    default = item.kind.parse(item.default)
    if inspect.isfunction(value) or inspect.isfunction(default):
        return default is value
    kept = item.kind.to_config(default)
    return bool(kept == item.kind.to_config(value))


def _defined(cls: type, name: str) -> int:
    """Return how far up a class's ancestry a method is defined: 0 for the class itself."""
    return next(place for place, base in enumerate(cls.__mro__) if name in vars(base))


def _takes_any_name(function: Any) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)


def _without_self(function: Any) -> inspect.Signature:
    signature = inspect.signature(function)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def _open_ended(function: Any) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters)


def _by_name(parameter: inspect.Parameter) -> bool:
    plain = (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    return parameter.name != "self" and parameter.kind in plain


def _signature(settings: Mapping[str, Setting]) -> inspect.Signature:
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = [
        inspect.Parameter(name, kinds[item.kw_only], default=item.default)
        for name, item in settings.items()
    ]
    required_first = sorted(parameters, key=lambda p: (p.kind, p.default is not REQUIRED))
    return inspect.Signature(required_first)
