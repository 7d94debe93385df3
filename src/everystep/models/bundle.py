"""Our own files: a model in one safetensors file with its configuration inside, or weights alone.

A file holds names, numbers and text. Names of classes are looked up in tables, so that no file can
make anything be imported or called that was not registered before.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from everystep.errors import FormatError
from everystep.formats import parse_json, read_tensors, write_tensors
from everystep.models.matching import matched, places_of
from everystep.models.rebuilding import (
    as_json,
    compile_again,
    configuration_of,
    rebuilt,
    set_fitting_weights,
    set_weights,
    values_of,
)

if TYPE_CHECKING:
    from everystep.models.model import Model

_CONFIG = "config"
TAGGER, SIGNAL_TAGGER = "tagger", "signal_tagger"
"""Under which name a file of a tagger, of sentences or of signals, holds what it is."""

_READERS = {TAGGER: "Tagger", SIGNAL_TAGGER: "SignalTagger"}


def write_model(model: Model, path: Path) -> None:
    """Write a model, its weights and what `compile` was given."""
    text = as_json(configuration_of(model), model)
    write_tensors(path, values_of(places_of(model)), {_CONFIG: text})


def read_model(path: Path, compile: bool) -> Any:
    """Return the model that `write_model` wrote.

    Raises:
        FormatError: the file is damaged, hostile, or holds no model.
    """
    contents = read_tensors(path)
    for kind in _READERS.keys() & contents.metadata.keys():
        raise FormatError(
            f"{path}: the file holds a tagger: everystep.{_READERS[kind]}.load reads it"
        )
    if _CONFIG not in contents.metadata:
        raise FormatError(
            f"{path}: the file holds weights only: build the model and call its load_weights"
        )
    where = f"{path}: {_CONFIG}"
    config = parse_json(contents.metadata[_CONFIG], where)
    elements = sum(array.size for array in contents.tensors.values())
    model = rebuilt(config, elements, where)
    variables = places_of(model)
    set_weights(variables, matched(variables, contents.tensors, str(path)), str(path))
    if compile:
        compile_again(model, config.get("compile_config"), str(path))
    return model


def write_weights(model: Model, path: Path) -> None:
    """Write the weights of a model, under the names of their layers."""
    write_tensors(path, values_of(places_of(model)), {})


def read_weights(model: Model, path: Path, partly: bool) -> None:
    """Read the weights of a file of ours into a model, all of them or those that fit.

    Raises:
        FormatError: the file is damaged, or its weights are not those of this model.
    """
    variables = places_of(model)
    values = matched(variables, read_tensors(path).tensors, str(path), partly)
    (set_fitting_weights if partly else set_weights)(variables, values, str(path))
