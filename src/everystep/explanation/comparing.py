"""Several models side by side: what each does to the steps, and what it is to the first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from everystep.drawing import explained
from everystep.errors import EverystepError, SettingError, ShapeError
from everystep.explanation.explaining import explain
from everystep.explanation.explanation import Explanation
from everystep.explanation.relation import Evidence, Family, Relation, related
from everystep.kinds import ENCODING, MAPPING, POSITIVE, checked


class Comparison:
    """Several models on inputs of the same kind; `compare` makes it.

    Attributes:
        explanations: the explanation of each model, by its name.
        relations: what each model but the first is to the first, by its name.
    """

    def __init__(
        self, explanations: dict[str, Explanation], relations: dict[str, Relation]
    ) -> None:
        self.explanations = explanations
        self.relations = relations

    def data(self) -> explained.Comparison:
        """Return all of it as plain data."""
        models = [self._compared(name) for name in self.explanations]
        return explained.Comparison(steps=models[0]["explained"]["steps"], models=models)

    def _compared(self, name: str) -> explained.Compared:
        found = self.relations.get(name)
        return explained.Compared(
            name=name,
            explained=self.explanations[name].data(),
            relation="same" if found is None else found.verdict,
            relation_reason="" if found is None else found.shown,
        )

    @checked(width=POSITIVE, encoding=ENCODING)
    def to_text(self, width: int = 100, encoding: str = "utf-8") -> str:
        """Return it as a table for a terminal, and why each model is what it is to the first.

        Args:
            width: how many characters a line may have.
            encoding: what the terminal can show.
        """
        from everystep.drawing import comparison_text

        return comparison_text(self.data(), width=width, encoding=encoding)

    def to_svg(self) -> str:
        """Return it as a picture: the models side by side, over a table. It needs no other file."""
        from everystep.drawing import comparison_svg

        return comparison_svg(self.data())

    def to_html(self) -> str:
        """Return it as a page that can be pointed at. It is one file, which asks for no other."""
        from everystep.drawing import comparison_page

        return comparison_page(self.data())

    def _repr_html_(self) -> str:
        from everystep.drawing import comparison_fragment

        return comparison_fragment(self.data())

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.explanations)}>"

    def to_json(self) -> str:
        """Return all of it as JSON."""
        return json.dumps(self.data(), indent=1, ensure_ascii=False, allow_nan=False)


@checked(models=MAPPING)
def compare(models: Mapping[str, Any], *examples: Any, steps: int | None = None) -> Comparison:
    r"""Compare layers, models or functions: who reads whom, what is shared, which are one function.

    Args:
        models: what to compare, each by a name. The first is the one that the others are related
            to.
        *examples: what the inputs look like, as `explain` takes it, the same for all. None are
            needed where the models know their inputs.
        steps: the number of steps; by default that of the examples, or of the first model, or 4.

    Returns:
        The comparison, whose pictures and tables are made when they are asked for.

    Raises:
        SettingError: there are no models, or one is nothing that can be explained.
        DataError: there are too few examples.
        ShapeError: a model does not take such inputs, or so many steps.

    Example:
        >>> import everystep as es
        >>> from everystep.layers import Dense, PerStep
        >>> r = es.compare({"shared": Dense(5), "own": PerStep(Dense(5))}, (None, 4, 3))
        >>> print(r.to_text().split("\n\n")[1])
        model   parameters  output shape   steps talk  shared  any length  causal  to the first
        ───────────────────────────────────────────────────────────────────────────────────────
        shared          20  (batch, 4, 5)  no          yes     yes         yes     the first
        own             80  (batch, 4, 5)  no          no      no          yes     wider
        >>> r.relations["own"].verdict, r.explanations["own"].parameters
        ('wider', 80)
    """
    if not models:
        raise SettingError('compare takes models by their names, such as {"dense": model}, not {}')
    explanations: dict[str, Explanation] = {}
    for name, each in models.items():
        found = explanations[name] = _explained(name, each, examples, steps)
        if not examples:
            steps = found.steps
    # A family compiles its program once, however many it is related to.
    first, *others = (
        Family(replace(each.program, name=name)) for name, each in explanations.items()
    )
    return Comparison(explanations, {each.name: _related(each, first) for each in others})


def _related(one: Family, first: Family) -> Relation:
    """Return what a model is to the first, of which it is another function on other inputs."""
    try:
        return related(one, first)
    except ShapeError as error:
        return Relation("different", Evidence(None, None), str(error), (one.name, first.name))


def _explained(name: str, model: Any, examples: tuple[Any, ...], steps: int | None) -> Explanation:
    try:
        return explain(model, *examples, steps=steps)
    except EverystepError as error:
        raise type(error)(f"{name}: {error}") from error
