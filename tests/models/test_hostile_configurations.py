"""Configurations that a hostile file may hold, with a checksum that is right."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import everystep as es
from everystep.errors import FormatError
from everystep.formats import read_tensors, write_tensors
from everystep.formats.keras_archive import read_archive, write_archive


def dense(*sizes: int) -> es.Sequential:
    return es.Sequential([es.Input(shape=(2,)), *(es.layers.Dense(size) for size in sizes)])


def attacked(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """A model file of either format with another configuration, and all sums right."""
    dense(3).save(path)
    if path.suffix == ".keras":
        archive = read_archive(path)
        text = changed_text(archive.config, change)
        write_archive(path, replace(archive, config=text))
    else:
        contents = read_tensors(path)
        text = changed_text(contents.metadata["config"], change)
        write_tensors(path, contents.tensors, {"config": text.decode()})
    return path


def shared(config: dict[str, Any]) -> dict[str, Any]:
    """A number that says of a layer that it is the initializer read before."""
    layers = config["config"]["layers"]
    layers[1]["config"]["kernel_initializer"]["shared_object_id"] = 7
    layers.append(layers[1] | {"shared_object_id": 7})
    return config


def changed_text(text: str | bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    config = change(json.loads(text))
    if isinstance(config, bytes):
        return config
    return (config if isinstance(config, str) else json.dumps(config)).encode()


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
    "an unknown layer": (lambda c: layer(c, class_name="TorchModuleWrapper"), "TorchModuleWrapper"),
    "a module of Keras's own": (
        lambda c: layer(c, module="keras.src.utils.file_utils", class_name="get_file"),
        "get_file",
    ),
    "a helper of Keras's as a layer": (
        lambda c: layer(c, module="keras.utils", class_name="get_file", registered_name=None),
        "get_file",
    ),
    "a helper of Keras's as a function": (
        lambda c: activation(
            c,
            {
                "module": "keras.config",
                "class_name": "function",
                "config": "enable_unsafe_deserialization",
                "registered_name": "enable_unsafe_deserialization",
            },
        ),
        "enable_unsafe_deserialization",
    ),
    "a vocabulary in a file": (
        lambda c: layer(c, class_name="StringLookup", config={"vocabulary": "/etc/passwd"}),
        "StringLookup",
    ),
    "a saved model elsewhere": (
        lambda c: layer(c, class_name="TFSMLayer", config={"filepath": "https://example.org/m"}),
        "TFSMLayer",
    ),
    "a layer of code": (
        lambda c: layer(
            c,
            class_name="Lambda",
            config={
                "name": "lambda",
                "function": {
                    "class_name": "__lambda__",
                    "config": {"code": "4wEAAAA=", "defaults": None, "closure": None},
                },
            },
        ),
        "ambda",
    ),
    "a layer that is another object": (shared, "takes layers"),
    "a name to climb by": (
        lambda c: layer(c, config={"units": 3, "name": "../../outside"}),
        "name",
    ),
    "an object of another family": (
        lambda c: activation(
            c, {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}}
        ),
        "activation",
    ),
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
    "broken text": (lambda c: b'{"class_name":"\xff\xfe"}', "UTF-8"),
    "a huge integer": (lambda c: '{"class_name":' + "9" * 50_000 + "}", "digits"),
}


CASES = [
    (case, suffix)
    for case in ATTACKS
    for suffix in (".everystep", ".keras")
    # In our own format the configuration is text already.
    if (case, suffix) != ("broken text", ".everystep")
]


@pytest.mark.parametrize(("case", "suffix"), CASES)
def test_a_hostile_configuration_is_refused(tmp_path: Path, case: str, suffix: str) -> None:
    change, word = ATTACKS[case]
    path = attacked(tmp_path / f"m{suffix}", change)
    modules = set(sys.modules)
    with pytest.raises(FormatError) as caught:
        es.load_model(path)
    assert path.name in str(caught.value)
    assert word in str(caught.value)
    new = set(sys.modules) - modules
    assert not [name for name in new if not name.startswith("jax")]


@pytest.mark.parametrize("suffix", [".everystep", ".keras"])
def test_the_attacks_start_from_a_model_that_is_loaded(tmp_path: Path, suffix: str) -> None:
    path = attacked(tmp_path / f"m{suffix}", lambda config: config)
    assert es.load_model(path).output_shape == (None, 3)


WATCHED = """
import sys
import everystep as es
from everystep.errors import FormatError
es.load_model(sys.argv[1])
allowed, seen = set(sys.argv[1:]), []

