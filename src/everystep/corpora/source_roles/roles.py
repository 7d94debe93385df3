"""The roles that a token of Python source can play: the labels of the demonstration corpus."""

from typing import Final

KEYWORD: Final = "keyword"
OPERATOR: Final = "operator"
NUMBER: Final = "number"
STRING: Final = "string"
COMMENT: Final = "comment"
FUNCTION_DEFINED: Final = "function defined"
CLASS_DEFINED: Final = "class defined"
PARAMETER: Final = "parameter"
KEYWORD_ARGUMENT: Final = "keyword argument"
FUNCTION_CALLED: Final = "function called"
METHOD_CALLED: Final = "method called"
ATTRIBUTE_READ: Final = "attribute read"
ATTRIBUTE_WRITTEN: Final = "attribute written"
VARIABLE_READ: Final = "variable read"
VARIABLE_WRITTEN: Final = "variable written"
MODULE: Final = "module"
IMPORTED: Final = "imported name"
BUILT_IN: Final = "built-in"
TYPE: Final = "type"
DECORATOR: Final = "decorator"

ROLES: Final[dict[str, str]] = {
    KEYWORD: "a reserved word, or a word such as match, case, type or _ where the grammar reads it "
    "as a keyword",
    OPERATOR: "an operator, bracket or punctuation mark",
    NUMBER: "a number",
    STRING: "a string; an f-string is one step with all that it encloses, on every Python version",
    COMMENT: "a comment",
    FUNCTION_DEFINED: "the name that a def gives to its function or method",
    CLASS_DEFINED: "the name that a class statement gives to its class",
    PARAMETER: "the name of a parameter, where a def or lambda declares it",
    KEYWORD_ARGUMENT: "the name before = in a call, a list of base classes or a class pattern",
    FUNCTION_CALLED: "a plain name that is called, unless it is a built-in",
    METHOD_CALLED: "the name after the dot of an attribute that is called",
    ATTRIBUTE_READ: "the name after the dot of an attribute that is read and not called",
    ATTRIBUTE_WRITTEN: "the name after the dot of an attribute that is assigned or deleted",
    VARIABLE_READ: "a plain name that is read, and none of the kinds below",
    VARIABLE_WRITTEN: "a plain name that is assigned, deleted, captured, or declared global or "
    "nonlocal",
    MODULE: "a module's name in an import, and a name bound by a plain import where it is read",
    IMPORTED: "a name in the list of a from-import, and where such a name is read",
    BUILT_IN: "a name that resolves to no binding of the file but to Python's built-ins, read or "
    "called",
    TYPE: "a name where Python expects a type: annotation, base class, except clause, type "
    "parameter, class pattern",
    DECORATOR: "the last name of the function or class that follows an @",
}
"""Every role with its definition, in the order of the label ids.

Where two definitions fit one name, the one that its place in the code gives wins over the one that
its binding gives: decorator and type come first, then built-in, then called, then module and
imported name, then variable read.
"""

NAME_ROLES: Final[tuple[str, ...]] = tuple(list(ROLES)[5:])
"""The roles of names: the steps where there is something to decide.

The other five follow from the token alone, but for a few soft keywords.
"""
