"""`everystep explain`: which step of a model reads which, and what the steps share."""

from __future__ import annotations

from typing import Annotated

import typer

from everystep.cli.options import AsJson, Html, Inputs, OpenPage, Steps, Svg


def explain(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="A file (.keras, .everystep) or PYTHON:OBJECT, such as package.module:model or "
            "folder/file.py:model. Importing runs that code. A layer, a model or a function of "
            "arrays is taken as it is; a function without parameters is called for one.",
        ),
    ],
    inputs: Inputs = None,
    steps: Steps = None,
    input_axis: Annotated[
        list[str] | None,
        typer.Option(
            metavar="AXIS",
            help="The axis of time in what a function takes, or none; once for all inputs, or for "
            "each. 1 if not given.",
        ),
    ] = None,
    output_axis: Annotated[
        list[str] | None, typer.Option(metavar="AXIS", help="The same of what it gives.")
    ] = None,
    as_json: AsJson = False,
    svg: Svg = None,
    html: Html = None,
    open_page: OpenPage = False,
) -> None:
    """Say which step of a model reads which, what the steps share, and draw it.

    The answer is exact where what the program rules out and what changing steps shows agree.
    """
    from everystep.cli.shapes import read_axes, read_input
    from everystep.cli.showing import Wanted, busy

    wanted = Wanted(as_json=as_json, svg=svg, html=html, open_page=open_page)
    examples = [read_input(text) for text in inputs or []]
    axes = read_axes("--input-axis", input_axis), read_axes("--output-axis", output_axis)
    with busy(f"explaining {target}"):
        from everystep.cli.foreign_code import looking_into
        from everystep.cli.targets import load_target
        from everystep.explanation.explaining import explain as explained

        thing = load_target(target)
        with looking_into(target, examples):
            found = explained(
                thing, *examples, steps=steps, input_axis=axes[0], output_axis=axes[1]
            )
            drawn = wanted.drawn(found)
    drawn.give()
