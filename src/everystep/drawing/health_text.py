"""What computes on a machine, as text for a terminal or a pipe."""

from __future__ import annotations

from textwrap import wrap

from everystep.drawing.health import Health, Native
from everystep.drawing.plain_table import plain_table


def health_text(found: Health, width: int) -> str:
    """Write it in lines of so many characters.

    >>> native = Native(compiler="", instructions=[], not_here=[], in_use="", threads=0,
    ...                 types=[])
    >>> xla = {"name": "xla", "runs": True, "why_not": "", "cure": ""}
    >>> found = Health(versions={"jax": "1.0"}, devices=["cpu:0"], twins=[xla], native=native)
    >>> print(health_text(found, 60))
    jax      1.0
    devices  cpu:0
    <BLANKLINE>
    The recurrent loop, of an LSTM in float32, the fastest first
    <BLANKLINE>
    twin  runs  why not
    ───────────────────
    xla   yes
    """
    facts = [*found["versions"].items(), ("devices", ", ".join(found["devices"]))]
    if found["native"]["compiler"]:
        facts += _of_native(found["native"])
    room = max(len(name) for name, _ in facts)
    lines = [f"{name:{room}}  {value}" for name, value in facts]
    lines += ["", "The recurrent loop, of an LSTM in float32, the fastest first", ""]
    rows = [
        (each["name"], "yes" if each["runs"] else "no", each["why_not"]) for each in found["twins"]
    ]
    lines += plain_table(("twin", "runs", "why not"), rows, width)
    for each in found["twins"]:
        if each["cure"]:
            lines += ["", *wrap(f"{each['name']}: {each['cure']}", width)]
    return "\n".join(lines)


def _of_native(native: Native) -> list[tuple[str, str]]:
    used = [
        f"{name} (in use)" if name == native["in_use"] else name for name in native["instructions"]
    ]
    others = (
        f"; not on this processor: {', '.join(native['not_here'])}" if native["not_here"] else ""
    )
    return [
        ("native", f"built by {native['compiler']}"),
        ("instructions", ", ".join(used) + others),
        ("threads", str(native["threads"])),
        ("types", ", ".join(native["types"])),
    ]
