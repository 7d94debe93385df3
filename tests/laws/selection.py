"""Which entries of the catalogue a law is about."""

from collections.abc import Callable
from typing import Any, TypeVar

from tests.catalogue import Entry

Test = TypeVar("Test", bound=Callable[..., Any])


def about(chosen: Callable[[Entry], bool]) -> Callable[[Test], Test]:
    """Mark a law as one about the entries for which `chosen` holds."""

    def mark(test: Test) -> Test:
        test.about = chosen  # type: ignore[attr-defined]
        return test

    return mark
