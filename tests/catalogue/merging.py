"""Layers of several inputs that become one."""

from everystep.layers import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)
from tests.catalogue.doubled import Doubled
from tests.catalogue.entry import Entry

ENTRIES = [
    Entry("Add", lambda: Doubled(Add())),
    Entry("Average", lambda: Doubled(Average()), variant=True),
    Entry("Concatenate", lambda: Doubled(Concatenate())),
    Entry(
        "Concatenate along steps",
        lambda: Doubled(Concatenate(1)),
        segments="rows",
        reads=None,
        variant=True,
    ),
    Entry("Dot", lambda: Doubled(Dot(2)), segments="refused", reads=None),
    Entry(
        "Dot of unit vectors",
        lambda: Doubled(Dot((1, 1), normalize=True)),
        segments="refused",
        reads=None,
        variant=True,
    ),
    Entry("Maximum", lambda: Doubled(Maximum())),
    Entry("Minimum", lambda: Doubled(Minimum()), variant=True),
    Entry("Multiply", lambda: Doubled(Multiply())),
    Entry("Subtract", lambda: Doubled(Subtract()), variant=True),
]
