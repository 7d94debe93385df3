"""`everystep doctor`: what computes here, and what to do where something faster is missing."""

from __future__ import annotations

import json

import typer

from everystep.cli.options import AsJson


def doctor(as_json: AsJson = False) -> None:
    """Say what computes here: versions, devices, and which twins of the recurrent loop there are.

    For each twin that does not run it says why, and what to do about it.
    """
    from everystep.cli.examination import examine
    from everystep.cli.showing import columns
    from everystep.drawing import health_text

    found = examine()
    text = json.dumps(found, indent=1) if as_json else health_text(found, columns())
    typer.echo(text)
