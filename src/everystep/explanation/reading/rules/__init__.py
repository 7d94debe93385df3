"""What each primitive does to what is known: one table a family of primitives, one file a table.

A rule takes an equation, what is known of its operands, and the reading it is part of; it gives
what is known of its results. `RULES` of a file maps names of primitives to rules. Rules of values,
as opposed to those of programs inside programs, are wrapped in `folding.constants_first`, unless
they see to constants themselves.
"""

from everystep.explanation.reading.results import Rule, doubting
from everystep.explanation.reading.rules import (
    algebra,
    branches,
    calls,
    indexing,
    moving,
    ordered,
    pointwise,
    products,
    reductions,
    scans,
    whiles,
    windows,
)

FAMILIES = (
    pointwise,
    moving,
    products,
    reductions,
    windows,
    ordered,
    indexing,
    algebra,
    calls,
    branches,
    scans,
    whiles,
)

DOUBTING = (algebra, ordered, products, windows)
"""The families that do not follow which elements are far from ordinary numbers."""

RULES: dict[str, Rule] = {
    name: doubting(rule) if family in DOUBTING else rule
    for family in FAMILIES
    for name, rule in family.RULES.items()
}
"""The rule of each primitive that is understood, by its name."""
