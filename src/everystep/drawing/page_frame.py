"""The frame of every page: one file that asks for nothing from elsewhere."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from everystep.drawing.marks import Mark, mark, write


def framed_page(title: str, style: str, *body: Mark, script: str | None = None) -> str:
    """Write a page.

    Args:
        title: its title.
        style: its style sheet.
        *body: what stands on it.
        script: its script, which runs when all of the page is there; the page allows no other.

    Returns:
        HTML, which is XML too.

    Raises:
        DataError: the style sheet or the script cannot stand in a page.
    """
    last = None if script is None else mark("script", script)
    page = mark(
        "html",
        mark(
            "head",
            mark("meta", charset="utf-8"),
            mark("meta", http_equiv="Content-Security-Policy", content=_policy(last)),
            mark("meta", name="viewport", content="width=device-width, initial-scale=1"),
            mark("meta", name="color-scheme", content="light dark"),
            mark("title", title),
            mark("style", style),
        ),
        mark("body", *body, last),
        lang="en",
    )
    return f"<!DOCTYPE html>\n{write(page)}\n"


def _policy(script: Mark | None) -> str:
    """Forbid the browser whatever the page does not hold, above all other scripts."""
    if script is None:
        allowed = "'none'"
    else:
        text = write(script).removeprefix("<script>").removesuffix("</script>")
        allowed = f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}"
