"""One walk over a module's syntax tree, which notes what each name is at its token's index."""

import ast
import tokenize
from collections.abc import Callable, Iterable, Mapping
from keyword import iskeyword
from typing import Any

from everystep.corpora.source_roles.lexing import Lexemes, Position
from everystep.corpora.source_roles.roles import BUILT_IN, FUNCTION_CALLED, TYPE
from everystep.corpora.source_roles.scopes import Scope

Handler = Callable[["Walk", Any, Scope], None]
"""What to do at one class of nodes: give roles to the names it owns, and visit its children."""

# What a type may be made of: `A | B`, `A[B]`, `(A, B)`, `*A`. Anything else is plain code.
_TYPE_FORMS = (ast.BinOp, ast.Subscript, ast.Tuple, ast.List, ast.Starred)


class Walk:
    """The state of the walk, and what every handler needs.

    Args:
        lexemes: the tokens of the module.
        handlers: node class -> handler; the children of other nodes are visited in order.

    Attributes:
        by_index: token index -> role, for every name that a node of the tree owns.
        units: first and last token of each function and class that stands in no other function,
            decorators included.
    """

    def __init__(self, lexemes: Lexemes, handlers: Mapping[type[ast.AST], Handler]) -> None:
        self.by_index: dict[int, str] = {}
        self.units: list[tuple[int, int]] = []
        self.lexemes = lexemes
        self._handlers = handlers
        # Whether a name is a built-in is known only when the whole file has been seen.
        self._reads: dict[int, tuple[str, Scope, bool]] = {}

    def visit(self, node: ast.AST | None, scope: Scope) -> None:
        """Visit a node, if there is one, in a scope."""
        if node is None:
            return
        handler = self._handlers.get(type(node))
        if handler is not None:
            handler(self, node, scope)
            return
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                self.visit_all(value, scope)
            elif isinstance(value, ast.AST):
                self.visit(value, scope)

    def visit_all(self, nodes: Iterable[Any], scope: Scope) -> None:
        """Visit those of the values which are nodes."""
        for node in nodes:
            if isinstance(node, ast.AST):
                self.visit(node, scope)

    def visit_type(self, node: ast.expr | None, scope: Scope) -> None:
        """Visit an expression that stands where Python expects a type."""
        if isinstance(node, ast.Name | ast.Attribute):
            self.visit(node, scope)
            self.place(node, TYPE)
        elif isinstance(node, _TYPE_FORMS):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.visit_type(child, scope)
        else:
            self.visit(node, scope)

    def read(self, node: ast.Name, scope: Scope, *, called: bool = False) -> None:
        """Note a plain name that is read, to be resolved when the walk is over."""
        self._reads[self.start(node)] = (node.id, scope, called)

    def place(self, node: ast.expr, role: str) -> None:
        """Give the last name of a name or attribute, already visited, the role of its place."""
        if isinstance(node, ast.Attribute):
            self.by_index[self.end(node)] = role
        elif isinstance(node, ast.Name):
            index = self.start(node)
            self._reads.pop(index, None)
            self.by_index[index] = role

    def resolve_reads(self) -> None:
        """Give every plain name that is read its role, from what its file binds."""
        for index, (name, scope, called) in self._reads.items():
            role = scope.role_of(name)
            self.by_index[index] = FUNCTION_CALLED if called and role != BUILT_IN else role

    def start(self, node: Any) -> int:
        """Return the index of a node's first token."""
        return _find(self.lexemes.first_at, node.lineno, node.col_offset)

    def end(self, node: Any) -> int:
        """Return the index of a node's last token."""
        return _find(self.lexemes.last_at, node.end_lineno, node.end_col_offset)

    def names(self, first: int, last: int) -> list[int]:
        """Return the indices of the names, reserved words left out, from `first` to `last`."""
        kinds, texts = self.lexemes.kinds, self.lexemes.texts
        return [
            index
            for index in range(first, last + 1)
            if kinds[index] == tokenize.NAME and not iskeyword(texts[index])
        ]


def _find(indices: Mapping[Position, int], line: int, byte_column: int) -> int:
    try:
        return indices[line, byte_column]
    except KeyError:
        message = "the parser and tokenize see other tokens"
        raise SyntaxError(message, (None, line, byte_column, None)) from None
