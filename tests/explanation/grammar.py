"""Random programs: what they are made of, and how they run on many inputs at once.

A program starts from one array `(1, STEPS, FEATURES)`. Each part makes another one of that shape,
of two that are there already and some constants; it is compiled once for all programs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

STEPS, FEATURES = 5, 2
SHAPE = (1, STEPS, FEATURES)


class Constants(NamedTuple):
    """What a part holds besides the arrays that it takes.

    Args:
        rows: True or False for each step.
        square: the same for each pair of steps.
        order: the steps in some order.
        place: one step.
    """

    rows: Any
    square: Any
    order: Any
    place: Any


class Part(NamedTuple):
    """One part: its name in `PARTS`, the numbers of the two arrays it takes, its constants."""

    name: str
    first: int
    second: int
    constants: Constants


KERNEL: Any = np.linspace(0.5, 1, 3 * FEATURES * FEATURES, dtype=np.float32).reshape(
    3, FEATURES, -1
)


def scores(x: Any, y: Any) -> Any:
    return jnp.einsum("btf,bsf->bts", x, y)


def attention(shares: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Steps of the second array in shares that its scores with the first and a mask say."""

    def attend(x: Any, y: Any, c: Constants) -> Any:
        kept = c.square | jnp.eye(STEPS, dtype=bool)
        return jnp.einsum("bts,bsf->btf", shares(scores(x, y), kept), y)

    return attend


def scanned(body: Callable[[Any, Any], tuple[Any, Any]], **options: Any) -> Callable[..., Any]:
    """A loop over the steps of the first array from zeros, or from two of them."""

    def scan(x: Any, y: Any, c: Constants) -> Any:
        start = (jnp.zeros_like(x[:, 0]), jnp.zeros_like(x[:, 0]))
        return jnp.moveaxis(lax.scan(body, start, jnp.moveaxis(x, 1, 0), **options)[1], 0, 1)

    return scan


def restarted(x: Any, y: Any, c: Constants) -> Any:
    """Sums that start anew where the constants say."""

    def body(total: Any, scanned: Any) -> Any:
        step, anew = scanned
        total = jnp.where(anew, 0.0, 0.5 * total) + step
        return total, total

    start = jnp.zeros_like(x[:, 0])
    return jnp.moveaxis(lax.scan(body, start, (jnp.moveaxis(x, 1, 0), c.rows))[1], 0, 1)


def shifted(x: Any) -> Any:
    return jnp.pad(x, ((0, 0), (1, 0), (0, 0)))[:, :-1]


def convolved(x: Any, **options: Any) -> Any:
    settings = {"window_strides": (1,), "padding": ((2, 0),), **options}
    numbers = ("NWC", "WIO", "NWC")
    return lax.conv_general_dilated(x, KERNEL, **settings, dimension_numbers=numbers)


def largest_around(x: Any) -> Any:
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 1), (1, 1, 1), "SAME")


def pooled(x: Any) -> Any:
    """Means over pairs of steps, each twice; the last step is left alone."""
    means = lax.reduce_window(x, 0.0, lax.add, (1, 2, 1), (1, 2, 1), "VALID") / 2
    return jnp.concatenate([jnp.repeat(means, 2, 1), x[:, -1:]], 1)


def masked_rows(c: Constants) -> Any:
    return c.rows[:, None]


def place_of_largest(x: Any) -> Any:
    return jnp.argmax(x[0, :, 0])


def repeated_slice(x: Any, start: Any) -> Any:
    return jnp.tile(lax.dynamic_slice_in_dim(x, start, 2, 1), (1, 3, 1))[:, :STEPS]


def written(x: Any, update: Any, start: Any) -> Any:
    return lax.dynamic_update_slice_in_dim(x, update, start, 1)


def looped(x: Any, y: Any, c: Constants) -> Any:
    """Each step takes the one before it in, in place."""
    return lax.fori_loop(1, STEPS, lambda i, z: z.at[:, i].add(0.5 * z[:, i - 1]), x)


