"""Each case for each format: refused in words for people, in little memory, and nothing touched."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.hostile.attack import CASES
from tests.hostile.formats import FORMATS
from tests.hostile.matrix import REASONS, attacks
from tests.hostile.running import problems_of, results_of

ATTACKS = {each.id: each for each in attacks()}


def test_every_case_is_tried_on_every_format_or_has_a_reason() -> None:
    assert max(Counter(each.id for each in attacks()).values()) == 1
    tried = {(each.case, each.format) for each in ATTACKS.values()}
    excused = {
        (case, name)
        for reason, cases, names in REASONS
        for case in cases
        for name in names
        if reason
    }
    cells = {(case, name) for case in CASES if case for name in FORMATS}
    assert cells - tried - excused == set()
    assert excused <= cells


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_nothing_comes_of_any_attack(tmp_path: Path) -> None:
    found = results_of(ATTACKS.values(), tmp_path)
    problems = {name: problems_of(each, found[name]) for name, each in ATTACKS.items()}
    assert {name: each for name, each in problems.items() if each} == {}
