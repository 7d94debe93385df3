"""The parts of an explanation that a page shows one at a time: the whole, and each layer alone."""

from __future__ import annotations

from dataclasses import dataclass

from everystep.drawing.explained import Connected, Explained, LayerRead, Map, Port, WeightUse
from everystep.drawing.layer_weights import layer_name

Rows = list[list[bool]]


@dataclass(frozen=True)
class Part:
    """Some outputs, and what they read of some inputs.

    Calls are numbered as in `LayerRead.sources`.

    Args:
        name: what it is called in a list.
        read: who reads what in it.
        ends: which call makes each output; None where that is not known.
        starts: which call each input comes from.
        layer: the layer that it is; None for the whole.
    """

    name: str
    read: Connected
    ends: list[int | None]
    starts: list[int]
    layer: LayerRead | None = None


def parts_of(data: Explained) -> list[Part]:
    """Return the whole and then each call of a layer.

    Args:
        data: what was found out.
    """
    layers = data["layers"] if len(data["layers"]) > 1 else []
    return [_whole(data), *(_alone(data, number) for number in range(len(layers)))]


def short_path(path: str, data: Explained) -> str:
    """Leave out what the paths of all layers begin with, as the name of the model.

    Args:
        path: the path of a layer or a weight.
        data: what was found out.
    """
    heads = {layer["path"].partition("/")[0] for layer in data["layers"] if "/" in layer["path"]}
    return path.removeprefix(f"{heads.pop()}/") if len(heads) == 1 else path


def call_names(data: Explained) -> dict[int, str]:
    """Name each call of a layer, and input k as the call -1 - k, all by different names.

    Args:
        data: what was found out.
    """
    paths = [short_path(layer["path"], data) for layer in data["layers"]]
    names = {
        number: path if paths.count(path) == 1 else f"{path} #{paths[: number + 1].count(path)}"
        for number, path in enumerate(paths)
    }
    for number, name in enumerate(input_names(data)):
        names[-1 - number] = f"{name} (input)" if name in paths else name
    return names


def input_names(data: Explained) -> list[str]:
    """Return what the inputs are called in a sentence: their names only where there are several."""
    names = [port["name"] for port in data["inputs"]]
    return names if len(names) > 1 else ["input"]


def output_names(data: Explained) -> list[str]:
    """Return what the outputs are called in a sentence."""
    names = [port["name"] for port in data["outputs"]]
    return names if len(names) > 1 else ["output"]


def weights_of(data: Explained, layer: LayerRead) -> list[WeightUse]:
    """Return how the steps of a layer use its weights.

    Args:
        data: what was found out of the model.
        layer: one of its layers.
    """
    shapes = {each["path"]: each["shape"] for each in data["weights"]}
    uses = zip(layer["weights"], layer["uses"], layer["used_by"], strict=True)
    return [
        WeightUse(path=path, shape=shapes[path], steps=steps, used_by=most, shared=most > 1)
        for path, steps, most in uses
    ]


def _whole(data: Explained) -> Part:
    return Part(
        name="whole model",
        read=data,
        ends=_ends(data),
        starts=[-1 - number for number in range(len(data["inputs"]))],
    )


def _ends(data: Explained) -> list[int | None]:
    """Find the calls that make the outputs: one that no other reads, or those with their names."""
    if len(data["outputs"]) == 1:
        read = {source for layer in data["layers"] for source in layer["sources"]}
        last = [number for number in range(len(data["layers"])) if number not in read]
        return [last[0] if len(last) == 1 else None]
    named = {layer_name(layer): number for number, layer in enumerate(data["layers"])}
    return [named.get(port["name"]) for port in data["outputs"]]


def _alone(data: Explained, number: int) -> Part:
    layer, names = data["layers"][number], call_names(data)
    name, reads = names[number], _reads(layer)
    output = _port(name, layer["output_shape"], layer["steps"], layer["units"])
    read = Connected(
        name=name,
        inputs=[_source_port(data, layer, source, names[source]) for source in reads],
        outputs=[output],
        maps=[_map(name, names[source], rows) for source, rows in reads.items()],
        weights=weights_of(data, layer),
    )
    return Part(f"{number + 1}. {name} ({layer['kind']})", read, [number], [*reads], layer)


def _reads(layer: LayerRead) -> dict[int, Rows]:
    """Return what a layer reads of each source; one that it is given twice counts once."""
    reads: dict[int, Rows] = {}
    for source, rows in zip(layer["sources"], layer["depends"], strict=True):
        before = reads.get(source, rows)
        reads[source] = [
            [any(pair) for pair in zip(one, other, strict=True)]
            for one, other in zip(before, rows, strict=True)
        ]
    return reads


def _source_port(data: Explained, layer: LayerRead, source: int, name: str) -> Port:
    place = layer["sources"].index(source)
    rows = layer["depends"][place]
    made_by = data["layers"][source] if source >= 0 else data["inputs"][-1 - source]
    steps = len(rows[0]) if rows else 0
    return _port(name, layer["input_shapes"][place], steps, made_by["units"])


def _port(name: str, shape: str, steps: int, units: int) -> Port:
    return Port(name=name, shape=shape, dtype="", steps=steps, timed=steps > 1, units=units)


def _map(output: str, input_: str, depends: Rows) -> Map:
    """Write a layer's map, of which only the upper bound is known."""
    pairs = [(to, at) for to, row in enumerate(depends) for at, does in enumerate(row) if does]
    return Map(
        output=output,
        input=input_,
        depends=depends,
        witnessed=[[False] * len(row) for row in depends],
        exact=not pairs,
        stepwise=all(to == at for to, at in pairs),
        causal=all(at <= to for to, at in pairs),
        lookback=None,
        lookahead=None,
    )
