"""The public names: what the package exports is there, and imports wait until they are needed."""

import subprocess
import sys

import pytest

import everystep

KERAS_PATHS = [
    "activations",
    "callbacks",
    "constraints",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "regularizers",
    "saving",
    "utils",
]


@pytest.mark.parametrize("name", everystep.__all__)
def test_every_exported_name_is_there(name: str) -> None:
    assert getattr(everystep, name) is not None
    assert name in dir(everystep)


@pytest.mark.parametrize("path", KERAS_PATHS)
def test_every_module_lists_its_names(path: str) -> None:
    module = getattr(everystep, path)
    assert module.__doc__
    assert sorted(set(module.__all__)) == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name).__doc__, f"{path}.{name} has no docstring"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lstm'"):
        everystep.lstm  # noqa: B018


def test_heavy_imports_wait() -> None:
    program = (
        "import sys, everystep; assert 'jax' not in sys.modules; everystep.models; "
        "heavy = {'optax', 'rich', 'typer', 'h5py', 'keras', 'matplotlib'} & set(sys.modules); "
        "sys.exit(f'imported at once: {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
