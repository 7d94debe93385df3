"""How two models are related: whether each function of one is a function of the other.

A model is a family of functions, one for each setting of its weights. That one family's functions
are among another's is shown by a mapping of weights, which is found and then checked
(`containing`); that they are not by a counter-example (`excluding`, `directions`).
"""

from everystep.explanation.relation.asking import relation
from everystep.explanation.relation.family import Family
from everystep.explanation.relation.relating import Evidence, Relation, related

__all__ = ["Evidence", "Family", "Relation", "related", "relation"]
