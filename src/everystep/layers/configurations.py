"""Layers as plain data, and back, under Keras's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from everystep.core.registry import custom_object_scope
from everystep.core.registry import deserialize as read
from everystep.core.registry import serialize as write
from everystep.errors import SettingError
from everystep.kinds import checked, shown
from everystep.layers.layer import Layer


def serialize(layer: Layer) -> dict[str, Any]:
    """Return the configuration of a layer as plain data.

    Example:
        >>> import everystep as es
        >>> serialize(es.layers.Flatten())["class_name"]
        'Flatten'
    """
    return write(layer)  # type: ignore[no-any-return]


@checked
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Layer:
    """Return the layer of a configuration.

    Args:
        config: what `serialize` returned.
        custom_objects: names of classes and functions of your own.

    Raises:
        SettingError: it is not the configuration of a layer, or names what is in no table.

    Example:
        >>> import everystep as es
        >>> deserialize(serialize(es.layers.Flatten(name="flat"))).name
        'flat'
    """
    with custom_object_scope(custom_objects or {}):
        layer = read(config)
    if not isinstance(layer, Layer):
        raise SettingError(
            f"layers.deserialize takes the configuration of a layer, not {shown(config)}"
        )
    return layer
