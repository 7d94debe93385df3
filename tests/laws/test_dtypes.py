"""Every layer keeps its weights and computes in the dtypes of its policy, run on shapes alone."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import pytest

from everystep import config
from everystep.core import DTypePolicy
from everystep.core.dtypes import is_float
from everystep.layers import symbolic
from everystep.layers.symbolic import struct
from tests.catalogue import Entry
from tests.laws.selection import about


@pytest.fixture(params=["bfloat16", "float16", "mixed_bfloat16", "mixed_float16"])
def policy(request: pytest.FixtureRequest) -> Iterator[DTypePolicy]:
    """The policy of every layer that is made meanwhile, also of those inside."""
    config.set_dtype_policy(request.param)
    yield DTypePolicy(request.param)
    config.set_dtype_policy("float32")


# What goes into a model keeps the dtype that its Input says, and a graph may hold float32 arrays.
@about(lambda entry: not entry.variant and entry.name not in ("InputLayer", "Functional"))
def test_weights_and_outputs_have_the_dtypes_of_the_policy(
    entry: Entry, policy: DTypePolicy
) -> None:
    layer = entry.make()
    inputs = struct(entry.shape, "int32" if entry.ids else "float32")
    states = jax.tree.map(lambda state: struct(state.shape, state.dtype), entry.arguments())
    outputs = jax.tree.leaves(symbolic.trace_specs(layer, inputs, *states).outputs)
    found = {str(output.dtype) for output in outputs if jnp.issubdtype(output.dtype, jnp.floating)}
    assert found == {policy.compute_dtype}
    weights = {str(weight.dtype) for weight in layer.weights if is_float(weight)}
    assert weights <= {policy.variable_dtype}
