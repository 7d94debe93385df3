"""What the source raises is of the one tree or a protocol's, and it lets no error vanish."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import everystep
from everystep import errors

ROOT = Path(everystep.__file__).parent
TREE = frozenset(errors.__all__)

# What Python's protocols ask for, by the function in which it may stand; None for any.
PROTOCOLS: dict[str, frozenset[str] | None] = {
    "AttributeError": frozenset({"__getattr__"}),
    "IndexError": frozenset({"__getitem__"}),
    "NotImplementedError": None,  # A method that a subclass has to define.
    "ValueError": frozenset({"reject"}),  # How a kind says no; the setting finds the words.
}
# Any other raise, by its file and what it raises, with the reason.
EXCEPTIONS = {
    ("cli/tasks.py", "ValueError"): "caught below, as those of the reader of TOML",
    ("layers/layer.py", "refused"): "what JAX refuses, in words of ours; see `layers.refusing`",
    ("callbacks/checkpoints.py", "KeyboardInterrupt"): "the user's Ctrl-C, once the step is saved",
    (
        "callbacks/checkpoints.py",
        "SystemExit",
    ): "the process was told to end, and the step is saved",
    ("cli/application.py", "typer.Exit"): "how Typer ends --version",
    ("cli/application.py", "SystemExit"): "the process was told to end by SIGTERM",
    ("cli/compiled.py", "PermissionError"): "an OSError, caught where compiled programs are kept",
    ("cli/corpus_files.py", "value"): "what a thread caught, raised again in the main one",
    ("cli/foreign_code.py", "cause"): "the error of the user's own code",
    (
        "corpora/source_roles/assign.py",
        "SyntaxError",
    ): "caught by python_source, as the tokenizer's",
    (
        "corpora/source_roles/lexing.py",
        "SyntaxError",
    ): "caught by python_source, as the tokenizer's",
    ("corpora/source_roles/walk.py", "SyntaxError"): "caught by python_source, as the tokenizer's",
    ("explanation/comparing.py", "type(error)"): "one of the tree, with the model's name before it",
    ("explanation/reading/bits.py", "TooManyWordsError"): "caught by the interpreter",
    ("explanation/relation/smooth_rules.py", "Abrupt"): "caught where relations are smoothed",
    ("explanation/relation/smoothing.py", "Abrupt"): "caught where relations are smoothed",
    ("explanation/subjects/subject.py", "error"): "one of the tree, as the subject raised it",
    ("explanation/witnesses/searching.py", "_contradiction"): "makes a ContradictionError",
    ("formats/atomic.py", "OSError"): "the system's own error, with the name of the file",
    ("kernels/native.py", "TypeError"): "no caller of the public ever sees it: the twin is chosen",
    ("kinds/kind.py", "self.error"): "the class of the tree that the kind names",
    ("kinds/kind.py", "type(error)"): "one of the tree, with the place before it",
    ("losses/arrays.py", "type(error)"): "one of the tree, with the name of the loss before it",
    ("tagging/estimator.py", "_unfitted()"): "a StateError that is scikit-learn's NotFittedError",
}
# Handlers of any error that do not raise it again, by file and function, with the reason.
SWALLOWED = {
    ("cli/corpus_files.py", "read"): "a thread hands it on to the main one",
    ("explanation/subjects/keras_layers.py", "built_for"): "`refuse` raises it in our words",
    ("explanation/subjects/layers.py", "built_for"): "`refuse` raises it in our words",
    ("explanation/subjects/subject.py", "program"): "`refuse` raises it in our words",
    (
        "explanation/subjects/subject.py",
        "shapes_of",
    ): "returned: why a function takes no such array",
    ("kernels/extension.py", "extension"): "the reason is kept, and `everystep doctor` shows it",
    ("kernels/pointwise.py", "_program"): "a user's function, which says it where it is called",
    ("models/exporting.py", "export"): "the first of several tries is raised, if all fail",
}
EVERYTHING = {"Exception", "BaseException", None}


class Found(NamedTuple):
    """A raise or a handler: in which file and function it stands, and what it names."""

    file: str
    function: str
    names: tuple[str | None, ...]
    node: ast.stmt | ast.ExceptHandler

    def __str__(self) -> str:
        return f"{self.file}:{self.node.lineno} ({self.function}): {self.names}"


def found(source: str, file: str) -> Iterator[Found]:
    """Yield the raises and handlers of a file."""

    def walk(node: ast.AST, function: str) -> Iterator[Found]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Raise) and child.exc is not None:
                raised = child.exc.func if isinstance(child.exc, ast.Call) else child.exc
                yield Found(file, function, (ast.unparse(raised),), child)
            if isinstance(child, ast.ExceptHandler):
                yield Found(file, function, tuple(caught(child.type)), child)
            yield from walk(child, child.name if isinstance(child, ast.FunctionDef) else function)

    return walk(ast.parse(source), "")


def caught(kind: ast.expr | None) -> list[str | None]:
    if kind is None:
        return [None]
    return [ast.unparse(each) for each in (kind.elts if isinstance(kind, ast.Tuple) else [kind])]


@functools.cache
def everything() -> list[Found]:
    return [
        each
        for path in sorted(ROOT.rglob("*.py"))
        for each in found(path.read_text("utf-8"), path.relative_to(ROOT).as_posix())
    ]


def is_of_the_tree(each: Found) -> bool:
    (name,) = each.names
    assert name is not None
    within = PROTOCOLS.get(name, frozenset())
    return name in TREE or within is None or each.function in within


def lets_go(handler: Found) -> bool:
    """Whether a handler catches any error and does not raise one itself on its last line."""
    assert isinstance(handler.node, ast.ExceptHandler)
    return bool(EVERYTHING & {*handler.names}) and not isinstance(handler.node.body[-1], ast.Raise)


def test_what_is_raised_is_of_the_tree_or_has_a_reason() -> None:
    raised = [each for each in everything() if isinstance(each.node, ast.Raise)]
    others = [each for each in raised if not is_of_the_tree(each)]
    assert [str(each) for each in others if (each.file, each.names[0]) not in EXCEPTIONS] == []
    assert EXCEPTIONS.keys() - {(each.file, each.names[0]) for each in others} == set()


def test_no_handler_lets_any_error_vanish_without_a_reason() -> None:
    handlers = [each for each in everything() if isinstance(each.node, ast.ExceptHandler)]
    letting = [each for each in handlers if lets_go(each)]
    assert [str(each) for each in letting if (each.file, each.function) not in SWALLOWED] == []
    assert SWALLOWED.keys() - {(each.file, each.function) for each in letting} == set()


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("def f():\n raise ValueError('x')", True),
        ("def f():\n raise KeyError", True),
        ("def f():\n raise SettingError('x') from None", False),
        ("def __getattr__(self):\n raise AttributeError('x')", False),
        ("def reject(value):\n raise ValueError(value)", False),
    ],
)
def test_a_raise_outside_the_tree_is_seen(source: str, wrong: bool) -> None:
    (raised,) = found(source, "file.py")
    assert is_of_the_tree(raised) is not wrong


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("try:\n f()\nexcept:\n pass", True),
        ("try:\n f()\nexcept Exception:\n g()", True),
        ("try:\n f()\nexcept (OSError, BaseException):\n pass", True),
        ("try:\n f()\nexcept OSError:\n pass", False),
        ("try:\n f()\nexcept Exception:\n g()\n raise", False),
    ],
)
def test_a_handler_that_swallows_is_seen(source: str, wrong: bool) -> None:
    (handler,) = found(source, "file.py")
    assert lets_go(handler) is wrong


def test_the_tree_is_all_there_is_in_its_module() -> None:
    classes = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert classes == TREE
    assert all(issubclass(getattr(errors, name), errors.EverystepError) for name in TREE)


# Only a fault of everystep brings it; tests of explanations make one.
WITHOUT_EXAMPLE = {"ContradictionError"}


@pytest.mark.parametrize("name", sorted(TREE - WITHOUT_EXAMPLE - {"EverystepError"}))
def test_each_class_shows_a_message_that_its_doctest_holds_it_to(name: str) -> None:
    assert f"everystep.errors.{name}: " in (getattr(errors, name).__doc__ or "")
