"""The script of pages that hold explanations."""

from __future__ import annotations

from importlib import resources
from typing import Final

_FILES: Final = ("explanation_answers.js", "explanation_page.js")


def explanation_script() -> str:
    """Return the script, which lights what is pointed at on every explanation of a page."""
    room = resources.files("everystep.drawing")
    return "\n".join(room.joinpath(name).read_text(encoding="utf-8") for name in _FILES)
