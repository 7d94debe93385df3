"""Does TimeDistributed(Dense) cost more than Dense, when it is first called and after?"""

from typing import Any

import numpy as np

from benchmarks import _peers, _torch
from benchmarks._question import Peer, Question, Sizes, Work


def flops(sizes: Sizes) -> float:
    """Two for each weight and step."""
    names = ("batch", "steps", "features", "units")
    batch, steps, features, units = (int(sizes[name]) for name in names)
    return 2.0 * batch * steps * features * units


def _data(sizes: Sizes) -> tuple[Any, list[Any]]:
    random = np.random.default_rng(0)
    features, units = int(sizes["features"]), int(sizes["units"])
    shape = int(sizes["batch"]), int(sizes["steps"]), features
    weights = [random.normal(size=size).astype("float32") for size in ((features, units), (units,))]
    return random.normal(size=shape).astype("float32"), weights


def _work(library: Any, sizes: Sizes) -> Work:
    """Predict with a model of one layer; building it is part of its first call."""
    inputs, weights = _data(sizes)
    layer = library.layers.Dense(int(sizes["units"]))
    wrapped = sizes["layer"] == TIME_DISTRIBUTED
    model = library.Sequential([library.layers.TimeDistributed(layer) if wrapped else layer])

    def run() -> Any:
        if not model.built:
            model.build(inputs.shape)
            model.set_weights(weights)
        return model.predict_on_batch(inputs)

    return Work(run)


def everystep(sizes: Sizes) -> Work:
    """Our layer."""
    import everystep as library

    return _work(library, sizes)


def keras(sizes: Sizes) -> Work:
    """Keras's layer; its TimeDistributed loops over the steps in Python when it is compiled."""
    import keras as library

    return _work(library, sizes)


def torch(sizes: Sizes) -> Work:
    """The layer of torch, which works along the last axis as it is."""
    import torch as library

    inputs, (kernel, bias) = _data(sizes)
    layer = library.nn.Linear(*kernel.shape).to(_torch.device())
    with library.no_grad():
        layer.weight.copy_(_torch.tensor(kernel.T))
        layer.bias.copy_(_torch.tensor(bias))
    rows = _torch.tensor(inputs)

    def run() -> Any:
        with library.inference_mode():
            return _torch.array(layer(rows))

    return Work(run)


DENSE, TIME_DISTRIBUTED = "Dense", "TimeDistributed"


def _both(peers: tuple[Peer, ...]) -> tuple[Peer, ...]:
    """Each library with the layer alone and with the layer wrapped."""
    return tuple(
        Peer(
            f"{peer.name}, {layer}",
            peer.build,
            peer.environment,
            peer.requires,
            {"layer": layer},
        )
        for peer in peers
        for layer in (DENSE, TIME_DISTRIBUTED)
    )


QUESTION = Question(
    name="time_distributed",
    text=__doc__,
    peers=(
        *_both(_peers.ours("benchmarks.time_distributed:everystep", twins=False)),
        *_both(_peers.keras("benchmarks.time_distributed:keras")),
        Peer("torch, Linear", "benchmarks.time_distributed:torch", requires=("torch",)),
    ),
    cases=(
        {"batch": 32, "steps": 200, "features": 128, "units": 64},
        {"batch": 2, "steps": 1000, "features": 128, "units": 64},
    ),
    flops=flops,
    quick={"batch": 2, "steps": 5, "features": 4, "units": 3},
)
