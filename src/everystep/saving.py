"""Saving and loading of models, and names for classes of your own, under Keras's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from everystep.core.registry import (
    custom_object_scope,
    deserialize,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize,
)
from everystep.kinds import checked
from everystep.models.files import load_model, load_weights, save_model, save_weights

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

CustomObjectScope = custom_object_scope


def serialize_keras_object(obj: Any) -> Any:
    """Return plain data for a layer, a model, a loss, any object with a configuration, or a list.

    Raises:
        SettingError: it is a function that is not registered, or has no configuration.

    Example:
        >>> import everystep as es
        >>> serialize_keras_object(es.regularizers.L2(0.5))["config"]
        {'l2': 0.5}
    """
    return serialize(obj)


@checked
def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """Return what plain data from `serialize_keras_object` stands for.

    Args:
        config: the plain data.
        custom_objects: names of classes and functions of your own.
        safe_mode: taken for compatibility; nothing in a configuration is ever run as code.

    Raises:
        SettingError: a name is in no table.

    Example:
        >>> import everystep as es
        >>> deserialize_keras_object(serialize_keras_object(es.regularizers.L2(0.5)))
        L2(l2=0.5)
    """
    del safe_mode
    with custom_object_scope(custom_objects or {}):
        return deserialize(config)
