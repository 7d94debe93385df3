"""A tagger of signals in one file: settings, scale, names of labels, weights and the record."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np

from everystep.errors import FormatError
from everystep.models.bundle import SIGNAL_TAGGER
from everystep.tagging.container import Form, TaggerFile, write_tagger_file
from everystep.tagging.signals.features import Scale
from everystep.tagging.signals.model import SignalModel
from everystep.tagging.signals.samples import MOST_LABELS
from everystep.tagging.signals.settings import SignalSettings

SCALE = "scale"


def _are_names(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 1 <= len(value) <= MOST_LABELS
        and all(isinstance(each, str) and each for each in value)
        and len(set(value)) == len(value)
    )


FORM = Form(
    SIGNAL_TAGGER,
    "tagger of signals",
    "everystep.SignalTagger",
    version=1,
    texts={
        "settings": lambda value: isinstance(value, dict),
        "labels": _are_names,
        "record": lambda value: isinstance(value, dict),
    },
    arrays=(SCALE,),
)


def write_signal_tagger(
    path: str | PathLike[str], model: SignalModel, record: Mapping[str, Any]
) -> None:
    """Write a tagger and the record of its training; see `SignalTagger.save`."""
    text = {
        "settings": model.settings.to_dict(),
        "labels": list(model.names),
        "record": record,
    }
    scale = np.stack([model.scale.means, model.scale.deviations])
    write_tagger_file(path, FORM, text, {SCALE: scale}, model.network)


def read_signal_tagger(path: str | PathLike[str]) -> tuple[SignalModel, dict[str, Any]]:
    """Return the model and the record that were written; see `SignalTagger.load`."""
    file = TaggerFile(path, FORM)
    text, scale = file.text, file.arrays[SCALE]
    if scale.ndim != 2 or len(scale) != 2:
        raise FormatError(f"{file.where}: {SCALE} has shape {scale.shape}, not (2, channels)")
    with file.building():
        settings = SignalSettings.from_dict(text["settings"])
        if settings.names and list(settings.names) != text["labels"]:
            raise FormatError("labels are not those that the settings name")
        model = SignalModel(settings, Scale(*scale), tuple(text["labels"]))
    file.fill(model.network)
    return model, text["record"]
