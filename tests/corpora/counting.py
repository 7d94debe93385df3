"""Counts of roles taken a second way, from nothing but the nodes of the tree and the byte code."""

import ast
import io
import opcode
import symtable
import tokenize
import types
from collections import Counter
from collections.abc import Iterator
from keyword import iskeyword

_FORMATTED = tuple(
    getattr(ast, name) for name in ("JoinedStr", "TemplateStr") if hasattr(ast, name)
)
_GLOBAL_LOADS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
_LOCAL_LOADS = ("LOAD_FAST", "LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF")


def nodes_of(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but what an f-string encloses."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _FORMATTED):
            waiting += ast.iter_child_nodes(node)


def _last_names(node: ast.AST | None) -> list[ast.expr]:
    """The names and attributes that a type expression ends in."""
    if isinstance(node, ast.Name | ast.Attribute):
        return [node]
    if isinstance(node, ast.BinOp | ast.Subscript | ast.Tuple | ast.List | ast.Starred):
        return [name for child in ast.iter_child_nodes(node) for name in _last_names(child)]
    return []


def _types(nodes: list[ast.AST]) -> list[ast.expr]:
    roots: list[ast.AST | None] = []
    for node in nodes:
        fields = ("annotation", "returns", "bound", "default_value", "cls")
        roots += [getattr(node, field, None) for field in fields]
        if isinstance(node, ast.ClassDef):
            roots += node.bases
        if isinstance(node, ast.ExceptHandler):
            roots.append(node.type)
        if type(node).__name__ == "TypeAlias":
            roots.append(getattr(node, "value", None))
    return [name for root in roots for name in _last_names(root)]


def _decorators(nodes: list[ast.AST]) -> list[ast.expr]:
    found = [name for node in nodes for name in getattr(node, "decorator_list", ())]
    while any(isinstance(node, ast.Call) for node in found):
        found = [node.func if isinstance(node, ast.Call) else node for node in found]
    return [node for node in found if isinstance(node, ast.Name | ast.Attribute)]


def _bound_as_text(node: ast.AST) -> int:
    """How many names a node writes which it holds as plain text."""
    match node:
        case ast.Global() | ast.Nonlocal():
            return len(node.names)
        case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
            return node.name is not None
        case ast.MatchMapping():
            return node.rest is not None
    return 0


def _imported(nodes: list[ast.AST]) -> tuple[int, int]:
    modules = names = 0
    for node in nodes:
        if isinstance(node, ast.Import):
            modules += sum(1 + it.name.count(".") + bool(it.asname) for it in node.names)
        elif isinstance(node, ast.ImportFrom):
            modules += 1 + node.module.count(".") if node.module else 0
            names += sum((it.name != "*") + bool(it.asname) for it in node.names)
    return modules, names


def counts_from_tree(tree: ast.Module) -> dict[str, int]:
    """How often each role, or sum of roles, must come in a module."""
    nodes = list(nodes_of(tree))
    kinds = Counter(type(node).__name__ for node in nodes)
    types_, decorators = _types(nodes), _decorators(nodes)
    placed = set(map(id, types_)) | set(map(id, decorators))
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    names = [node for node in nodes if isinstance(node, ast.Name)]
    loads = [it for it in names if isinstance(it.ctx, ast.Load) and id(it) not in placed]
    methods = {id(it) for it in called if isinstance(it, ast.Attribute)} - placed
    written = [it for it in attributes if not isinstance(it.ctx, ast.Load)]
    modules, imported = _imported(nodes)
    parameters = sum(kinds[kind] for kind in ("TypeVar", "ParamSpec", "TypeVarTuple"))
    stores = len(names) - len([it for it in names if isinstance(it.ctx, ast.Load)])
    return {
        "function defined": kinds["FunctionDef"] + kinds["AsyncFunctionDef"],
        "class defined": kinds["ClassDef"],
        "parameter": kinds["arg"],
        "keyword argument": sum(getattr(node, "arg", None) is not None for node in nodes)
        - kinds["arg"]
        + sum(len(getattr(node, "kwd_attrs", ())) for node in nodes),
        "method called": len(methods),
        "attribute written": len(written),
        "attribute read": len(attributes)
        - len(methods)
        - len(written)
        - len([it for it in attributes if id(it) in placed]),
        "variable written": stores - kinds["TypeAlias"] + sum(map(_bound_as_text, nodes)),
        "type": len(types_) + kinds["TypeAlias"] + parameters,
        "decorator": len(decorators),
        "read": len(loads) + modules + imported,
        "plain names called": len({id(it) for it in called if isinstance(it, ast.Name)} - placed),
        "soft keywords": kinds["Match"] + kinds["match_case"] + kinds["TypeAlias"]
        + sum(isinstance(it, ast.MatchAs) and it.name is None for it in nodes)
        - _wildcards_of_stars(nodes),
    }  # fmt: skip


def _wildcards_of_stars(nodes: list[ast.AST]) -> int:
    """Negative: `*_` holds a wildcard of its own."""
    return -sum(isinstance(node, ast.MatchStar) and node.name is None for node in nodes)


def counts_from_tokens(source: str) -> dict[str, int]:
    """How many tokens of each kind a module has, f-strings counted as one string."""
    kinds: Counter[str] = Counter()
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = tokenize.tok_name[token.type]
        if kind in ("FSTRING_END", "TSTRING_END"):
            depth -= 1
            kind = "STRING"
        if depth == 0:
            kinds[kind] += 1
            kinds["reserved"] += kind == "NAME" and iskeyword(token.string)
        depth += kind in ("FSTRING_START", "TSTRING_START")
    return {
        "operator": kinds["OP"],
        "number": kinds["NUMBER"],
        "string": kinds["STRING"],
        "comment": kinds["COMMENT"],
        "names and keywords": kinds["NAME"],
        "reserved words": kinds["reserved"],
    }


def global_loads(source: str) -> dict[tuple[int, int, int], bool]:
    """Which names the byte code loads, by line, first and last column in bytes.

    True for a name that no function binds.
    """
    found: dict[tuple[int, int, int], bool] = {}
    waiting = [compile(source, "source", "exec", dont_inherit=True)]
    while waiting:
        code = waiting.pop()
        waiting += [it for it in code.co_consts if isinstance(it, types.CodeType)]
        for number, (line, _, column, end) in zip(
            code.co_code[::2], code.co_positions(), strict=True
        ):
            name = opcode.opname[number]
            if line is None or column is None or end is None:
                continue
            if name.startswith(_GLOBAL_LOADS + _LOCAL_LOADS):
                found[line, column, end] = name.startswith(_GLOBAL_LOADS)
    return found


def names_bound_in_module(source: str) -> set[str]:
    """The names that a module binds, from inside of functions too."""
    top = symtable.symtable(source, "source", "exec")
    bound = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_local()}
    waiting = top.get_children()
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        bound |= {it.get_name() for it in table.get_symbols() if it.is_declared_global()}
    return bound


def names_bound_in_classes(source: str) -> set[str]:
    """The names that class bodies bind, for which byte code cannot tell what they resolve to."""
    waiting = [symtable.symtable(source, "source", "exec")]
    bound: set[str] = set()
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        if table.get_type() == "class":
            bound |= {it.get_name() for it in table.get_symbols() if it.is_local()}
    return bound
