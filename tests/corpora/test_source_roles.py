"""Roles of tokens: hand-labelled snippets, laws, and what cannot be read."""

import ast
import sys
import tokenize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from everystep.corpora.source_roles import NAME_ROLES, ROLES, assign_roles, lex
from everystep.corpora.source_roles.scopes import BUILT_IN_NAMES, Scope
from tests.corpora.snippets import SHORT, SNIPPETS, SNIPPETS_3_12

_CASES = SNIPPETS | (SNIPPETS_3_12 if sys.version_info >= (3, 12) else {})


def roles_without_operators(source: str) -> list[tuple[str, str]]:
    assigned = assign_roles(source)
    pairs = zip(assigned.lexemes.texts, assigned.roles, strict=True)
    return [(text, role) for text, role in pairs if role != "operator"]


@pytest.mark.parametrize("title", _CASES)
def test_snippet_has_the_roles_that_a_reader_gives(title: str) -> None:
    source, expected = _CASES[title]
    found = roles_without_operators(source)
    texts = [text for text, _ in found]
    wanted = [SHORT[short] for short in expected.split()]
    assert found == list(zip(texts, wanted, strict=False)), title
    assert len(found) == len(wanted)


def starts_simply(source: str) -> bool:
    """Whether another statement can stand before this source, on its first line."""
    body = ast.parse(source).body
    return bool(body) and not hasattr(body[0], "body") and not isinstance(body[0], ast.Match)


@pytest.mark.parametrize("title", [title for title in _CASES if starts_simply(_CASES[title][0])])
def test_columns_in_bytes_and_in_characters_are_told_apart(title: str) -> None:
    source, _ = _CASES[title]
    moved = "'ü𝄞é'; " + source.lstrip("\x0c")
    assert roles_without_operators(moved)[1:] == roles_without_operators(source)


def test_every_role_is_in_a_snippet_and_every_short_name_is_a_role() -> None:
    assert set(SHORT.values()) == set(ROLES)
    used = {short for _, expected in SNIPPETS.values() for short in expected.split()}
    assert used | {"op"} == set(SHORT)


def test_name_roles_are_those_that_the_token_alone_does_not_tell() -> None:
    assert set(ROLES) - set(NAME_ROLES) == {"keyword", "operator", "number", "string", "comment"}


def test_an_f_string_is_one_token_with_its_text() -> None:
    source = "é = f'ü{\"a\"}' f'''{\nx:{y}}{{''';z"
    found = lex(source)
    assert found.texts == ["é", "=", "f'ü{\"a\"}'", "f'''{\nx:{y}}{{'''", ";", "z"]
    assert found.kinds[2] == found.kinds[3] == tokenize.STRING
    assert [source[start : start + 1] for start in found.offsets] == [t[0] for t in found.texts]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="template strings came with Python 3.14")
def test_a_template_string_is_one_token() -> None:
    assert lex("t'{a}' + b").texts == ["t'{a}'", "+", "b"]
    assert assign_roles("t'{a}' + b").roles == ["string", "operator", "variable read"]


def test_logical_lines_take_the_comments_before_them() -> None:
    found = lex("# a\nx = (\n 1)\n\n# b\n# c\ny; z\n# d\n")
    assert [found.texts[first] for first in found.line_firsts] == ["# a", "# b", "# d"]


def test_units_are_functions_and_classes_outside_of_functions() -> None:
    source = (
        "if a:\n @b\n def c():\n  def d(): pass\n  class D: pass\nclass e:\n async def f(): pass\n"
    )
    assigned = assign_roles(source)
    texts = assigned.lexemes.texts
    starts = sorted(first for first, _ in assigned.units)
    assert [texts[first] for first in starts] == ["b", "class", "async"]
    assert all(texts[last] == "pass" for _, last in assigned.units)


@pytest.mark.parametrize("source", ["f(", "x = = 1", "'abc", "x = 1\n  y = 2", "return = 3", "\0"])
def test_what_python_cannot_parse_is_an_error(source: str) -> None:
    with pytest.raises((SyntaxError, ValueError)):
        assign_roles(source)


def test_what_tokenize_and_the_parser_see_differently_is_an_error_not_a_guess(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = ast.parse("pass")
    monkeypatch.setattr(ast, "parse", lambda _: other)
    with pytest.raises(SyntaxError, match="no node of the syntax tree owns 'x'"):
        assign_roles("x")


def test_warnings_of_the_source_stay_with_it(recwarn: pytest.WarningsRecorder) -> None:
    assert assign_roles(r"x = '\d' is 1").roles[2] == "string"
    assert not recwarn.list


def test_names_that_modules_and_shells_bind_are_no_built_ins() -> None:
    assert {"print", "ValueError", "__import__"} <= BUILT_IN_NAMES
    assert not {"__name__", "__doc__", "_"} & BUILT_IN_NAMES


def test_nonlocal_names_resolve_around_the_function_that_declares_them() -> None:
    module = Scope("module", None)
    outer = Scope("function", module)
    outer.bind("id")
    inner = Scope("function", outer)
    inner.declare_nonlocal(["id"])
    inner.bind("id")
    assert inner.role_of("id") == "variable read"
    assert module.role_of("id") == "built-in"


_NAMES = st.sampled_from(["a", "é", "len", "match", "_", "ñandú"])
_EXPRESSIONS = st.recursive(
    _NAMES | st.sampled_from(["'ü'", "f'{a}𝄞'", "1", "..."]),
    lambda inner: st.one_of(
        st.tuples(inner, _NAMES).map(lambda it: f"({it[0]}).{it[1]}"),
        st.tuples(inner, inner).map(lambda it: f"({it[0]})({it[1]}, é={it[1]})"),
        st.tuples(inner, inner).map(lambda it: f"({it[0]})[{it[1]}]"),
        st.tuples(_NAMES, inner).map(lambda it: f"[{it[0]} for {it[0]} in {it[1]}]"),
        st.tuples(_NAMES, inner).map(lambda it: f"(lambda {it[0]}: {it[1]})"),
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(_EXPRESSIONS)
def test_counts_of_random_expressions_follow_from_the_tree(source: str) -> None:
    roles = assign_roles(source + "\n").roles
    nodes = list(ast.walk(ast.parse(source)))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    methods = sum(isinstance(node.func, ast.Attribute) for node in calls)
    attributes = sum(isinstance(node, ast.Attribute) for node in nodes)
    assert roles.count("method called") == methods
    assert roles.count("attribute read") == attributes - methods
    assert roles.count("keyword argument") == len(calls)
    assert roles.count("parameter") == sum(isinstance(node, ast.Lambda) for node in nodes)


def test_a_node_without_its_token_is_an_error_not_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ast.parse("x; y")
    monkeypatch.setattr(ast, "parse", lambda _: other)
    with pytest.raises(SyntaxError, match="the parser and tokenize see other tokens"):
        assign_roles("x")
