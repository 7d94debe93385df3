"""Explanations and comparisons as SVG files that need nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from everystep.drawing.explained import Explained
from everystep.drawing.facts import facts_of
from everystep.drawing.layer_weights import (
    layer_name,
    shapes_in_words,
    weights_of_layers,
)
from everystep.drawing.map_picture import map_picture
from everystep.drawing.marks import Mark
from everystep.drawing.network_picture import network_picture
from everystep.drawing.places import shortened
from everystep.drawing.reads import all_in_words
from everystep.drawing.sheet import sheet, written_sheet
from everystep.drawing.table_picture import table_picture
from everystep.drawing.unrolled_layout import layers_of
from everystep.drawing.unrolled_picture import unrolled_picture
from everystep.errors import SettingError

_LONGEST_NAME: Final = 60


def explanation_svg(data: Explained, picture: str = "all") -> str:
    """Draw an explanation as one SVG file, light or dark as its reader is.

    Args:
        data: what was found out.
        picture: what is drawn: "network", "map", "unrolled", "layers", "facts", or "all" of them.

    Returns:
        The file's text; it needs no other file.

    Raises:
        SettingError: there is no such picture.
    """
    title = shortened(f"{data['name']} ({data['kind']})", _LONGEST_NAME)
    if picture == "all":
        words = "; ".join(f"{fact.term}: {fact.value}" for fact in facts_of(data))
        return written_sheet(title, f"{words}.", _everything(data))
    if picture not in _PICTURES:
        known = ", ".join(f'"{name}"' for name in (*_PICTURES, "all"))
        raise SettingError(f"picture={picture!r}: there is no such picture; choose {known}")
    return written_sheet("", "", _PICTURES[picture](data))


def maps_picture(data: Explained) -> Mark:
    """Draw the map of each output and input."""
    return sheet(("", map_picture(each)) for each in data["maps"])


def facts_picture(data: Explained) -> Mark:
    """Draw what is known, in words."""
    rows = [[fact.term, f"{fact.value}; {fact.reason}" if fact.reason else fact.value]
            for fact in facts_of(data)]  # fmt: skip
    return table_picture(f"{data['name']}: what is known", [], rows, longest=64)


def layers_picture(data: Explained) -> Mark:
    """Draw the layers as a table: shapes before and after, parameters, weights."""
    layers = layers_of(data)
    rows = [
        [
            layer_name(layer),
            layer["kind"],
            shapes_in_words(layer)[0],
            layer["output_shape"],
            f"{layer['parameters']:,}",
            weights.in_words(layer["steps"]),
            all_in_words(layer["depends"]),
        ]
        for layer, weights in zip(layers, weights_of_layers(layers), strict=True)
    ]
    heads = [
        "layer",
        "kind",
        "shape before",
        "shape after",
        "parameters",
        "weights",
        "a step reads",
    ]
    return table_picture(f"{data['name']}: layers", heads, rows, right=["parameters"])


def _everything(data: Explained) -> Mark:
    parts = [
        ("What a unit reads, by which weights", network_picture(data)),
        ("What is known", facts_picture(data)),
        ("Which output step reads which input step", maps_picture(data)),
        ("Layer by layer, unrolled in time", unrolled_picture(data)),
        ("Shapes before and after each layer", layers_picture(data)),
    ]
    return sheet(parts if data["layers"] else parts[:-1])


_PICTURES: Final[dict[str, Callable[[Explained], Mark]]] = {
    "network": network_picture,
    "map": maps_picture,
    "unrolled": unrolled_picture,
    "layers": layers_picture,
    "facts": facts_picture,
}
