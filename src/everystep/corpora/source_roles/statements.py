"""The roles of the names in statements whose nodes hold names as plain text."""

import ast
import sys
from typing import Any

from everystep.corpora.source_roles import roles
from everystep.corpora.source_roles.definitions import type_scope
from everystep.corpora.source_roles.scopes import Scope
from everystep.corpora.source_roles.walk import Handler, Walk


def _import(walk: Walk, node: ast.Import, scope: Scope) -> None:
    for index in walk.names(walk.start(node.names[0]), walk.end(node)):
        walk.by_index[index] = roles.MODULE
    for alias in node.names:
        scope.bind(alias.asname or alias.name.partition(".")[0], roles.MODULE)


def _import_from(walk: Walk, node: ast.ImportFrom, scope: Scope) -> None:
    first = walk.start(node.names[0])
    opening = walk.lexemes.texts.index("from", walk.start(node))
    for index in walk.names(opening, first - 1):
        walk.by_index[index] = roles.MODULE
    for index in walk.names(first, walk.end(node)):
        walk.by_index[index] = roles.IMPORTED
    for alias in node.names:
        scope.bind(alias.asname or alias.name, roles.IMPORTED)


def _global(walk: Walk, node: ast.Global | ast.Nonlocal, scope: Scope) -> None:
    for index in walk.names(walk.start(node), walk.end(node)):
        walk.by_index[index] = roles.VARIABLE_WRITTEN
    if isinstance(node, ast.Global):
        scope.declare_global(node.names)
    else:
        scope.declare_nonlocal(node.names)


def _annotated(walk: Walk, node: ast.AnnAssign, scope: Scope) -> None:
    walk.visit(node.target, scope)
    walk.visit_type(node.annotation, scope)
    walk.visit(node.value, scope)


def _except(walk: Walk, node: ast.ExceptHandler, scope: Scope) -> None:
    walk.visit_type(node.type, scope)
    if node.type is not None and node.name is not None:
        # After the type come closing brackets, `as` and the name.
        _written(walk, walk.lexemes.next_name(walk.end(node.type) + 1) + 1, node.name, scope)
    walk.visit_all(node.body, scope)


def _match_as(walk: Walk, node: ast.MatchAs, scope: Scope) -> None:
    walk.visit(node.pattern, scope)
    if node.name is not None:
        _written(walk, walk.end(node), node.name, scope)


def _match_star(walk: Walk, node: ast.MatchStar, scope: Scope) -> None:
    if node.name is not None:
        _written(walk, walk.end(node), node.name, scope)


def _match_mapping(walk: Walk, node: ast.MatchMapping, scope: Scope) -> None:
    walk.visit_all(node.keys, scope)
    walk.visit_all(node.patterns, scope)
    if node.rest is not None:
        # `**rest` comes last, before the closing brace.
        _written(walk, walk.lexemes.last_name(walk.end(node)), node.rest, scope)


def _match_class(walk: Walk, node: ast.MatchClass, scope: Scope) -> None:
    walk.visit_type(node.cls, scope)
    walk.visit_all(node.patterns, scope)
    for pattern in node.kwd_patterns:
        # Before the pattern come opening brackets, `=` and the name.
        walk.by_index[walk.lexemes.last_name(walk.start(pattern) - 1)] = roles.KEYWORD_ARGUMENT
    walk.visit_all(node.kwd_patterns, scope)


def _type_alias(walk: Walk, node: Any, scope: Scope) -> None:
    walk.by_index[walk.start(node.name)] = roles.TYPE
    scope.bind(node.name.id)
    walk.visit_type(node.value, type_scope(walk, node, scope))


def _written(walk: Walk, index: int, name: str, scope: Scope) -> None:
    walk.by_index[index] = roles.VARIABLE_WRITTEN
    scope.bind(name)


HANDLERS: dict[type[ast.AST], Handler] = {
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Global: _global,
    ast.Nonlocal: _global,
    ast.AnnAssign: _annotated,
    ast.ExceptHandler: _except,
    ast.MatchAs: _match_as,
    ast.MatchStar: _match_star,
    ast.MatchMapping: _match_mapping,
    ast.MatchClass: _match_class,
}
if sys.version_info >= (3, 12):
    HANDLERS[ast.TypeAlias] = _type_alias
