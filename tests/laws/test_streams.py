"""A model's stream gives, step by step and chunk by chunk, what the model gives for the whole."""

from typing import Any

import numpy as np
import pytest

from everystep.errors import StreamError
from everystep.layers import Input, PerStep
from everystep.models import Model
from tests.catalogue import BATCH, ENTRIES, STEPS, Entry
from tests.laws.selection import about
from tests.tolerances import assert_close
from tests.trees import outputs_of

OWN_WEIGHTS = {entry.name for entry in ENTRIES if isinstance(entry.subject(), PerStep)}
"""Layers that read no other step and yet do not stream."""
CHUNKS = [slice(0, 1), slice(1, 4), slice(4, STEPS)]


def has_steps(entry: Entry) -> bool:
    return entry.reads is not None and not entry.variant


def model_around(entry: Entry) -> Any:
    layer = entry.built()
    steps = None if entry.any_length else STEPS
    symbol = Input((steps, *entry.shape[2:]), dtype=str(entry.inputs().dtype))
    return Model(symbol, layer(symbol))


@about(has_steps)
def test_a_stream_gives_what_the_whole_gives_or_is_refused(entry: Entry) -> None:
    model, inputs = model_around(entry), entry.inputs()
    reads_on = entry.reads not in ("own", "before") or entry.name in OWN_WEIGHTS
    if reads_on:
        with pytest.raises(StreamError, match=r"layer '.*' \(\w+\) "):
            model.stream(BATCH)
        return
    whole = outputs_of(model(inputs))
    stream = model.stream(BATCH)
    for _ in range(2):
        parts = [outputs_of(stream.push(inputs[:, chunk])) for chunk in CHUNKS]
        for wanted, *found in zip(whole, *parts, strict=True):
            assert_close(np.concatenate(found, axis=1), wanted)
        stream.reset()


def test_the_law_is_about_layers_of_every_kind() -> None:
    streamed = {entry.name for entry in ENTRIES if has_steps(entry)} - OWN_WEIGHTS
    assert streamed >= {"Dense", "Embedding", "LSTM", "GRU", "RNN of stacked cells", "Functional"}
