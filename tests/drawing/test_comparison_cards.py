"""Cards of a comparison: the same facts as its table, each with a picture."""

from everystep.drawing.comparison_cards import comparison_cards
from everystep.drawing.marks import Mark, write
from tests.drawing import explanations as made


def marks_of(class_: str, tree: Mark) -> list[Mark]:
    return [m for m in tree.every() if class_ in str(dict(m.attributes).get("class")).split()]


def words_of(tree: Mark) -> str:
    return "".join(child if isinstance(child, str) else words_of(child) for child in tree.children)


def test_a_card_for_each_model_has_its_picture() -> None:
    cards = comparison_cards(made.five_designs())
    assert len(marks_of("network", cards)) == 5
    assert [words_of(m) for m in marks_of("number", cards)] == ["20", "20", "20", "260", "80"]


def test_all_but_the_first_say_what_they_are_to_it() -> None:
    found = marks_of("relation", comparison_cards(made.five_designs()))
    same, wider = "=the same function as Dense", "⊃wider than Dense"
    assert [words_of(m) for m in found] == [same, same, wider, wider]
    assert dict(found[2].attributes)["title"] == "a block-diagonal kernel of equal blocks"


def test_names_from_outside_are_escaped() -> None:
    data = made.five_designs()
    data["models"][1]["name"] = made.HOSTILE
    data["models"][1]["explained"] = made.unproven()
    assert made.HOSTILE not in write(comparison_cards(data))


def test_what_is_not_exact_says_so() -> None:
    data = made.five_designs()
    data["models"][1]["explained"] = made.unproven()
    shown = write(comparison_cards(data))
    assert "up to 3 steps, not all of it seen" in shown
    assert shown.count("not all of it seen") == 1
