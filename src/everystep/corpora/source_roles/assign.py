"""A role for every token of a source text."""

import ast
import tokenize
import warnings
from dataclasses import dataclass
from keyword import iskeyword, issoftkeyword

from everystep.corpora.source_roles import definitions, expressions, roles, statements
from everystep.corpora.source_roles.lexing import Lexemes, lex
from everystep.corpora.source_roles.scopes import Scope
from everystep.corpora.source_roles.walk import Walk

_HANDLERS = {**expressions.HANDLERS, **definitions.HANDLERS, **statements.HANDLERS}

_ROLE_OF_KIND = {
    tokenize.OP: roles.OPERATOR,
    tokenize.NUMBER: roles.NUMBER,
    tokenize.STRING: roles.STRING,
    tokenize.COMMENT: roles.COMMENT,
}


@dataclass(frozen=True, slots=True)
class Assigned:
    """The tokens of one source text with their roles.

    Attributes:
        lexemes: the tokens.
        roles: the role of each.
        units: first and last token of each function and class that stands in no other function.
    """

    lexemes: Lexemes
    roles: list[str]
    units: list[tuple[int, int]]


def assign_roles(text: str) -> Assigned:
    r"""Split Python source into tokens and give each the role that it plays.

    Args:
        text: Python source whose lines end in a line feed.

    Returns:
        The tokens and their roles.

    Raises:
        SyntaxError: the running Python cannot parse the text.
        tokenize.TokenError: the text cannot be split into tokens.
        ValueError: the text holds a null byte or half a surrogate pair.
        RecursionError: the text is nested too deeply.

    >>> assign_roles("print(a.b)\n").roles
    ['built-in', 'operator', 'variable read', 'operator', 'attribute read', 'operator']
    """
    with warnings.catch_warnings():
        # What Python thinks of the style of a file (such as its escapes) is not our business.
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
        lexemes = lex(text)
    walk = Walk(lexemes, _HANDLERS)
    walk.visit(tree, Scope("module", None))
    walk.resolve_reads()
    found = [
        _ROLE_OF_KIND.get(kind) or _name_role(lexemes, index, walk.by_index)
        for index, kind in enumerate(lexemes.kinds)
    ]
    return Assigned(lexemes, found, walk.units)


def _name_role(lexemes: Lexemes, index: int, by_index: dict[int, str]) -> str:
    role = by_index.get(index)
    if role is not None:
        return role
    text = lexemes.texts[index]
    # A soft keyword is one where no node of the tree owns it as a name.
    if iskeyword(text) or issoftkeyword(text):
        return roles.KEYWORD
    raise SyntaxError(f"no node of the syntax tree owns {text!r}, token {index}")
