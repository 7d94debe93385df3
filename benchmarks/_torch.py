"""torch where JAX computes: on the GPU if both have one, else on the processor."""

import sys
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt


@cache
def device() -> Any:
    """The device of all tensors."""
    import torch

    if not torch.cuda.is_available():
        return torch.device("cpu")
    import jax

    return torch.device("cuda" if jax.default_backend() == "gpu" else "cpu")


def tensor(array: Any) -> Any:
    """An array of NumPy as a tensor."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(array)).to(device())


def array(tensor: Any) -> npt.NDArray[Any]:
    """A tensor as an array of NumPy, in float32 where its type is narrower."""
    here = tensor.detach().cpu()
    found: npt.NDArray[Any] = (here if here.element_size() >= 4 else here.float()).numpy()
    return found


def wait() -> None:
    """Waits until a GPU has done what torch has asked it to; elsewhere that is done already."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.synchronize()
