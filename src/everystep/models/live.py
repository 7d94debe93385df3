"""Taking over a model of Keras that is in memory."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from everystep.core.registry import custom_object_scope
from everystep.errors import FormatError, SettingError
from everystep.kinds import checked, shown


@checked
def from_keras(
    model: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True
) -> Any:
    """Return a model of everystep that predicts what a model of Keras predicts.

    Whatever backend Keras runs on. Its own way of saving says what the model is made of, where each
    weight belongs, and how far its optimizer has come; the copy shares nothing with it.

    Args:
        model: a model of Keras 3, built.
        custom_objects: classes and functions of your own that are made for everystep, of the same
            names as those in the model, by the names that Keras knows them by.
        compile: whether to compile the model as it is in Keras.

    Raises:
        SettingError: it is no model of Keras, is not built, or holds a layer, a setting or a Python
            lambda that everystep does not have; the message names the layer.

    Example:
        >>> import everystep as es, keras, numpy as np
        >>> theirs = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(4)])
        >>> ours = es.from_keras(theirs)
        >>> x = np.ones((2, 5, 3), "float32")
        >>> bool(np.allclose(ours.predict(x), theirs.predict(x, verbose=0), atol=1e-5))
        True
    """
    # Whoever has a model of Keras has imported it; nobody else needs to.
    keras = sys.modules.get("keras")
    if keras is None or not isinstance(model, keras.Model):
        raise SettingError(
            f"from_keras takes a model of Keras, such as keras.Model, not {shown(model)}"
        )
    if not model.built:
        raise SettingError(
            f"model '{model.name}' of Keras is not built, so it has no weights yet: call it on "
            "data, or build it with a shape"
        )
    from everystep.formats.keras_archive import read_archive
    from everystep.models.keras_file import model_of  # With h5py, which takes its time to import.

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        model.save(path)
        archive = read_archive(path)
    try:
        with custom_object_scope(custom_objects or {}):
            return model_of(archive, compile, f"model '{model.name}' of Keras")
    except FormatError as error:
        raise SettingError(str(error)) from error
