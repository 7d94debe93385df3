"""The ceiling: the fastest large matrix product at hand, in the same run as everything else.

Each library that multiplies takes part, in a process of its own as every peer, at a square product
and at the one that does the work of a whole layer at once, since either may be the faster one.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks import _torch
from benchmarks._question import Peer, Work

SQUARE = (1024, 1024, 1024)
TRIALS = 5
Product = tuple[float, Callable[[], Any]]
"""Operations of one run, and the run."""


def shapes(sizes: dict[str, Any]) -> list[tuple[int, int, int]]:
    """Rows, depth and columns: a square, and all steps of the case at once, where it has such."""
    if not {"batch", "steps", "features", "units"} <= sizes.keys():
        return [SQUARE, (1600, 384, 1024)]
    rows, units = sizes["batch"] * sizes["steps"], sizes["units"]
    return [SQUARE, (rows, sizes["features"] + units, 4 * units)]


def _fastest(products: list[Product]) -> Work:
    """The product that does the most operations a second in a few trials."""

    def rate(flops: float, product: Callable[[], Any]) -> float:
        product()
        least = min(_seconds(product) for _ in range(TRIALS))
        return flops / least

    flops, product = max(products, key=lambda each: rate(*each))
    return Work(product, comparable=lambda _: None, flops=flops)


def _seconds(product: Callable[[], Any]) -> float:
    start = time.perf_counter()
    product()
    return time.perf_counter() - start


def _operands(shape: tuple[int, int, int]) -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    rows, depth, columns = shape
    pair = random.normal(size=(rows, depth)), random.normal(size=(depth, columns))
    return pair[0].astype(np.float32), pair[1].astype(np.float32)


def _flops(shape: tuple[int, int, int]) -> float:
    rows, depth, columns = shape
    return 2.0 * rows * depth * columns


def with_jax(sizes: dict[str, Any]) -> Work:
    """The products of JAX, and in float32 those of NumPy."""
    import jax
    import jax.numpy as jnp

    dtype = str(sizes.get("dtype", "float32"))
    multiply = jax.jit(lambda a, b: a @ b)
    products: list[Product] = []
    for shape in shapes(sizes):
        left, right = _operands(shape)
        held = jnp.asarray(left, dtype), jnp.asarray(right, dtype)
        waiting = partial(lambda a, b: multiply(a, b).block_until_ready(), *held)
        products.append((_flops(shape), waiting))
        if dtype == "float32":
            products.append((_flops(shape), partial(np.matmul, left, right)))
    return _fastest(products)


def with_torch(sizes: dict[str, Any]) -> Work:
    """The products of torch."""
    import torch

    dtype = getattr(torch, str(sizes.get("dtype", "float32")))
    products: list[Product] = []
    for shape in shapes(sizes):
        left, right = (_torch.tensor(array).to(dtype) for array in _operands(shape))
        products.append((_flops(shape), partial(_torch_product, left, right)))
    return _fastest(products)


def _torch_product(left: Any, right: Any) -> Any:
    product = left @ right
    _torch.wait()
    return product


PEERS = (
    Peer("matrix product", "benchmarks._gemm:with_jax"),
    Peer("matrix product of torch", "benchmarks._gemm:with_torch", requires=("torch",)),
)
