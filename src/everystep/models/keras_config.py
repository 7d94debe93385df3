"""A model's configuration as Keras writes it, and as we do: where the two differ."""

from __future__ import annotations

from typing import Any

from everystep.errors import FormatError, SettingError
from everystep.layers import CATALOGUE

OURS = frozenset({"CRF", "LayerNormGRUCell", "LayerNormLSTMCell", "PeepholeLSTMCell", "PerStep"})
"""Layers that Keras does not have."""

_EXECUTION = ("auto_scale_loss", "jit_compile", "run_eagerly", "steps_per_execution")
"""What `compile` of Keras takes besides: how a step runs, not what it computes."""


def from_keras(config: Any, where: str) -> Any:
    """Return a configuration of Keras without what has no meaning here.

    Args:
        config: the configuration, as plain data.
        where: the file and the field, for error messages.

    Raises:
        FormatError: it holds a layer that we do not have, or code; the message names the layer.
    """
    if isinstance(config, list):
        return [from_keras(item, where) for item in config]
    if not isinstance(config, dict):
        return config
    kept = {name: from_keras(value, where) for name, value in config.items()}
    settings, training = kept.get("config"), kept.get("compile_config")
    if isinstance(settings, dict) and str(kept.get("module")).startswith("keras"):
        _check_layer(kept, where)
    if kept.get("class_name") == "Sequential" and isinstance(settings, dict):
        _open_ids(settings.get("layers"))
    if isinstance(training, dict):
        kept["compile_config"] = {
            name: value
            for name, value in training.items()
            if name not in _EXECUTION and value is not None
        }
    return kept


def _check_layer(config: dict[str, Any], where: str) -> None:
    """Refuse a layer that we do not have, or that holds code, by its name in the model."""
    settings, kind = config["config"], str(config.get("class_name"))
    layer = f"{where}: layer {str(settings.get('name'))[:80]!r} ({kind[:80]})"
    if config["module"] == "keras.layers":
        try:
            CATALOGUE.find(kind)
        except SettingError as error:
            raise FormatError(f"{layer}: {error}") from None
    for name, value in settings.items():
        if isinstance(value, dict) and value.get("class_name") == "__lambda__":
            raise FormatError(
                f"{layer}: {name} is a Python lambda, which is code and is never run. Use a named "
                "function that is registered with everystep.saving.register_keras_serializable, or "
                "build the model from your own source and load its weights alone"
            )


def _open_ids(layers: Any) -> None:
    """Take away the dtype of an input that an Embedding reads.

    A Sequential of Keras that was given no Input makes one of float32, whatever it was called on.
    """
    if isinstance(layers, list) and len(layers) > 1:
        first, second = layers[:2]
        names = [layer.get("class_name") for layer in (first, second) if isinstance(layer, dict)]
        if names == ["InputLayer", "Embedding"] and isinstance(first.get("config"), dict):
            first["config"]["dtype"] = None


def for_keras(config: Any) -> Any:
    """Return a configuration of ours, if Keras can read it.

    Raises:
        SettingError: it holds a layer that Keras does not have.
    """
    if isinstance(config, list):
        return [for_keras(item) for item in config]
    if not isinstance(config, dict):
        return config
    name = config.get("class_name")
    if name in OURS and config.get("module") == "keras.layers":
        raise SettingError(
            f"layer '{config['config']['name']}' ({name}) is not in Keras, so no .keras file can "
            "hold it: save the model as .everystep"
        )
    return {key: for_keras(value) for key, value in config.items()}
