from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.explanation.relation.ranges import ANYWHERE, Interval, ranges_of

X = jnp.zeros((4, 3))


def looped(x: Any) -> Any:
    """A state that grows by less than 2 with each of 4 steps."""
    return jax.lax.scan(lambda c, y: (c + 2 * jnp.tanh(y), c), jnp.zeros(3), x)[1]


CASES: dict[str, tuple[Callable[[Any], Any], Interval]] = {
    "gate": (lambda x: jax.nn.sigmoid(x) * 3 - 1, (-1, 2)),
    "relu": (lambda x: jnp.maximum(x, 0), (0, np.inf)),
    "square": (jnp.square, (0, np.inf)),
    "product": (lambda x: jnp.sin(x) * -jnp.exp(x), (-np.inf, np.inf)),
    "chosen": (lambda x: jnp.where(x > 0, jnp.tanh(x), 5.0), (-1, 5)),
    "moved": (lambda x: jnp.pad(jnp.cos(x[::-1]).T, 1, constant_values=2.0), (-1, 2)),
    "loop": (looped, (-6, 6)),
    "sum": (lambda x: jnp.tanh(x).sum(), ANYWHERE),
    "rounded": (lambda x: (jnp.tanh(x) * 3).astype(int) * 1.0, ANYWHERE),
    "truth": (lambda x: (jnp.tanh(x) + 3).astype(bool) * 1.0, (0, 1)),
}


@pytest.mark.parametrize(("function", "interval"), CASES.values(), ids=CASES.keys())
def test_outputs_lie_where_they_are_said_to(
    function: Callable[[Any], Any], interval: Interval
) -> None:
    [found] = ranges_of(jax.make_jaxpr(function)(X), [ANYWHERE])
    assert found == pytest.approx(interval)
    x = 30 * np.random.default_rng(0).standard_normal(X.shape).astype("float32")
    values = np.asarray(function(x))
    assert (found[0] - 1e-5 <= values).all()
    assert (values <= found[1] + 1e-5).all()
