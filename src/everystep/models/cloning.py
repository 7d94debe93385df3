"""Models made anew: from a configuration in JSON, or as a copy of another model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from everystep.core.registry import custom_object_scope, deserialize
from everystep.core.sharing import sharing
from everystep.errors import SettingError
from everystep.formats import parse_json
from everystep.models.keras_config import from_keras
from everystep.models.model import Model


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """Return a new model with the layers that `model.to_json` wrote, here or in Keras.

    Args:
        json_string: what `to_json` returned.
        custom_objects: classes and functions of your own, by the names that the JSON calls them.

    Raises:
        FormatError: it is not JSON, or names a layer that is in no table.
        SettingError: it is not the configuration of a model, or names a class that is in no table.

    Example:
        >>> import everystep as es
        >>> start = es.Input((5, 3))
        >>> model = es.Model(start, start + es.layers.Dense(3)(start))
        >>> again = es.models.model_from_json(model.to_json())
        >>> again.output_shape, again.count_params()
        ((None, 5, 3), 12)
    """
    where = "the JSON of a model"
    config = from_keras(parse_json(json_string, where), where)
    with custom_object_scope(custom_objects or {}), sharing():
        model = deserialize(config)
    if not isinstance(model, Model):
        raise SettingError(f"the JSON must be that of a model, not of {type(model).__name__}")
    return model
