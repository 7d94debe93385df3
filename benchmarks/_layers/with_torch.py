"""The recurrent layers of torch: run eagerly, compiled, or over a `PackedSequence`."""

from typing import Any

import numpy as np

from benchmarks import _torch
from benchmarks._layers.spec import Array, Spec, reset_first
from benchmarks._question import Sizes, Work


def layers_of(spec: Spec) -> Any:
    """The layers with their weights: torch has two biases, of which one stays zero."""
    import torch

    kind = {"LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU, "SimpleRNN": torch.nn.RNN}[spec.cell]
    layer = kind(
        spec.features,
        spec.units,
        num_layers=spec.layers,
        batch_first=True,
        bidirectional=spec.directions == 2,
    )
    given = [
        array
        for kernel, recurrent, bias in spec.weights()
        for array in (
            _own(spec, kernel).T,
            _own(spec, recurrent).T,
            _own(spec, bias),
            np.zeros_like(bias),
        )
    ]
    with torch.no_grad():
        for parameter, array in zip(layer.parameters(), given, strict=True):
            parameter.copy_(_torch.tensor(array))
    return layer.to(_torch.device(), getattr(torch, spec.dtype))


def _own(spec: Spec, array: Any) -> Array:
    return reset_first(array) if spec.cell == "GRU" else array


def recurrent(sizes: Sizes) -> Work:
    """The layers of torch; `way` says eager or compiled."""
    import torch

    spec = Spec.of(sizes)
    layer = layers_of(spec)
    dtype = getattr(torch, spec.dtype)
    inputs = _torch.tensor(spec.inputs()).to(dtype).requires_grad_(spec.gradients)
    back = _torch.tensor(spec.output_gradients()).to(dtype)
    parameters = list(layer.parameters())
    called = torch.compile(layer) if sizes.get("way") == "compiled" else layer

    def forward() -> Any:
        with torch.inference_mode():
            return called(inputs)[0]

    def gradients() -> Any:
        return torch.autograd.grad(called(inputs)[0], [inputs, *parameters], back)

    def comparable(result: Any) -> Any:
        if not spec.gradients:
            return [_torch.array(result)]
        by_inputs, *by_weights = map(_torch.array, result)
        # The second bias is left out: no other library has it for every cell.
        kept = [each for place, each in enumerate(by_weights) if place % 4 != 3]
        return [by_inputs, *(_own(spec, each.T) for each in kept)]

    return Work(gradients if spec.gradients else forward, comparable)
