"""The standard library as a corpus: every token has its role, and nothing leaks."""

import ast
import sysconfig
import tokenize
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from everystep.corpora import (
    ROLES,
    SourceCorpus,
    read_source,
    read_standard_library,
    split_of,
    standard_library_files,
)
from everystep.corpora.source_roles import Assigned, assign_roles
from everystep.corpora.source_roles.scopes import BUILT_IN_NAMES
from everystep.errors import CorpusError, SettingError
from tests.corpora.counting import (
    counts_from_tokens,
    counts_from_tree,
    global_loads,
    names_bound_in_classes,
    names_bound_in_module,
)

_ROOT = Path(sysconfig.get_paths()["stdlib"])
# A part of the library that takes a few seconds; 1 in place of 8 checks all of it.
_SAMPLE = standard_library_files()[::8]
_READ = ("variable read", "built-in", "function called", "module", "imported name")


def source_of(path: str) -> str:
    with tokenize.open(_ROOT / path) as stream:
        return stream.read()


def check_counts(source: str, assigned: Assigned) -> None:
    """Hold the roles of a module against counts taken a second way."""
    roles = Counter(assigned.roles)
    expected = counts_from_tree(ast.parse(source)) | counts_from_tokens(source)
    found = {name: roles[name] for name in ROLES if name in expected}
    found["read"] = sum(roles[name] for name in _READ)
    found["names and keywords"] = roles.total() - sum(
        roles[name] for name in ("operator", "number", "string", "comment")
    )
    keywords = expected.pop("reserved words") + expected.pop("soft keywords")
    called = expected.pop("plain names called")
    assert roles["keyword"] == keywords
    assert roles["function called"] <= called <= roles["function called"] + roles["built-in"]
    assert found == expected


def check_built_ins(source: str, assigned: Assigned) -> None:
    """Hold what counts as a built-in against the byte code that Python makes of each name."""
    loads = global_loads(source)
    bound = names_bound_in_module(source)
    unsure = names_bound_in_classes(source)
    lexemes = assigned.lexemes
    for (line, column), index in lexemes.first_at.items():
        text, role = lexemes.texts[index], assigned.roles[index]
        place = (line, column, column + len(text.encode()))
        if place in loads and role in _READ and text not in unsure:
            is_built_in = loads[place] and text in BUILT_IN_NAMES and text not in bound
            assert (role == "built-in") == is_built_in, (place, text)


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_every_token_has_the_role_that_a_second_count_gives() -> None:
    for path in _SAMPLE:
        source = source_of(path)
        try:
            assigned = assign_roles(source)
            check_counts(source, assigned)
            check_built_ins(source, assigned)
        except AssertionError as error:
            raise AssertionError(path) from error


@pytest.mark.parametrize("wrong", ["method called", "built-in", "keyword", "module"])
def test_the_second_count_can_fail(wrong: str) -> None:
    source = "import a\nprint(b.c(a, k=1))\n"
    assigned = assign_roles(source)
    check_counts(source, assigned)
    check_built_ins(source, assigned)
    assigned.roles[assigned.roles.index(wrong)] = "attribute read"
    with pytest.raises(AssertionError):
        check_counts(source, assigned)


def test_the_look_at_byte_code_can_fail() -> None:
    source = "def f(id): return print, id\n"
    assigned = assign_roles(source)
    check_built_ins(source, assigned)
    for name, wrong in (("print", "variable read"), ("id", "built-in")):
        roles = list(assigned.roles)
        places = [number for number, text in enumerate(assigned.lexemes.texts) if text == name]
        roles[places[-1]] = wrong
        with pytest.raises(AssertionError):
            check_built_ins(source, replace(assigned, roles=roles))


def test_every_token_is_in_one_sequence_with_its_layout() -> None:
    for path in _SAMPLE[::2]:
        source = source_of(path)
        tokens = [token for one in read_source(source, path) for token in one.tokens()]
        shown = "".join(token.before + token.text for token in tokens)
        assert source.startswith(shown)
        assert not source[len(shown) :].strip()


