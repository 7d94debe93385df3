"""A model unrolled in time: a row of steps for each layer, from the inputs below to the outputs.

The steps that have a part in one output step are filled, through all layers. One letter, and its
colour, is one layer's weights: the same in all steps that share them, with a number for a step's
own.
"""

from __future__ import annotations

from typing import Final

from everystep.drawing.explained import Explained
from everystep.drawing.layer_weights import LayerWeights, layer_name, weights_of_layers
from everystep.drawing.marks import Mark, mark
from everystep.drawing.places import alone, shortened
from everystep.drawing.receptive_field import chain_of, receptive_field
from everystep.drawing.unrolled_captions import Caption, captions
from everystep.drawing.unrolled_edges import HALF_HEIGHT, HALF_WIDTH, Edges
from everystep.drawing.unrolled_layout import Row, Unrolled, layers_of, unroll

_LONGEST_NAME: Final = 30
_WIDE: Final = 62
_LEGEND: Final = 17


def unrolled_picture(data: Explained) -> Mark:
    """Draw all steps of all layers, and what each of them reads.

    A step is a `g` of the class `cell-step` with `data-layer` (for an input -1 - k) and
    `data-step`. Lines are `path` marks of the class `edge`, with `data-layer` and `data-output` for
    the step that reads, `data-source` for the number of the source among the layer's, and
    `data-input`. Where a step reads too many for lines, one `area` stands for them; the state of a
    recurrent layer goes along edges of the class `chain`.

    Args:
        data: what was found out.

    Returns:
        An `svg` mark; its colours are those of `picture_sheet`.
    """
    layers = layers_of(data)
    weights = weights_of_layers(layers)
    said = captions(data, layers, weights)
    unrolled = unroll(data, max(caption.width for caption in said.values()))
    chains = [chain_of(data, layer) for layer in layers]
    number, step = _shown_step(unrolled)
    field = receptive_field(layers, chains, number, step)
    edges = Edges(unrolled, chains, field).all()
    legend = _legend(layer_name(layers[number]), step, edges, weights)
    return mark(
        "svg",
        mark("title", f"{data['name']}, unrolled in time"),
        mark("desc", _described(data, unrolled)),
        mark("g", edges, class_="edges"),
        _rows(unrolled, said, weights, field),
        [_legend_line(line, place, unrolled) for place, line in enumerate(legend)],
        viewBox=f"0 0 {unrolled.width:.0f} {unrolled.height + _LEGEND * len(legend) - 8:.0f}",
        role="img",
        class_="picture unrolled",
    )


def _rows(
    unrolled: Unrolled,
    said: dict[int, Caption],
    weights: list[LayerWeights],
    field: dict[int, set[int]],
) -> list[Mark]:
    """Draw each layer and input: what is said of it, and its steps."""
    last = _last(unrolled)
    return [
        mark(
            "g",
            said[number].drawn(row.left, row.y),
            _steps(
                row, weights[number] if number >= 0 else LayerWeights(), field.get(number, set())
            ),
            _step_numbers(row) if number in last else None,
            class_="row",
            data_layer=number,
        )
        for number, row in unrolled.rows.items()
    ]


def _last(unrolled: Unrolled) -> list[int]:
    """Return the numbers of the layers that no other reads."""
    read = {source for layer in unrolled.layers for source in layer["sources"]}
    return [number for number in range(len(unrolled.layers)) if number not in read]


def _shown_step(unrolled: Unrolled) -> tuple[int, int]:
    """Choose the output step whose receptive field is filled: in the middle of what is shown."""
    number = max(_last(unrolled), key=lambda each: unrolled.layers[each]["steps"])
    shown = unrolled.rows[number].shown
    return number, shown[len(shown) // 2][0]


def _legend(name: str, step: int, edges: list[Mark], weights: list[LayerWeights]) -> list[str]:
    drawn = {word for edge in edges for word in str(dict(edge.attributes)["class"]).split()}
    drawn |= {"letter"} if any(each.letter for each in weights) else set()
    lines = [f"Filled: all that step {step} of {shortened(name, _LONGEST_NAME)} is made of."]
    more = {
        "letter": "One letter and colour: one layer's weights.",
        "chain": "Arrows in a row: a state handed on from step to step.",
        "area": "Areas: every step at their lower edge is read.",
    }
    return lines + [line for kind, line in more.items() if kind in drawn]


def _legend_line(line: str, place: int, unrolled: Unrolled) -> Mark:
    kind = "note" if place else "note filled"
    return mark("text", line, x=0, y=unrolled.height + _LEGEND * place, class_=kind)


def _described(data: Explained, unrolled: Unrolled) -> str:
    layers = "; ".join(
        f"{layer_name(layer)}, {layer['kind']}, {layer['steps']} steps, {layer['parameters']:,} "
        f"parameters, output {layer['output_shape']}"
        for layer in unrolled.layers
    )
    inputs = ", ".join(f"{port['name']} {port['shape']}" for port in data["inputs"])
    return f"From below: {inputs}; {layers}."


def _steps(row: Row, weights: LayerWeights, field: set[int]) -> list[Mark]:
    """Draw the steps of a row, with the name of their weights, or with their number in an input."""
    steps = []
    for place, x in row.places:
        step = alone(place)
        if step is None:
            steps.append(_text("\N{MIDDLE DOT}" * 3, x, row.y + 4, "dots"))
            continue
        half = HALF_WIDTH if row.steps > 1 else _WIDE
        name = str(step) if row.number < 0 and row.steps > 1 else weights.name(step)
        box = mark(
            "rect",
            x=x - half,
            y=row.y - HALF_HEIGHT,
            width=2 * half,
            height=2 * HALF_HEIGHT,
            rx=7,
        )
        steps.append(
            mark(
                "g",
                box,
                _text(name, x, row.y + 4.5, "letter") if name else None,
                class_=f"cell-step {weights.class_(step)}{' lit' if step in field else ''}",
                data_layer=row.number,
                data_step=step,
            )
        )
    return steps


def _step_numbers(row: Row) -> list[Mark] | None:
    if row.steps == 1:
        return None
    return [_text(str(step), x, row.y - HALF_HEIGHT - 8, "note") for step, x in row.shown]


def _text(words: str, x: float, y: float, class_: str) -> Mark:
    return mark("text", words, x=x, y=y, text_anchor="middle", class_=class_)
