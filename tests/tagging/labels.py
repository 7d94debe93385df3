"""Labels that hypothesis makes, right and malformed."""

import hypothesis.strategies as st

TYPES = ("PER", "LOC", "a-b")
ENTITY_LABELS = ["O", *(f"{tag}-{name}" for tag in "BIES" for name in TYPES)]


def pairs_of(labels: list[str], longest: int = 9) -> st.SearchStrategy[list[tuple[str, str]]]:
    """A sentence: a right and a predicted label for each step."""
    label = st.sampled_from(labels)
    # A step is right more often than by chance, so that whole entities are too.
    step = st.one_of(label.map(lambda each: (each, each)), st.tuples(label, label))
    return st.lists(step, max_size=longest)


def corpora_of(labels: list[str], most: int = 6) -> st.SearchStrategy[list[list[tuple[str, str]]]]:
    """Sentences of different lengths, some without a step."""
    return st.lists(pairs_of(labels), min_size=1, max_size=most)


def sides(pairs: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """The right labels of a sentence, and the predicted ones."""
    return [right for right, _ in pairs], [said for _, said in pairs]
