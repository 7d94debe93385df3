"""The part of the page that shows the five designs."""

from __future__ import annotations

from everystep.drawing.explained import Connected, Map, Port, WeightUse
from everystep.drawing.marks import Mark, mark
from everystep.drawing.network_picture import network_picture
from everystep.drawing.report import Design, Designs
from everystep.drawing.words import any_steps, counted, reading, sharing


def designs_section(found: Designs) -> Mark:
    """Draw the five designs side by side, each with what was measured of it."""
    return mark(
        "section",
        mark("h2", "One output for every step, five ways"),
        mark(
            "p",
            f"{found['steps']} steps of {found['features']} features below, {found['units']} "
            "outputs for each step above. One colour is one set of weights; the strong lines are "
            "all that one output unit reads. Every figure is measured from the layers.",
        ),
        mark("div", [_card(design, found) for design in found["designs"]], class_="designs"),
        id="designs",
    )


def _card(design: Design, found: Designs) -> Mark:
    first = {each["name"]: each["words"] for each in found["designs"]}
    same = first.get(design["same_as"], "")
    facts = (
        ("output", design["output_shape"]),
        ("weights", sharing(design)),
        ("a step reads", reading(design)),
        ("any number of steps", any_steps(design)),
    )
    return mark(
        "article",
        mark("h3", design["words"]),
        network_picture(_connected(design, found)),
        mark(
            "p",
            mark("span", f"{design['parameters']:,}", class_="number"),
            " parameters",
            mark("small", f"{counted(design['weights'])}"),
            class_="parameters",
        ),
        mark("dl", [part for fact in facts for part in _fact(*fact)]),
        mark("p", f"= the same function as {same}", class_="same")
        if design["same_as"] != design["name"]
        else None,
    )


def _fact(term: str, value: str) -> tuple[Mark, Mark]:
    return mark("dt", term), mark("dd", value)


def _connected(design: Design, found: Designs) -> Connected:
    """Write what was measured of a design as a picture of a network takes it."""
    steps, features, units = found["steps"], found["features"], found["units"]
    inputs, outputs = (
        Port(name=name, shape="", dtype="float32", steps=steps, timed=True, units=size)
        for name, size in (("inputs", features), ("outputs", units))
    )
    seen = Map(
        output="outputs",
        input="inputs",
        depends=design["depends"],
        witnessed=design["depends"],
        exact=True,
        stepwise=reading(design) == "itself alone",
        causal=reading(design) == "itself alone",
        lookback=None,
        lookahead=None,
    )
    weights = [
        WeightUse(
            path=weight["path"],
            shape=weight["shape"],
            steps=[True] * steps,
            used_by=weight["used_by"],
            shared=weight["used_by"] > 1,
        )
        for weight in design["weights"]
    ]
    return Connected(
        name=design["words"], inputs=[inputs], outputs=[outputs], maps=[seen], weights=weights
    )
