"""A tagger of sentences in one file: settings, vocabularies, labels, weights and the record."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np

from everystep.corpora.vocabulary import Vocabulary
from everystep.errors import FormatError
from everystep.formats import parse_json, write_json
from everystep.models.bundle import TAGGER
from everystep.tagging.batches import Rows
from everystep.tagging.constraints import SCHEMES
from everystep.tagging.container import Form, TaggerFile, write_tagger_file
from everystep.tagging.features import Features
from everystep.tagging.model import TaggerModel
from everystep.tagging.settings import Settings

VOCABULARIES = "vocabularies"
_LONGEST = 2**20


def _are_rows(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(type(size) is int and 1 <= size <= _LONGEST for size in value)
    )


FORM = Form(
    TAGGER,
    "tagger",
    "everystep.Tagger",
    version=1,
    texts={
        "settings": lambda value: isinstance(value, dict),
        "labels": lambda value: isinstance(value, list) and bool(value),
        "scheme": lambda value: value in (None, *SCHEMES),
        "rows": _are_rows,
        "record": lambda value: isinstance(value, dict),
    },
    # Too long for a header: a vocabulary may have millions of words.
    arrays=(VOCABULARIES,),
)


def write_tagger(path: str | PathLike[str], model: TaggerModel, record: Mapping[str, Any]) -> None:
    """Write a tagger and the record of its training; see `Tagger.save`."""
    text = {
        "settings": model.settings.to_dict(),
        "labels": list(model.labels.entries),
        "scheme": model.scheme,
        "rows": [model.rows.count, model.rows.length],
        "record": record,
    }
    vocabularies = np.frombuffer(write_json(model.features.to_dict()).encode(), np.uint8)
    write_tagger_file(path, FORM, text, {VOCABULARIES: vocabularies}, model.network)


def read_tagger(path: str | PathLike[str]) -> tuple[TaggerModel, dict[str, Any]]:
    """Return the model and the record that `write_tagger` wrote; see `Tagger.load`."""
    file = TaggerFile(path, FORM)
    text, vocabularies = file.text, file.arrays[VOCABULARIES]
    if vocabularies.dtype != np.uint8 or vocabularies.ndim != 1:
        raise FormatError(f"{file.where}: {VOCABULARIES} is {vocabularies.dtype}, not text")
    known = parse_json(vocabularies.tobytes(), f"{file.where}: {VOCABULARIES}")
    with file.building():
        settings = Settings.from_dict(text["settings"])
        features = Features.from_dict(known, settings)
        labels = Vocabulary(text["labels"], reserved=False)
        model = TaggerModel(settings, features, labels, Rows(*text["rows"]), text["scheme"])
    file.fill(model.network)
    return model, text["record"]
