"""How long does one step of a live sequence take, handed to a tagger as it comes?"""

# Each run takes the steps of one sequence, one call each, from NumPy to NumPy, so the latency of a
# step is a run's time divided by its steps.

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import _peers, _torch
from benchmarks._question import Peer, Question, Sizes, Work
from benchmarks._taggers import Array, Tagger, torch_parts


def _ids(sizes: Sizes) -> Array:
    """The same sequence for every peer, step by step: (steps, batch)."""
    shape = int(sizes["steps"]), int(sizes["batch"])
    return np.random.default_rng(0).integers(0, int(sizes["vocabulary"]), shape).astype("int32")


def _work(step: Callable[[Any], Any], reset: Callable[[], Any], steps: Any) -> Work:
    """The work of one run: from the start, every step by itself."""

    def run() -> Any:
        reset()
        return [step(given) for given in steps]

    return Work(run, np.stack)


def everystep(sizes: Sizes) -> Work:
    """Our stream."""
    import everystep as library

    tagger = Tagger.of(sizes)
    layers = library.layers
    model = library.Sequential(
        [
            library.Input((None,), dtype="int32"),
            layers.Embedding(tagger.vocabulary, tagger.features),
            layers.LSTM(tagger.units, return_sequences=True),
            layers.Dense(tagger.labels),
        ]
    )
    model.set_weights(tagger.weights())
    stream = model.stream(int(sizes["batch"]))
    return _work(stream.step, stream.reset, list(_ids(sizes)))


def keras(sizes: Sizes) -> Work:
    """Keras's stateful layer, in a model that is called step by step."""
    import keras as library

    tagger = Tagger.of(sizes)
    layers = library.layers
    lstm = layers.LSTM(tagger.units, return_sequences=True, stateful=True)
    model = library.Sequential(
        [
            library.Input(batch_shape=(int(sizes["batch"]), 1), dtype="int32"),
            layers.Embedding(tagger.vocabulary, tagger.features),
            lstm,
            layers.Dense(tagger.labels),
        ]
    )
    model.set_weights(tagger.weights())

    # Not predict_on_batch, which on JAX starts from the first state each time.
    def step(ids: Any) -> Any:
        return library.ops.convert_to_numpy(model(ids))[:, 0]

    return _work(step, lstm.reset_state, list(_ids(sizes)[:, :, None]))


def _of_torch(sizes: Sizes, recurrent: Callable[[Any, Any, Any], tuple[Any, Any]]) -> Work:
    """The work for torch; `recurrent` takes its LSTM, vectors and states."""
    import torch as library

    (embedding, lstm, dense), _ = torch_parts(Tagger.of(sizes))
    states: Any = None

    def reset() -> None:
        nonlocal states
        states = None

    def step(ids: Any) -> Any:
        nonlocal states
        with library.inference_mode():
            outputs, states = recurrent(lstm, embedding(_torch.tensor(ids)), states)
            return _torch.array(dense(outputs))

    return _work(step, reset, list(_ids(sizes)))


def torch(sizes: Sizes) -> Work:
    """Layers of torch, of which the LSTM is made for whole sequences."""

    def recurrent(lstm: Any, vectors: Any, states: Any) -> tuple[Any, Any]:
        outputs, states = lstm(vectors[:, None], states)
        return outputs[:, 0], states

    return _of_torch(sizes, recurrent)


def torch_cell(sizes: Sizes) -> Work:
    """The same with torch's cell, which is made for single steps."""
    from torch import nn

    tagger = Tagger.of(sizes)
    cell = nn.LSTMCell(tagger.features, tagger.units).to(_torch.device())

    def recurrent(lstm: Any, vectors: Any, states: Any) -> tuple[Any, Any]:
        if states is None:
            cell.load_state_dict({name[:-3]: array for name, array in lstm.state_dict().items()})
        states = cell(vectors, states)
        return states[0], states

    return _of_torch(sizes, recurrent)


QUESTION = Question(
    name="streaming",
    text=__doc__,
    peers=(
        *_peers.ours("benchmarks.streaming:everystep"),
        *_peers.keras("benchmarks.streaming:keras"),
        Peer("torch", "benchmarks.streaming:torch", requires=("torch",)),
        Peer("torch cell", "benchmarks.streaming:torch_cell", requires=("torch",)),
    ),
    cases=tuple(
        {
            "batch": 1,
            "steps": 50,
            "vocabulary": 10000,
            "features": 128,
            "units": units,
            "labels": 17,
        }
        for units in (64, 256, 512, 1024)
    ),
    flops=lambda sizes: Tagger.of(sizes).flops(int(sizes["batch"]) * int(sizes["steps"]), False),
    amount=lambda sizes: float(sizes["batch"]) * float(sizes["steps"]),
    unit="steps",
    growth="units",
    quick={"steps": 4, "vocabulary": 11, "features": 5, "units": 8, "labels": 3, "batch": 2},
)
