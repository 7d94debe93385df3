"""Where tests of one twin run."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture
def on_a_cpu() -> Iterator[None]:
    """The device of the native twin, also where JAX would take another one."""
    with jax.default_device(jax.local_devices(backend="cpu")[0]):
        yield
