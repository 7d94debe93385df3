"""Saving and loading of models, and names for classes of your own, under Keras's names."""

from everystep.core.registry import (
    custom_object_scope,
    register_keras_serializable,
)
from everystep.core.registry import deserialize as deserialize_keras_object
from everystep.core.registry import serialize as serialize_keras_object
from everystep.models.files import load_model, load_weights, save_model, save_weights

__all__ = [
    "custom_object_scope",
    "deserialize_keras_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]