def watch(event, arguments):
    family, name = event.partition(".")[0], str(arguments[0]) if arguments else ""
    # Python reads its own sources where it writes a traceback.
    if event == "open" and name not in allowed and not name.endswith(".py"):
        seen.append(f"open {name}")
    if family in ("import", "socket", "subprocess", "os", "marshal"):
        seen.append(f"{event} {arguments}")

sys.addaudithook(watch)
for path in sys.argv[2:]:
    try:
        es.load_model(path)
    except FormatError:
        continue
    seen.append(f"loaded {path}")
print("\\n".join(seen))
"""


def test_hostile_configurations_touch_nothing(tmp_path: Path) -> None:
    """No file but the given ones is opened, nothing is imported, run or connected to."""
    paths = [attacked(tmp_path / "good.keras", lambda config: config)]
    for change, _ in ATTACKS.values():
        paths.append(attacked(tmp_path / f"{len(paths)}.keras", change))
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *map(str, paths)],
        env={name: value for name, value in os.environ.items() if not name.startswith("JAX_")},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("suffix", [".everystep", ".keras"])
def test_hostile_sizes_make_nothing_large(tmp_path: Path, suffix: str) -> None:
    import tracemalloc

    path = attacked(tmp_path / f"m{suffix}", lambda config: units(config, 10**9))
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="more than the file"):
            es.load_model(path)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_broken_weights_are_named(tmp_path: Path) -> None:
    model = dense(3)
    kernel, bias = model.get_weights()
    kernel[1, 2] = float("nan")
    model.set_weights([kernel, bias])
    model.save(tmp_path / "m.keras")
    with pytest.warns(UserWarning, match=r"NaN or infinite values: layers/dense/vars/0") as caught:
        es.load_model(tmp_path / "m.keras")
    assert "vars/1" not in str(caught[0].message)
    assert caught[0].filename == __file__


# Graphs: which layer is called on what is the file's choice too.


def graph(config: dict[str, Any]) -> Any:
    """The layers of a graph: an input, and a dense layer that is called on it."""
    return config["config"]["layers"]


def history(config: dict[str, Any], *place: Any) -> dict[str, Any]:
    """Let the dense layer be called on another symbol."""
    (call,) = graph(config)[1]["inbound_nodes"]
    call["args"][0]["config"]["keras_history"] = list(place)
    return config


def renamed(config: dict[str, Any]) -> dict[str, Any]:
    graph(config)[1]["name"] = graph(config)[0]["name"]
    return config


def calls(config: dict[str, Any], value: Any) -> dict[str, Any]:
    graph(config)[1]["inbound_nodes"] = value
    return config


GRAPHS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a call beyond number": (lambda c: history(c, "start", 10**9, 0), "call 1000000000"),
    "a call before the first": (lambda c: history(c, "start", -1, 0), "call -1"),
    "an output beyond number": (lambda c: history(c, "start", 0, 10**9), "output 1000000000"),
    "a layer that is not there": (lambda c: history(c, "/etc/passwd", 0, 0), "/etc/passwd"),
    "a loop": (lambda c: history(c, "dense", 0, 0), "loop"),
    "a symbol of no kind": (lambda c: history(c, "start"), "must name a layer"),
    "two layers of one name": (renamed, "two layers"),
    "calls of no kind": (lambda c: calls(c, "os.system"), "inbound_nodes"),
    "a call of no kind": (lambda c: calls(c, [["os.system"]]), "args and kwargs"),
    "code in a call": (
        lambda c: calls(
            c,
            [{"args": [{"class_name": "__lambda__", "config": {"code": "4wE="}}], "kwargs": {}}],
        ),
        "code",
    ),
}


@pytest.mark.parametrize("case", GRAPHS)
def test_a_hostile_graph_is_refused(tmp_path: Path, case: str) -> None:
    change, word = GRAPHS[case]
    start = es.Input((2,), name="start")
    path = tmp_path / "m.keras"
    es.Model(start, es.layers.Dense(3, name="dense")(start)).save(path)
    assert es.load_model(path).output_shape == (None, 3)
    archive = read_archive(path)
    write_archive(path, replace(archive, config=changed_text(archive.config, change)))
    with pytest.raises(FormatError) as caught:
        es.load_model(path)
    assert "m.keras" in str(caught.value)
    assert word in str(caught.value)
