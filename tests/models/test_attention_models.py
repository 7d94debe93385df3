"""A model of attention and merging layers: through Keras's files both ways, and on packed rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from everystep import layers
from everystep.models import Model, load_model
from everystep.sequences import pack
from tests.tolerances import assert_close
from tests.trees import assert_trees_close

keras: Any = pytest.importorskip("keras", reason="Keras is what is compared with")

IDS = np.array([[1, 2, 3, 0, 0], [4, 5, 0, 0, 0], [6, 7, 8, 1, 2]])


def reader(room: Any, model: Any) -> Any:
    """A model in which every layer of attention reads, and is read, behind a mask."""
    inputs = room.Input((None,), dtype="int32")
    words = room.Embedding(9, 4, mask_zero=True, embeddings_initializer="normal")(inputs)
    read = room.MultiHeadAttention(2, 3)(words, words, use_causal_mask=True)
    grouped = room.GroupQueryAttention(3, 4, 2)(read, read)
    added = room.AdditiveAttention()([grouped, grouped])
    plain = room.Attention(use_scale=True)([grouped, added])
    joined = room.concatenate([grouped, plain])
    return model(inputs, room.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d")(joined))


# Keras's EinsumDense, alone and inside, takes no mask.
@pytest.mark.filterwarnings("ignore:(?s).*does not support masking")
def test_keras_files_give_the_same_predictions_both_ways(tmp_path: Path) -> None:
    real = IDS != 0
    theirs = reader(keras.layers, keras.Model)
    theirs.save(tmp_path / "theirs.keras")
    ours = load_model(tmp_path / "theirs.keras")
    found = ours(IDS)
    np.testing.assert_array_equal(found.mask, real)
    assert_close(found.values[real], np.asarray(theirs(IDS))[real])
    ours.save(tmp_path / "ours.keras")
    back = keras.models.load_model(tmp_path / "ours.keras")
    assert_close(found.values[real], np.asarray(back(IDS))[real])


def test_packed_rows_give_what_each_sequence_gives_alone() -> None:
    model = reader(layers, Model)
    sequences = [ids[ids != 0] for ids in IDS]
    wanted = [np.asarray(model(sequence[None]))[0] for sequence in sequences]
    assert_trees_close(model(pack(sequences, length=6)).unpack(), wanted)