@pytest.fixture(scope="module")
def corpus() -> SourceCorpus:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_standard_library(limit=24_000)


def test_no_file_is_in_two_parts(corpus: SourceCorpus) -> None:
    parts = (corpus.train, corpus.dev, corpus.test)
    files = [path for part in parts for path in part.files]
    assert len(set(files)) == len(files)
    for part in parts:
        assert {one.path for one in part.sequences} <= set(part.files)
    assert not corpus.skipped


def test_the_limit_is_kept_and_no_file_fills_its_part(corpus: SourceCorpus) -> None:
    for part, most in ((corpus.train, 24_000), (corpus.dev, 3_000), (corpus.test, 3_000)):
        assert most - 128 < part.steps <= most
        steps = Counter[str]()
        for one in part.sequences:
            steps[one.path] += len(one)
        # Taken evenly, a file gives about its tenth; sequences differ in length.
        assert max(steps.values()) < most / 4


def test_the_same_seed_gives_the_same_corpus_and_another_one_another(corpus: SourceCorpus) -> None:
    assert read_standard_library(limit=24_000) == corpus
    other = read_standard_library(limit=24_000, seed=1)
    assert set(other.train.files) != set(corpus.train.files)


def test_the_split_is_80_10_10_and_stable() -> None:
    splits = Counter(split_of(f"module_{number}.py") for number in range(4000))
    assert splits["train"] == pytest.approx(3200, abs=100)
    assert splits["dev"] == pytest.approx(400, abs=60)
    # Written down once: another machine or version must give the same.
    known = [split_of(path) for path in ("ast.py", "heapq.py", "shutil.py", "json/decoder.py")]
    assert known == ["test", "train", "dev", "dev"]


def test_files_are_modules_in_order_without_tests_tables_and_packages() -> None:
    files = standard_library_files()
    assert files == sorted(set(files))
    parts = {part for path in files for part in path.split("/")}
    assert not parts & {"site-packages", "test", "tests", "idle_test", "__pycache__", "lib2to3"}
    assert {"argparse.py", "asyncio", "decoder.py"} <= parts


def make_library(root: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)


def test_files_that_cannot_be_read_are_skipped_with_a_reason(tmp_path: Path) -> None:
    make_library(
        tmp_path,
        {
            "good.py": b"x = 1\n",
            "empty.py": b"",
            "old.py": b"x = 1\nprint 'x'\n",
            "package/odd.py": b"# coding: nonsense\n",
            "package/test/test_x.py": b"x = 1",
            "site-packages/more.py": b"x = 1",
            "readme.txt": b"x = 1",
        },
    )
    corpus = read_standard_library(root=tmp_path)
    parts = (corpus.train, corpus.dev, corpus.test)
    assert sorted(path for part in parts for path in part.files) == ["empty.py", "good.py"]
    assert sum(part.steps for part in parts) == 3
    reasons = {one.path: one.reason for one in corpus.skipped}
    assert set(reasons) == {"old.py", "package/odd.py"}
    assert reasons["old.py"].startswith("old.py:2: ")


def test_a_limit_goes_on_past_files_without_tokens(tmp_path: Path) -> None:
    files = {f"empty_{number}.py": b"" for number in range(40)}
    make_library(tmp_path, files | {f"full_{number}.py": b"x = 1\n" for number in range(40)})
    assert read_standard_library(root=tmp_path, limit=32).train.steps == 30


@pytest.mark.parametrize("limit", [0, -5])
def test_a_limit_below_one_is_an_error(limit: int) -> None:
    with pytest.raises(SettingError, match="limit: expected at least 1"):
        read_standard_library(limit=limit)


def test_a_folder_without_modules_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="found none"):
        read_standard_library(root=tmp_path)
    with pytest.raises(CorpusError, match="found none"):
        standard_library_files(tmp_path / "missing")
