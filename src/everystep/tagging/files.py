"""A tagger in one file: safetensors with a checksum, as a model's, and text instead of code."""

from __future__ import annotations

import os
from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np

from everystep.core.loading import placeholders
from everystep.core.randomness import undisturbed
from everystep.corpora.vocabulary import Vocabulary
from everystep.errors import EverystepError, FormatError
from everystep.formats import (
    OWN_MODEL,
    parse_json,
    place_to_write,
    read_tensors,
    suffix_of,
    write_json,
    write_tensors,
)
from everystep.models.bundle import TAGGER
from everystep.models.matching import matched, places_of
from everystep.models.rebuilding import set_weights, values_of
from everystep.tagging.batches import Rows
from everystep.tagging.constraints import SCHEMES
from everystep.tagging.features import Features
from everystep.tagging.model import TaggerModel
from everystep.tagging.settings import Settings

VERSION = 1
"""The version of what stands in a tagger's file that is written, and the newest that is read."""

VOCABULARIES = "vocabularies"
_LONGEST = 2**20
_KEYS = {"version", "settings", "labels", "scheme", "rows", "record"}


def write_tagger(path: str | PathLike[str], model: TaggerModel, record: Mapping[str, Any]) -> None:
    """Write a tagger and the record of its training; see `Tagger.save`."""
    suffix_of(path, (OWN_MODEL,))
    text = {
        "version": VERSION,
        "settings": model.settings.to_dict(),
        "labels": list(model.labels.entries),
        "scheme": model.scheme,
        "rows": [model.rows.count, model.rows.length],
        "record": record,
    }
    # Too long for a header: a vocabulary may have millions of words.
    vocabularies = np.frombuffer(write_json(model.features.to_dict()).encode(), np.uint8)
    tensors = values_of(places_of(model.network)) | {VOCABULARIES: vocabularies}
    write_tensors(place_to_write(path, overwrite=True), tensors, {TAGGER: write_json(text)})


def read_tagger(path: str | PathLike[str]) -> tuple[TaggerModel, dict[str, Any]]:
    """Return the model and the record that `write_tagger` wrote; see `Tagger.load`."""
    where = os.fspath(path)
    contents = read_tensors(path)
    tensors = dict(contents.tensors)
    if TAGGER not in contents.metadata or VOCABULARIES not in tensors:
        raise FormatError(
            f"{where}: the file holds no tagger; everystep.load_model reads models, and "
            "everystep.Tagger.save writes taggers"
        )
    text = _checked(parse_json(contents.metadata[TAGGER], f"{where}: {TAGGER}"), where)
    vocabularies = tensors.pop(VOCABULARIES)
    if vocabularies.dtype != np.uint8 or vocabularies.ndim != 1:
        raise FormatError(f"{where}: {VOCABULARIES} is {vocabularies.dtype}, not text")
    known = parse_json(vocabularies.tobytes(), f"{where}: {VOCABULARIES}")
    try:
        settings = Settings.from_dict(text["settings"])
        features = Features.from_dict(known, settings)
        labels = Vocabulary(text["labels"], reserved=False)
        with undisturbed(), placeholders(sum(array.size for array in tensors.values())):
            model = TaggerModel(settings, features, labels, Rows(*text["rows"]), text["scheme"])
    except EverystepError as error:
        raise FormatError(f"{where}: {error}") from error
    variables = places_of(model.network)
    set_weights(variables, matched(variables, tensors, where), where)
    return model, text["record"]


def _checked(text: Any, where: str) -> dict[str, Any]:
    """Return the text of a tagger, if it has the form that this version writes."""
    version = text.get("version") if isinstance(text, dict) else None
    if type(version) is int and version > VERSION:
        raise FormatError(
            f"{where}: the tagger has version {version}, but this everystep reads up to "
            f"{VERSION}: install a newer everystep"
        )
    if version != VERSION or set(text) != _KEYS:
        raise FormatError(f"{where}: {TAGGER} is not text that everystep writes")
    rows: Any = text["rows"]
    right = {
        "settings": isinstance(text["settings"], dict),
        "scheme": text["scheme"] in (None, *SCHEMES),
        "record": isinstance(text["record"], dict),
        "labels": isinstance(text["labels"], list) and bool(text["labels"]),
        "rows": isinstance(rows, list)
        and len(rows) == 2
        and all(type(size) is int and 1 <= size <= _LONGEST for size in rows),
    }
    for name, is_right in right.items():
        if not is_right:
            raise FormatError(f"{where}: {TAGGER}, {name} is {text[name]!r:.80}")
    found: dict[str, Any] = text
    return found
