"""How roles look: one family of roles, one look, on paper, on a screen and in a terminal.

Colours keep a contrast of at least 4.5 to 1 with their background. No look relies on colour alone:
weight and slope differ too, and a wrong label is marked by a line and by words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Look:
    """How the roles of one family look.

    Args:
        name: the family's name, which is its CSS class too.
        light: the colour on a light page.
        dark: the colour on a dark page.
        terminal: the style in a terminal, in colours that its user has chosen.
        css: further style on a page.
    """

    name: str
    light: str
    dark: str
    terminal: str
    css: str = ""


FAMILIES: Final = (
    Look("keyword", "#7a3e9d", "#d2a8ff", "magenta", "font-weight:600"),
    Look("operator", "#5a6472", "#9aa5b1", "dim"),
    Look("literal", "#2f6f3e", "#8ddb8c", "green"),
    Look("comment", "#667080", "#8d96a0", "dim italic", "font-style:italic"),
    Look("definition", "#0b57a4", "#79b8ff", "bold blue", "font-weight:700"),
    Look("call", "#a84300", "#ffab70", "bold yellow", "font-weight:600"),
    Look("attribute", "#00697a", "#56d4dd", "cyan"),
    Look("variable", "#1f2630", "#e6edf3", "default"),
    Look("parameter", "#a3195b", "#ff9bce", "italic bright_magenta", "font-style:italic"),
    Look("import", "#765400", "#e3c05a", "bright_yellow"),
    Look("given", "#4f46c8", "#b3adff", "bright_blue"),
)
"""The families; "given" are built-ins and types."""

_BY_NAME: Final = {family.name: family for family in FAMILIES}
_FAMILY_OF_ROLE: Final = {
    "keyword": "keyword",
    "operator": "operator",
    "number": "literal",
    "string": "literal",
    "comment": "comment",
    "function defined": "definition",
    "class defined": "definition",
    "decorator": "definition",
    "function called": "call",
    "method called": "call",
    "attribute read": "attribute",
    "attribute written": "attribute",
    "variable read": "variable",
    "variable written": "variable",
    "parameter": "parameter",
    "keyword argument": "parameter",
    "module": "import",
    "imported name": "import",
    "built-in": "given",
    "type": "given",
}


def look_of(role: str) -> Look:
    """Return how a role looks; one that is not known looks like a variable.

    >>> look_of("method called").name, look_of("anything else").name
    ('call', 'variable')
    """
    return _BY_NAME[_FAMILY_OF_ROLE.get(role, "variable")]
