"""Global settings: what layers that say nothing get, under the several paths that Keras has."""

import os
import subprocess
import sys
from collections.abc import Iterator

import jax
import numpy as np
import pytest

import everystep as es
from everystep.errors import SettingError


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Give the other tests the settings that they expect."""
    yield
    es.config.set_floatx("float32")
    es.config.set_epsilon(1e-7)
    es.config.set_image_data_format("channels_last")
    es.config.set_dtype_policy("float32")


def test_the_policy_of_layers_that_are_given_none() -> None:
    es.config.set_dtype_policy("mixed_bfloat16")
    layer = es.layers.Dense(2)
    assert (layer.dtype, layer.compute_dtype) == ("float32", "bfloat16")
    assert layer(np.ones((1, 3), "float32")).dtype == "bfloat16"
    assert es.layers.Dense(2, dtype="float16").compute_dtype == "float16"
    es.mixed_precision.set_global_policy("float16")
    assert es.mixed_precision.global_policy().name == es.config.dtype_policy().name == "float16"
    assert layer.compute_dtype == "bfloat16"


def test_the_dtype_of_numbers() -> None:
    es.backend.set_floatx("float16")
    assert (es.config.floatx(), es.utils.standardize_dtype(None)) == ("float16", "float16")
    assert es.random.normal((2,), seed=1).dtype == "float16"
    assert es.DTypePolicy().name == "float16"
    assert es.backend.result_type() == "float16"


def test_small_numbers_and_channels() -> None:
    es.config.set_epsilon(1e-5)
    es.config.set_image_data_format("channels_first")
    assert (es.backend.epsilon(), es.backend.image_data_format()) == (1e-5, "channels_first")


def test_wrong_values_are_refused() -> None:
    with pytest.raises(SettingError, match="Unknown `floatx` value: 'float7'"):
        es.config.set_floatx("float7")
    with pytest.raises(SettingError, match="must be one of 'channels_last'"):
        es.config.set_image_data_format("last")
    with pytest.raises(SettingError, match="dtype must be one of"):
        es.config.set_dtype_policy("mixed_float7")
    with pytest.raises(SettingError, match="Invalid dtype"):
        es.utils.standardize_dtype("float7")


def test_policies_are_written_and_read() -> None:
    policy = es.dtype_policies.get("mixed_float16")
    assert es.dtype_policies.deserialize(es.dtype_policies.serialize(policy)) == policy
    assert es.DTypePolicy.from_config(policy.get_config()) == policy


THREADS = """
import glob, os
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
import jax, jax.numpy as jnp
from everystep import config
from everystep.errors import SettingError

def running():
    names = [open(path).read().strip() for path in glob.glob("/proc/self/task/*/comm")]
    return names.count("tf_XLAEigen")

assert config.xla_threads() == 1
config.set_xla_threads(2)
config.set_xla_threads(3)
jax.jit(lambda x: x @ x)(jnp.ones((300, 300))).block_until_ready()
config.set_xla_threads(3)
try:
    config.set_xla_threads(4)
except SettingError as error:
    print(config.xla_threads(), running(), os.environ["NPROC"], error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads as Linux does")
@pytest.mark.skipif(jax.default_backend() != "cpu", reason="XLA has threads on CPUs")
def test_xla_has_as_many_threads_as_it_is_given_until_it_has_begun() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "NPROC"}
    command = [sys.executable, "-c", THREADS]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("3 3 3 set_xla_threads(4) comes too late")
    assert "with 3 threads" in ran.stdout