def until_small(x: Any, y: Any, c: Constants) -> Any:
    return lax.while_loop(lambda z: jnp.abs(z).max() > 0.5, lambda z: z / 2, x)


def turned_some_times(x: Any, y: Any, c: Constants) -> Any:
    return lax.fori_loop(0, c.place, lambda _, z: jnp.roll(z, 1, 1), x)


@jax.custom_jvp
def own_derivative(x: Any) -> Any:
    return jnp.flip(jnp.maximum(x, 0), 1)


own_derivative.defjvp(lambda primals, tangents: (own_derivative(*primals), tangents[0]))

PARTS: dict[str, Callable[[Any, Any, Constants], Any]] = {
    "add": lambda x, y, c: x + y,
    "mul": lambda x, y, c: x * y,
    "max": lambda x, y, c: jnp.maximum(x, y),
    "gate": lambda x, y, c: jnp.where(x > 0, y, x),
    "compare": lambda x, y, c: (x > y) * 1.0,
    "tanh": lambda x, y, c: jnp.tanh(x),
    "round": lambda x, y, c: jnp.round(2 * x),
    "softmax": lambda x, y, c: jax.nn.softmax(x),
    "choose by rows": lambda x, y, c: jnp.where(masked_rows(c), x, y),
    "times rows": lambda x, y, c: x * masked_rows(c),
    "times no rows": lambda x, y, c: x + (1.0 * masked_rows(c)) * 0.0 * y,
    "less the mean": lambda x, y, c: x - x.mean(1, keepdims=True),
    "masked mean": lambda x, y, c: x + jnp.mean(y, 1, keepdims=True, where=masked_rows(c) | True),
    "largest of some": lambda x, y, c: (
        x + jnp.max(jnp.where(masked_rows(c), y, -1e9), 1, keepdims=True, initial=-1.0)
    ),
    "flip": lambda x, y, c: jnp.flip(x, 1),
    "shift": lambda x, y, c: shifted(x),
    "mixing reshape": lambda x, y, c: x.reshape(1, FEATURES, STEPS).mT,
    "join": lambda x, y, c: jnp.concatenate([x[:, :2], y[:, 2:]], 1),
    "every second": lambda x, y, c: jnp.repeat(x[:, ::2], 2, 1)[:, :STEPS],
    "order": lambda x, y, c: x[:, c.order],
    "put in order": lambda x, y, c: y.at[:, c.order[:3]].set(x[:, :3]),
    "add in order": lambda x, y, c: y.at[:, c.order[:2]].add(x[:, c.order[1:3]]),
    "slice": lambda x, y, c: repeated_slice(x, c.place),
    "slice by data": lambda x, y, c: repeated_slice(x, place_of_largest(y)),
    "write": lambda x, y, c: written(x, y[:, :2], c.place),
    "write by data": lambda x, y, c: written(x, y[:, :2], place_of_largest(x)),
    "take by data": lambda x, y, c: jnp.take_along_axis(x, jnp.argsort(y, 1), 1),
    "add by data": lambda x, y, c: x.at[:, jnp.argsort(y[0, :, 0])[:2]].add(y[:, :2]),
    "cumsum": lambda x, y, c: jnp.cumsum(x, 1),
    "cummax backwards": lambda x, y, c: lax.cummax(x, 1, reverse=True),
    "cumprod of rows": lambda x, y, c: jnp.cumprod(jnp.where(masked_rows(c), x, 0.0), 1),
    "sort": lambda x, y, c: jnp.sort(x, 1),
    "sort of features": lambda x, y, c: jnp.sort(x, 2),
    "top_k": lambda x, y, c: x + lax.top_k(y[..., 0], 2)[0][..., 0, None, None],
    "fft": lambda x, y, c: jnp.fft.fft(x, axis=1).real,
    "convolve": lambda x, y, c: convolved(x),
    "convolve, dilated": lambda x, y, c: convolved(
        x, rhs_dilation=(2,), padding=((0, 4),), feature_group_count=1
    ),
    "largest around": lambda x, y, c: largest_around(x),
    "pool": lambda x, y, c: pooled(x),
    "product with constants": lambda x, y, c: jnp.einsum("ts,bsf->btf", 1.0 * c.square, x),
    "gram": lambda x, y, c: jnp.einsum("bts,bsf->btf", scores(x, x), y),
    "attend": attention(lambda s, kept: jax.nn.softmax(jnp.where(kept, s, -1e9))),
    "attend, infinite": attention(lambda s, kept: jax.nn.softmax(jnp.where(kept, s, -jnp.inf))),
    "attend, added": attention(lambda s, kept: jax.nn.softmax(s + jnp.where(kept, 0.0, -1e9))),
    "attend, where": attention(lambda s, kept: jax.nn.softmax(s, where=kept)),
    "scan": scanned(lambda c, x: ((jnp.tanh(c[0] + x), c[1]), c[0] + x)),
    "scan backwards": scanned(lambda c, x: ((c[0] * 0.5 + x, c[1]), c[0]), reverse=True),
    "delay": scanned(lambda c, x: ((c[1], x), c[0])),
    "swap": scanned(lambda c, x: ((c[1], 0.5 * c[0] + x), c[1])),
    "restart": restarted,
    "associative": lambda x, y, c: lax.associative_scan(jnp.add, x, axis=1),
    "branch by data": lambda x, y, c: lax.cond(
        x[0, 0, 0] > 0, lambda a, b: a, lambda a, b: jnp.flip(b, 1), x, y
    ),
    "branch": lambda x, y, c: lax.switch(
        c.place, [lambda a: a, lambda a: jnp.flip(a, 1), lambda a: jnp.cumsum(a, 1)], x
    ),
    "loop": looped,
    "loop by data": until_small,
    "turn some times": turned_some_times,
    "custom_jvp": lambda x, y, c: own_derivative(x),
    "remat": lambda x, y, c: jax.checkpoint(lambda a: jnp.sin(shifted(a)))(x),
}
"""What a part makes of two arrays and constants."""


