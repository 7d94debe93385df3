"""`everystep compare`: several layers, models or functions side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from everystep.cli.options import AsJson, Html, Inputs, OpenPage, Steps, Svg
from everystep.errors import SettingError


def compare(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]TARGET",
            help="Two or more. A file (.keras, .everystep) or PYTHON:OBJECT, as `everystep "
            "explain` takes them, each with a name for the table if you like.",
        ),
    ],
    inputs: Inputs = None,
    steps: Steps = None,
    as_json: AsJson = False,
    svg: Svg = None,
    html: Html = None,
    open_page: OpenPage = False,
) -> None:
    """Compare models: their parameters, who reads whom, and what each is to the first one.

    The same function, narrower (all its functions are among the first one's), wider, or different.
    """
    from everystep.cli.shapes import read_input
    from everystep.cli.showing import Wanted, busy

    named = _by_name(targets)
    wanted = Wanted(as_json=as_json, svg=svg, html=html, open_page=open_page)
    examples = [read_input(text) for text in inputs or []]
    with busy(f"comparing {', '.join(named)}"):
        from everystep.cli.foreign_code import looking_into
        from everystep.cli.targets import load_target
        from everystep.explanation.comparing import compare as compared

        models = {name: load_target(target) for name, target in named.items()}
        with looking_into(" ".join(targets), examples):
            drawn = wanted.drawn(compared(models, *examples, steps=steps))
    drawn.give()


def _by_name(targets: list[str]) -> dict[str, str]:
    """Return the targets by their names.

    Raises:
        SettingError: there are fewer than two, or two of one name.
    """
    if len(targets) < 2:
        raise SettingError(f"{targets[0]}: name at least two models to compare")
    named: dict[str, str] = {}
    for each in targets:
        name, equals, target = each.partition("=")
        if not equals or Path(each).is_file():
            name, target = _short(each), each
        if not name or not target:
            raise SettingError(f"{each}: write NAME=TARGET, such as wide=net.py:wide")
        if name in named:
            raise SettingError(f"two models have the name {name!r}: write NAME=TARGET for each")
        named[name] = target
    return named


def _short(target: str) -> str:
    """Return the name of a target that was given none: its object's, or its file's."""
    return Path(target).stem if ":" not in target else target.rpartition(":")[2]
