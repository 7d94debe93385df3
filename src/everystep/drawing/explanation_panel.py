"""What a page shows of one part of an explanation: its pictures, facts, and data for the script."""

from __future__ import annotations

from everystep.drawing.explained import Connected, Explained, LayerRead, Map
from everystep.drawing.explanation_data import calls_data, part_data
from everystep.drawing.explanation_parts import Part, call_names
from everystep.drawing.facts import Fact, facts_of
from everystep.drawing.layer_weights import LayerWeights, shapes_in_words, weights_of_layers
from everystep.drawing.map_picture import map_picture
from everystep.drawing.marks import Mark, data_mark, mark
from everystep.drawing.network_picture import network_picture
from everystep.drawing.page_scores import table
from everystep.drawing.reads import all_in_words, reads_in_words
from everystep.drawing.sheet import size_of
from everystep.drawing.unrolled_picture import unrolled_picture


def footer() -> Mark:
    """Draw what stands below an explanation or a comparison."""
    return mark("footer", mark("p", "Made by everystep; it says no more than was shown."))


def said(hint: str) -> Mark:
    """Draw the line of text in which a script says what it lights.

    Args:
        hint: what stands there while nothing is pointed at.
    """
    return mark("p", hint, class_="said", role="status", hidden=True)


def summary(data: Explained) -> str:
    """Say in a sentence what is explained, and what its steps read."""
    several = len(data["maps"]) > 1
    readings = "; ".join(
        f"of {each['input']}, a step of {each['output']} reads {words}"
        if several
        else f"an output step reads {words}"
        for each in data["maps"]
        for words in [reads_in_words(each["depends"])]
    )
    return f"{data['kind']} of {data['parameters']:,} parameters: {readings}."


def part_panel(data: Explained, part: Part) -> list[Mark]:
    """Draw a part.

    Args:
        data: what was found out.
        part: the part.

    Returns:
        Marks to stand side by side, and what the script needs to know of them.
    """
    facts = facts_of(data) if part.layer is None else _layer_facts(data, part.layer)
    return [*read_figures(part.read), facts_list(facts), part_mark(data, part)]


def part_mark(data: Explained, part: Part) -> Mark:
    """Write what the script needs to know of a part."""
    return data_mark(part_data(data, part), data_of="part")


def read_figures(read: Connected) -> list[Mark]:
    """Draw who reads what: unit by unit, and each map step by step."""
    network = _figure("network", "Which unit reads which", network_picture(read))
    return [network, *(_map_figure(read, each) for each in read["maps"])]


def calls_figure(data: Explained) -> Mark:
    """Draw the model unrolled in time, layer by layer."""
    return _figure("calls", "Unrolled in time, layer by layer", unrolled_picture(data))


def facts_list(facts: list[Fact]) -> Mark:
    """Draw facts as a list."""
    return mark("dl", map(_fact, facts), class_="facts")


def calls_panel(data: Explained) -> list[Mark]:
    """Draw the model unrolled in time, layer by layer.

    Args:
        data: what was found out, of a model with layers.
    """
    return [
        calls_figure(data),
        layers_table(data),
        data_mark(calls_data(data), data_of="calls"),
    ]


def layers_table(data: Explained) -> Mark:
    """Draw the layers as a table, with the shapes before and after each."""
    heads = ("layer", "reads", "shape before and after", "parameters", "weights", "a step reads")
    weights = weights_of_layers(data["layers"])
    names = call_names(data)
    calls = zip(data["layers"], weights, strict=True)
    rows = [_layer(names, number, *call) for number, call in enumerate(calls)]
    return mark("div", table(heads, rows, "Layers with their shapes"), class_="layers")


def _layer(names: dict[int, str], number: int, layer: LayerRead, weights: LayerWeights) -> Mark:
    sources = dict.fromkeys(names[source] for source in layer["sources"])
    before, after = shapes_in_words(layer)
    return mark(
        "tr",
        mark("th", names[number], mark("small", layer["kind"]), scope="row"),
        mark("td", ", ".join(sources)),
        mark("td", mark("code", before), " ", mark("code", after)),
        mark("td", f"{layer['parameters']:,}", class_="figure"),
        mark("td", weights.in_words(layer["steps"])),
        mark("td", _reads(layer)),
    )


def _reads(layer: LayerRead) -> str:
    return all_in_words(layer["depends"])


def _layer_facts(data: Explained, layer: LayerRead) -> list[Fact]:
    before, after = shapes_in_words(layer)
    bound = "an upper bound: a layer inside a model is not tried alone"
    return [
        Fact("layer", layer["kind"]),
        Fact("a step reads", _reads(layer), bound),
        Fact("shapes", f"{before} {after}"),
        Fact("parameters", f"{layer['parameters']:,}"),
        *(
            Fact("kernel", each["kernel"], each["why"])
            for each in data["kernels"]
            if each["path"] == layer["path"] or each["path"].startswith(f"{layer['path']}/")
        ),
    ]


def _map_figure(read: Connected, each: Map) -> Mark:
    outputs, inputs = ([port["name"] for port in read[side]] for side in ("outputs", "inputs"))
    named = f": {each['output']} of {each['input']}" if len(read["maps"]) > 1 else ""
    return _figure(
        "map",
        f"Which step reads which{named}",
        map_picture(each),
        data_output_port=outputs.index(each["output"]),
        data_input_port=inputs.index(each["input"]),
    )


def _figure(class_: str, caption: str, picture: Mark, **attributes: int) -> Mark:
    """Frame a picture, with its width, so that a page can give it the room that it needs."""
    return mark(
        "figure",
        mark("figcaption", mark("b", caption)),
        mark("div", picture, class_="scroll"),
        class_=class_,
        style=f"--wide:{size_of(picture)[0]:.0f}px",
        **attributes,
    )


def _fact(fact: Fact) -> Mark:
    reason = mark("small", fact.reason) if fact.reason else None
    return mark("div", mark("dt", fact.term), mark("dd", fact.value, reason))