def constants() -> st.SearchStrategy[Constants]:
    flags = st.booleans()
    return st.builds(
        Constants,
        st.lists(flags, min_size=STEPS, max_size=STEPS).map(np.array),
        st.lists(flags, min_size=STEPS**2, max_size=STEPS**2).map(
            lambda square: np.array(square).reshape(STEPS, STEPS)
        ),
        st.permutations(range(STEPS)).map(np.array),
        st.integers(0, STEPS - 1),
    )


@st.composite
def programs(draw: st.DrawFn, most: int = 5) -> list[Part]:
    """Programs of a few parts; the arrays that a part takes are mostly the last ones."""
    parts: list[Part] = []
    for count in range(draw(st.integers(1, most))):
        first, second = (count - min(draw(st.integers(0, 2)), count) for _ in range(2))
        name = draw(st.sampled_from(sorted(PARTS)))
        parts.append(Part(name, first, second, draw(constants())))
    return parts


def function_of(parts: Sequence[Part]) -> Callable[[Any], Any]:
    """The program as a function, in which the constants are constant."""

    def function(x: Any) -> Any:
        arrays = [x]
        for part in parts:
            made = PARTS[part.name](arrays[part.first], arrays[part.second], part.constants)
            arrays.append(made)
        return arrays[-1]

    return function


@functools.cache
def _compiled(name: str) -> Callable[..., Any]:
    return jax.jit(jax.vmap(PARTS[name], (0, 0, None)))


def run(parts: Sequence[Part], inputs: Any) -> Any:
    """The outputs of a program for a batch of inputs.

    Shapes: `(batch, 1, STEPS, FEATURES) -> (batch, 1, STEPS, FEATURES)`
    """
    arrays = [jnp.asarray(inputs)]
    for part in parts:
        made = _compiled(part.name)(arrays[part.first], arrays[part.second], part.constants)
        arrays.append(made)
    return np.asarray(arrays[-1])
