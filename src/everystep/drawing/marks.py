"""Marks: the tree of a picture or page before it is text.

Whoever draws puts marks together and never writes an angle bracket; `write` does, and escapes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

from everystep.errors import DataError

Value = str | int | float | bool | None

_VOID: Final = frozenset(["br", "hr", "input", "link", "meta"])
"""What HTML writes without an end."""

_ENDING: Final = ("</", "<!--", "<script", "]]>")
"""What would end a script, or begin another, in HTML or in XML, wherever it stands."""


@dataclass(frozen=True)
class Mark:
    """One element of a picture or page.

    Args:
        tag: its name in SVG or HTML.
        attributes: its attributes; those that are None or False are left out.
        children: what stands inside: marks and text.
    """

    tag: str
    attributes: tuple[tuple[str, Value], ...]
    children: tuple[Mark | str, ...]

    def every(self) -> Iterator[Mark]:
        """Yield this mark and all those inside it.

        >>> [each.tag for each in mark("svg", mark("g", mark("line"))).every()]
        ['svg', 'g', 'line']
        """
        yield self
        for child in self.children:
            if isinstance(child, Mark):
                yield from child.every()


def mark(
    tag: str, *children: Mark | str | Iterable[Mark | str | None] | None, **attributes: Value
) -> Mark:
    """Make a mark.

    Args:
        tag: the element's name.
        *children: marks, text, lists of both, or None for nothing.
        **attributes: attributes by name; `_` stands for `-`, and one at the end is dropped, so that
            `class_` and `for_` can be given.

    >>> write(mark("text", "a < b", class_="note", text_anchor="end"))
    '<text class="note" text-anchor="end">a &lt; b</text>'
    """
    flat: list[Mark | str] = []
    for child in children:
        if isinstance(child, Mark | str):
            flat.append(child)
        elif child is not None:
            flat.extend(each for each in child if each is not None)
    named = tuple((name.rstrip("_").replace("_", "-"), to) for name, to in attributes.items())
    return Mark(tag, named, tuple(flat))


def data_mark(value: object, **attributes: Value) -> Mark:
    r"""Make a mark that holds plain data for a script, as JSON that no text in it can end.

    Args:
        value: text, numbers, true, false, None, and lists and mappings of such.
        **attributes: further attributes, as of `mark`.

    Raises:
        ValueError: a number is not finite, which JSON cannot say.
        TypeError: something in it is not plain data.

    >>> print(write(data_mark(["</script>", 1, None], class_="data")))
    <script type="application/json" class="data">["\u003c/script\u003e",1,null]</script>
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return mark("script", text, type="application/json", **attributes)


def write(tree: Mark) -> str:
    """Write a tree of marks as text that is both HTML and XML.

    Args:
        tree: the marks.

    Returns:
        The text; whatever came from outside is escaped.

    Raises:
        DataError: a style sheet or script holds what would have to be escaped, and cannot be.

    >>> write(mark("p", "x ", mark("b", "&"), mark("br")))
    '<p>x <b>&amp;</b><br/></p>'
    """
    parts: list[str] = []
    _write(tree, parts)
    return "".join(parts)


def _write(node: Mark | str, parts: list[str]) -> None:
    if isinstance(node, str):
        parts.append(escape(_printable(node), quote=False))
        return
    attributes = "".join(
        f' {name}="{escape(_printable(_attribute(name, value)))}"'
        for name, value in node.attributes
        if value is not None and value is not False
    )
    if node.tag in _VOID:
        parts.append(f"<{node.tag}{attributes}/>")
        return
    parts.append(f"<{node.tag}{attributes}>")
    if node.tag in _RAW:
        parts.append(_RAW[node.tag]("".join(map(_text, node.children))))
    else:
        for child in node.children:
            _write(child, parts)
    parts.append(f"</{node.tag}>")


def _attribute(name: str, value: Value) -> str:
    if value is True:
        return name
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)


def _printable(text: str) -> str:
    """Replace what neither HTML nor XML can hold, which source may well have: form feeds, NULs."""
    return "".join(
        char if char in "\t\n" or (char >= " " and not "\ud800" <= char <= "\udfff") else " "
        for char in text
    )


def _text(child: Mark | str) -> str:
    return child if isinstance(child, str) else ""


def _style(text: str) -> str:
    if any(char in text for char in "<&"):
        raise DataError("a style sheet cannot hold < or &, which HTML does not escape there")
    return text


def _script(text: str) -> str:
    if not any(char in text for char in "<&"):
        return text
    if any(ending in text.lower() for ending in _ENDING):
        raise DataError(f"a script cannot hold any of {', '.join(_ENDING)}, which end it anywhere")
    # HTML reads the marks of the section as comments of the script, XML as what they are.
    return f"//<![CDATA[\n{text}\n//]]>"


_RAW: Final[dict[str, Callable[[str], str]]] = {"style": _style, "script": _script}
"""How the text inside is written where HTML does not read escapes."""
