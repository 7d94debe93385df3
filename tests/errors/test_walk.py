"""Every public entry point answers bad input with an error that a user can read, or takes it."""

import copy
from collections import Counter
from collections.abc import Iterator

import pytest

from everystep.core import defaults, dtypes
from everystep.errors import DataError, SettingError
from tests.errors.bad import BAD, complaint
from tests.errors.found import EntryPoint, entry_points
from tests.errors.hooks import ABSTRACT, CALLED, ELSEWHERE, HOOKS, RECORDS, TAKES_ANYTHING
from tests.errors.walk import called, parameters_of, tries, walked

# What takes long to try; `python -m tests.faults.bad_arguments` tries it.
SLOW = frozenset(
    {
        "CRFLoss.__call__",
        "Comparison.to_text",
        "Explanation.at",
        "Explanation.gradient_by_step",
        "Explanation.longer",
        "Explanation.to_svg",
        "Explanation.to_text",
        "SignalTagger.check_rate",
        "SignalTagger.evaluate",
        "SignalTagger.load",
        "SignalTagger.measure",
        "SignalTagger.predict",
        "SignalTagger.predict_stream",
        "SignalTagger.probabilities",
        "SignalTagger.save",
        "SignalTagger.train",
        "Tagger.train",
        "activations.sparsemax",
        "assert_causal",
        "assert_stepwise",
        "compare",
        "explain",
        "random.beta",
        "random.binomial",
        "random.categorical",
        "random.gamma",
        "random.normal",
        "random.truncated_normal",
        "random.uniform",
        "relation",
    }
)
POINTS = [point for point in walked() if point.name not in SLOW]
# On so many classes a setting is tried that one kind and one name make the same for many.
TIMES = 1


def chosen() -> list[tuple[EntryPoint, list[str]]]:
    """Return the entry points, each with the parameters that are tried on it."""
    seen: Counter[object] = Counter()
    found = []
    for point in POINTS:
        settings = getattr(point.function, "settings", {}) if point.owner is None else {}
        parameters = []
        for parameter in parameters_of(point):
            item = settings.get(parameter)
            key = (parameter, item.kind.wanted if item else point.name)
            seen[key] += 1
            if seen[key] <= TIMES:
                parameters.append(parameter)
        found.append((point, parameters))
    return found


@pytest.fixture(autouse=True)
def as_it_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Give back what functions of `config` have set, and keep files with odd names elsewhere."""
    monkeypatch.chdir(tmp_path_factory.getbasetemp())
    before, policy = copy.copy(vars(defaults._defaults)), dtypes._usual.policy
    yield
    vars(defaults._defaults).update(before)
    dtypes._usual.policy = policy


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_an_entry_point_works_as_the_walk_calls_it(point: EntryPoint) -> None:
    if point.name not in ELSEWHERE:
        called(point, {})


@pytest.mark.parametrize(
    ("point", "parameters"), chosen(), ids=lambda value: getattr(value, "name", "")
)
def test_bad_input_is_answered_in_words(point: EntryPoint, parameters: list[str]) -> None:
    found = [each for parameter in parameters for each in tries(point, parameter, BAD)]
    assert [each for each in found if each.wrong is not None] == []
    senseless = {each.parameter for each in found if each.taken and each.value == "an object"}
    assert {f"{point.name} {name}" for name in senseless} <= TAKES_ANYTHING.keys()


def test_every_table_of_the_walk_is_about_what_there_is() -> None:
    known = entry_points()
    methods = {name.rsplit(".", 1)[-1] for name, point in known.items() if point.owner is not None}
    assert HOOKS.keys() - methods - known.keys() == set()
    assert (CALLED | RECORDS | ABSTRACT | ELSEWHERE | SLOW) - known.keys() == set()
    parameters = {f"{name} {each}" for name, p in known.items() for each in parameters_of(p)}
    assert TAKES_ANYTHING.keys() - parameters == set()


@pytest.mark.parametrize(
    "error",
    [
        AttributeError("'NoneType' object has no attribute 'shape'"),
        TypeError("dot_general requires contracting dimensions to have the same shape"),
        SettingError("units must be a positive integer,\nnot -1"),
        SettingError("units must be an integer, not <object object at 0x7f1f50f6ca20>"),
        SettingError("it must be a positive integer, not -1"),
        DataError("units must be a number, because:"),
        DataError("units?"),
    ],
    ids=str,
)
def test_an_error_that_tells_a_user_nothing_is_seen(error: Exception) -> None:
    assert complaint(error, ("units",)) is not None


def test_an_error_that_tells_a_user_what_to_do_passes() -> None:
    assert complaint(SettingError("Dense: units must be an integer, not 'a'"), ("units",)) is None
