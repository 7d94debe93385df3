"""The role that each token of Python source plays, taken exactly from `tokenize` and `ast`."""

from everystep.corpora.source_roles.assign import Assigned, assign_roles
from everystep.corpora.source_roles.lexing import Lexemes, lex
from everystep.corpora.source_roles.roles import NAME_ROLES, ROLES

__all__ = ["NAME_ROLES", "ROLES", "Assigned", "Lexemes", "assign_roles", "lex"]
