"""One tagger in every library, with the same weights: ids to vectors, an LSTM, labels a step.

Embedding(vocabulary, features) -> LSTM(units, sequences) -> Dense(labels), Adam
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks import _torch
from benchmarks._question import Sizes

Array = npt.NDArray[Any]
TRAIN = "train step"
EPSILON = 1e-7  # Keras's default for Adam; others have other ones.


@dataclass(frozen=True)
class Tagger:
    """The sizes of a tagger.

    Args:
        vocabulary: how many ids there are.
        features: of an id's vector.
        units: of the LSTM.
        labels: of each step.
    """

    vocabulary: int
    features: int
    units: int
    labels: int

    @classmethod
    def of(cls, sizes: Sizes) -> "Tagger":
        """The tagger that a case asks for."""
        names = ("vocabulary", "features", "units", "labels")
        return cls(*(int(sizes[name]) for name in names))

    def flops(self, steps: float, training: bool) -> float:
        """Two for each weight and step; the backward pass has two products for each one ahead."""
        weights = (self.features + self.units) * 4 * self.units + self.units * self.labels
        return (3 if training else 1) * 2.0 * steps * weights

    def weights(self) -> list[Array]:
        """The same first weights for every peer, in Keras's order."""
        random = np.random.default_rng(1)
        shapes = [
            (self.vocabulary, self.features),
            (self.features, 4 * self.units),
            (self.units, 4 * self.units),
            (4 * self.units,),
            (self.units, self.labels),
            (self.labels,),
        ]
        return [random.normal(size=shape).astype("float32") * 0.05 for shape in shapes]


def keras_like(library: Any, tagger: Tagger) -> Any:
    """The tagger of a library with Keras's interface, compiled for training."""
    layers = library.layers
    model = library.Sequential(
        [
            layers.Embedding(tagger.vocabulary, tagger.features),
            layers.LSTM(tagger.units, return_sequences=True),
            layers.Dense(tagger.labels),
        ]
    )
    model.build((None, None))
    model.set_weights(tagger.weights())
    loss = library.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(library.optimizers.Adam(epsilon=EPSILON), loss)
    return model


def torch_parts(tagger: Tagger) -> Any:
    """The tagger of torch: its three layers, and its optimizer."""
    import torch
    from torch import nn

    layers = nn.ModuleList(
        [
            nn.Embedding(tagger.vocabulary, tagger.features),
            nn.LSTM(tagger.features, tagger.units, batch_first=True),
            nn.Linear(tagger.units, tagger.labels),
        ]
    ).to(_torch.device())
    table, kernel, recurrent, bias, out, out_bias = tagger.weights()
    given = (table, kernel.T, recurrent.T, bias, np.zeros_like(bias), out.T, out_bias)
    parameters = list(layers.parameters())
    with torch.no_grad():
        for parameter, array in zip(parameters, given, strict=True):
            parameter.copy_(_torch.tensor(array))
    # torch has two biases for one; the second stays zero, as if it were not there.
    parameters[4].requires_grad_(requires_grad=False)
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    return layers, torch.optim.Adam(trained, eps=EPSILON)


def torch_work(
    outputs: Callable[[Any], Any], optimizer: Any, ids: Any, labels: Any, sizes: Sizes
) -> Callable[[], Any]:
    """What a case asks of a tagger of torch: a step of training, or its outputs."""
    import torch

    measure = torch.nn.CrossEntropyLoss()
    called: Any = torch.compile(outputs) if sizes.get("way") == "compiled" else outputs

    def train() -> Any:
        optimizer.zero_grad()
        value = measure(called(ids).flatten(0, 1), labels.flatten().long())
        value.backward()
        optimizer.step()
        return _torch.array(value)

    def predict() -> Any:
        with torch.inference_mode():
            return _torch.array(called(ids))

    return train if sizes["task"] == TRAIN else predict
