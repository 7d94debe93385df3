"""The roles of the names in definitions of functions and classes."""

import ast
from typing import Any

from everystep.corpora.source_roles import roles
from everystep.corpora.source_roles.scopes import Scope
from everystep.corpora.source_roles.walk import Handler, Walk

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Definition = _Function | ast.ClassDef


def defaults(walk: Walk, arguments: ast.arguments, scope: Scope) -> None:
    """Visit the default values of parameters, in the scope around the function."""
    walk.visit_all(arguments.defaults, scope)
    walk.visit_all(arguments.kw_defaults, scope)


def parameters(walk: Walk, arguments: ast.arguments, around: Scope, body: Scope) -> None:
    """Give parameters their role and bind them in the body; their annotations are read around."""
    plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    for parameter in (*plain, arguments.vararg, arguments.kwarg):
        if parameter is not None:
            walk.by_index[walk.start(parameter)] = roles.PARAMETER
            body.bind(parameter.arg)
            walk.visit_type(parameter.annotation, around)


def type_scope(walk: Walk, node: Any, scope: Scope) -> Scope:
    """Return the scope of a definition's type parameters (Python 3.12), or the one around it.

    Each type parameter owns the name that it starts with, after its stars.
    """
    declared = getattr(node, "type_params", ())
    if not declared:
        return scope
    inner = Scope("types", scope)
    for parameter in declared:
        walk.by_index[walk.lexemes.next_name(walk.start(parameter))] = roles.TYPE
        inner.bind(parameter.name)
    for parameter in declared:
        walk.visit_type(getattr(parameter, "bound", None), inner)
        walk.visit_type(getattr(parameter, "default_value", None), inner)
    return inner


def _function(walk: Walk, node: _Function, scope: Scope) -> None:
    _decorators(walk, node, scope)
    start = walk.start(node)
    words = 2 if isinstance(node, ast.AsyncFunctionDef) else 1
    walk.by_index[start + words] = roles.FUNCTION_DEFINED
    scope.bind(node.name)
    defaults(walk, node.args, scope)
    around = type_scope(walk, node, scope)
    walk.visit_type(node.returns, around)
    body = Scope("function", around)
    parameters(walk, node.args, around, body)
    walk.visit_all(node.body, body)
    _note_unit(walk, node, scope)


def _class(walk: Walk, node: ast.ClassDef, scope: Scope) -> None:
    _decorators(walk, node, scope)
    walk.by_index[walk.start(node) + 1] = roles.CLASS_DEFINED
    scope.bind(node.name)
    around = type_scope(walk, node, scope)
    for base in node.bases:
        walk.visit_type(base, around)
    walk.visit_all(node.keywords, around)
    walk.visit_all(node.body, Scope("class", around))
    _note_unit(walk, node, scope)


def _decorators(walk: Walk, node: _Definition, scope: Scope) -> None:
    for decorator in node.decorator_list:
        walk.visit(decorator, scope)
        named: ast.expr = decorator
        while isinstance(named, ast.Call):
            named = named.func
        walk.place(named, roles.DECORATOR)


def _note_unit(walk: Walk, node: _Definition, scope: Scope) -> None:
    if scope.kind in ("module", "class"):
        first = node.decorator_list[0] if node.decorator_list else node
        walk.units.append((walk.start(first), walk.end(node)))


HANDLERS: dict[type[ast.AST], Handler] = {
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
}
