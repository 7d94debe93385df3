"""The roles of the names in expressions."""

import ast
import sys

from everystep.corpora.source_roles import roles
from everystep.corpora.source_roles.definitions import defaults, parameters
from everystep.corpora.source_roles.scopes import Scope
from everystep.corpora.source_roles.walk import Handler, Walk

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def _name(walk: Walk, node: ast.Name, scope: Scope) -> None:
    if isinstance(node.ctx, ast.Load):
        walk.read(node, scope)
    else:
        walk.by_index[walk.start(node)] = roles.VARIABLE_WRITTEN
        scope.bind(node.id)


def _walrus(walk: Walk, node: ast.NamedExpr, scope: Scope) -> None:
    walk.by_index[walk.start(node.target)] = roles.VARIABLE_WRITTEN
    scope.bind_walrus(node.target.id)
    walk.visit(node.value, scope)


def _attribute(walk: Walk, node: ast.Attribute, scope: Scope) -> None:
    is_read = isinstance(node.ctx, ast.Load)
    walk.by_index[walk.end(node)] = roles.ATTRIBUTE_READ if is_read else roles.ATTRIBUTE_WRITTEN
    walk.visit(node.value, scope)


def _call(walk: Walk, node: ast.Call, scope: Scope) -> None:
    if isinstance(node.func, ast.Name):
        walk.read(node.func, scope, called=True)
    else:
        walk.visit(node.func, scope)
        walk.place(node.func, roles.METHOD_CALLED)
    walk.visit_all(node.args, scope)
    walk.visit_all(node.keywords, scope)


def _keyword_argument(walk: Walk, node: ast.keyword, scope: Scope) -> None:
    if node.arg is not None:
        walk.by_index[walk.start(node)] = roles.KEYWORD_ARGUMENT
    walk.visit(node.value, scope)


def _lambda(walk: Walk, node: ast.Lambda, scope: Scope) -> None:
    defaults(walk, node.args, scope)
    body = Scope("function", scope)
    parameters(walk, node.args, scope, body)
    walk.visit(node.body, body)


def _comprehension(walk: Walk, node: _Comprehension, scope: Scope) -> None:
    inner = Scope("comprehension", scope)
    for position, clause in enumerate(node.generators):
        # Python evaluates the first iterable outside of the comprehension.
        walk.visit(clause.iter, scope if position == 0 else inner)
        walk.visit(clause.target, inner)
        walk.visit_all(clause.ifs, inner)
    if isinstance(node, ast.DictComp):
        walk.visit(node.key, inner)
        walk.visit(node.value, inner)
    else:
        walk.visit(node.elt, inner)


def _formatted(walk: Walk, node: ast.AST, scope: Scope) -> None:
    # An f-string is one token: what it holds has no place of its own, but what it binds counts.
    for inner in ast.walk(node):
        if isinstance(inner, ast.NamedExpr):
            scope.bind_walrus(inner.target.id)


HANDLERS: dict[type[ast.AST], Handler] = {
    ast.Name: _name,
    ast.NamedExpr: _walrus,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.keyword: _keyword_argument,
    ast.Lambda: _lambda,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.JoinedStr: _formatted,
}
if sys.version_info >= (3, 14):
    HANDLERS[ast.TemplateStr] = _formatted
