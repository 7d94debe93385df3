"""The colours of pages and pictures, on light and on dark ground.

Colours of weights can be told apart by people who see fewer colours; each comes with a name too.
"""

from __future__ import annotations

import re
from typing import Final

LIGHT: Final = {
    "paper": "#ffffff",
    "panel": "#f6f8fa",
    "ink": "#1f2630",
    "soft": "#57606a",
    "line": "#d5dbe2",
    "faint": "#e6eaef",
    "unit": "#b9c2cc",
    "forward": "#ad5600",
    "both": "#0b62b8",
    "wrong": "#c1121f",
    "wrong-back": "#fde8e8",
    "right": "#1a6b35",
    "w0": "#2060d8",
    "w1": "#a05a00",
    "w2": "#0b5a40",
    "w3": "#c9248e",
}
DARK: Final = {
    "paper": "#0f141a",
    "panel": "#171d25",
    "ink": "#e6edf3",
    "soft": "#9aa5b1",
    "line": "#303a46",
    "faint": "#222a34",
    "unit": "#566372",
    "forward": "#f0a04b",
    "both": "#6cb6ff",
    "wrong": "#ff8080",
    "wrong-back": "#45191d",
    "right": "#7ddb93",
    "w0": "#9ddafe",
    "w1": "#f0af36",
    "w2": "#1ba35e",
    "w3": "#f850a9",
}

WEIGHT_COLOURS: Final = 4
"""How many colours of weights there are; further weights begin again with the first."""


def declared(colours: dict[str, str]) -> str:
    """Write colours as variables of a style sheet.

    >>> declared({"ink": "#000000"})
    '--ink:#000000;'
    """
    return "".join(f"--{name}:{value};" for name, value in colours.items())


def resolved(sheet: str, colours: dict[str, str]) -> str:
    """Put the colours themselves into a style sheet, for programs that know no variables.

    >>> resolved("a{fill:var(--ink)}", {"ink": "#000000"})
    'a{fill:#000000}'
    """
    return re.sub(r"var\(--([\w-]+)\)", lambda found: colours[found[1]], sheet)
