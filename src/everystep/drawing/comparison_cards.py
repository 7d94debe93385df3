"""Several models side by side, each with its picture and what is known of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from everystep.drawing.comparison_words import SIGNS, counted, relation_in_words, sharing
from everystep.drawing.explained import Compared, Comparison, Explained
from everystep.drawing.marks import Mark, mark
from everystep.drawing.network_picture import network_picture
from everystep.drawing.reads import reads_of

_SHEET: Final = """
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(212px,1fr));gap:1rem}
.cards article{border:1px solid var(--line);border-radius:12px;padding:.9rem .8rem .7rem;
  background:var(--panel);display:flex;flex-direction:column}
.cards h3{font-size:.88rem;margin:0 0 .4rem;min-height:2.6em;line-height:1.3}
.cards .parameters{margin:.5rem 0 .3rem}
.cards .number{font-size:1.5rem;font-weight:700;letter-spacing:-.02em}
.cards small{display:block;color:var(--soft);font-size:.86rem}
.cards dl{margin-bottom:.7rem}
.cards .relation{display:flex;gap:.45rem;margin:auto 0 .1rem;padding:.25rem .5rem;
  border-radius:6px;font-size:.84rem;font-weight:600;line-height:1.35;
  border:1.5px solid var(--w0)}
.cards .relation.same{color:var(--paper);background:var(--w0)}
@media (max-width:760px){.cards h3{min-height:0}}
@media print{.cards article{break-inside:avoid}}
"""


def cards_sheet() -> str:
    """Return the rules that cards need on a page that declares the colours."""
    return _SHEET


def comparison_cards(
    data: Comparison, picture: Callable[[Explained], Mark] = network_picture
) -> Mark:
    """Draw the models of a comparison as cards, whose pictures need `picture_sheet`.

    Args:
        data: what was found out.
        picture: what draws the picture of each.
    """
    first = data["models"][0]["name"]
    return mark("div", [_card(each, first, picture) for each in data["models"]], class_="cards")


def _card(each: Compared, first: str, picture: Callable[[Explained], Mark]) -> Mark:
    found = each["explained"]
    return mark(
        "article",
        mark("h3", each["name"]),
        picture(found),
        mark(
            "p",
            mark("span", f"{found['parameters']:,}", class_="number"),
            " parameters",
            mark("small", counted(found["weights"])),
            class_="parameters",
        ),
        mark("dl", [part for fact in _facts(found) for part in _fact(*fact)]),
        _relation(each, first) if each["name"] != first else None,
    )


def _facts(found: Explained) -> list[tuple[str, str]]:
    exact = all(each["exact"] for each in found["maps"])
    return [
        ("output", "; ".join(port["shape"] for port in found["outputs"])),
        ("weights", sharing(found["weights"])),
        ("a step reads", f"{reads_of(found)}{'' if exact else ', not all of it seen'}"),
        ("any number of steps", "yes" if found["any_length"] else "no"),
    ]


def _fact(term: str, value: str) -> tuple[Mark, Mark]:
    return mark("dt", term), mark("dd", value)


def _relation(each: Compared, first: str) -> Mark:
    return mark(
        "p",
        mark("span", SIGNS[each["relation"]], class_="sign", aria_hidden="true"),
        mark("span", relation_in_words(each, first)),
        class_=f"relation {each['relation']}",
        title=each["relation_reason"] or None,
    )
