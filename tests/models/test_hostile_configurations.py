"""Configurations that a hostile file may hold, with a checksum that is right."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import everystep as es
from everystep.errors import FormatError
from everystep.formats import read_tensors, write_tensors


def dense(*sizes: int) -> es.Sequential:
    return es.Sequential([es.Input(shape=(2,)), *(es.layers.Dense(size) for size in sizes)])


def attacked(tmp_path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    path = tmp_path / "m.everystep"
    dense(3).save(path)
    contents = read_tensors(path)
    config = change(json.loads(contents.metadata["config"]))
    text = config if isinstance(config, str) else json.dumps(config)
    write_tensors(path, contents.tensors, {"config": text})
    return path


def layer(model: dict[str, Any], **fields: Any) -> dict[str, Any]:
    model["config"]["layers"][1] |= fields
    return model


def units(config: dict[str, Any], value: Any) -> dict[str, Any]:
    config["config"]["layers"][1]["config"]["units"] = value
    return config


def activation(config: dict[str, Any], value: Any) -> dict[str, Any]:
    config["config"]["layers"][1]["config"]["activation"] = value
    return config


def nested(depth: int) -> str:
    return '{"class_name":' + "[" * depth + "]" * depth + "}"


ATTACKS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a class by import path": (
        lambda c: layer(c, module="os", class_name="system", registered_name="os>system"),
        "os>system",
    ),
    "a class of the standard library": (
        lambda c: layer(c, module="subprocess", class_name="Popen", registered_name=None),
        "Popen",
    ),
    "an unknown layer": (lambda c: layer(c, class_name="Lambda"), "Lambda"),
    "a function by import path": (
        lambda c: activation(
            c,
            {
                "module": "os",
                "class_name": "function",
                "config": "system",
                "registered_name": "function",
            },
        ),
        "system",
    ),
    "a function of builtins": (lambda c: activation(c, "eval"), "eval"),
    "a serialized lambda": (
        lambda c: activation(c, {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}),
        "config",
    ),
    "units of another shape": (lambda c: units(c, 4), "(2, 4)"),
    "units without bound": (lambda c: units(c, 10**12), "more than the file"),
    "units below zero": (lambda c: units(c, -3), "units"),
    "units in words": (lambda c: units(c, "3"), "units"),
    "a setting that does not exist": (
        lambda c: layer(c, config={"units": 3, "file": "/etc/passwd"}),
        "file",
    ),
    "a layer for the model": (lambda c: c["config"]["layers"][1], "not that of a model"),
    "a number for the model": (lambda c: 5, "not that of a model"),
    "a list for the model": (lambda c: [c], "not that of a model"),
    "layers of no kind": (lambda c: c | {"config": {"layers": 7}}, "rebuilt"),
    "no class": (lambda c: c | {"class_name": None}, "rebuilt"),
    "training of no kind": (lambda c: c | {"compile_config": {"run": "rm"}}, "compile_config"),
    "an unknown optimizer": (
        lambda c: c | {"compile_config": {"optimizer": {"class_name": "Popen", "config": {}}}},
        "Popen",
    ),
    "too deep": (lambda c: nested(90_000), "deep"),
    "a little too deep": (lambda c: nested(200), "deep"),
    "not JSON": (lambda c: "import os", "JSON"),
    "a key twice": (lambda c: '{"class_name":"Sequential","class_name":"Dense"}', "twice"),
    "a huge integer": (lambda c: '{"class_name":' + "9" * 50_000 + "}", "digits"),
}


@pytest.mark.parametrize("case", ATTACKS)
def test_a_hostile_configuration_is_refused(
    tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, word = ATTACKS[case]
    path = attacked(tmp_path, change)
    modules = set(sys.modules)
    with pytest.raises(FormatError) as caught:
        es.load_model(path)
    assert "m.everystep" in str(caught.value)
    assert word in str(caught.value)
    assert set(sys.modules) == modules


def test_the_attacks_start_from_a_model_that_is_loaded(tmp_path: Path) -> None:
    assert es.load_model(attacked(tmp_path, lambda config: config)).output_shape == (None, 3)


def test_hostile_sizes_make_nothing_large(tmp_path: Path) -> None:
    import tracemalloc

    path = attacked(tmp_path, lambda config: units(config, 10**9))
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="more than the file"):
            es.load_model(path)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
