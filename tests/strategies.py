"""Hypothesis strategies that several test folders share."""

from typing import Any

import hypothesis.strategies as st
import numpy as np
import numpy.typing as npt
from hypothesis import settings

# No deadline: the first example of a shape compiles, and machines are shared.
settings.register_profile("everystep", deadline=None, max_examples=60)
settings.load_profile("everystep")


def lengths(longest: int = 9, most: int = 12) -> st.SearchStrategy[npt.NDArray[np.int64]]:
    """The numbers of steps of one sequence or more; 0 and 1 come often."""
    one = st.one_of(st.integers(0, 1), st.integers(0, longest))
    return st.lists(one, min_size=1, max_size=most).map(lambda sizes: np.array(sizes, np.int64))


@st.composite
def sequences(draw: st.DrawFn, longest: int = 9, most: int = 12) -> list[npt.NDArray[Any]]:
    """A list of arrays that differ in length only, no two of their numbers alike."""
    sizes = draw(lengths(longest, most))
    trailing = draw(st.sampled_from([(), (1,), (3,), (2, 5), (0,)]))
    dtype = draw(st.sampled_from([np.int32, np.float32]))
    flat = np.arange(1, 1 + int(sizes.sum()) * int(np.prod(trailing)), dtype=dtype)
    ends = np.cumsum(sizes)[:-1]
    return np.split(
        flat.reshape(-1, *trailing)
        if flat.size
        else np.zeros((int(sizes.sum()), *trailing), dtype),
        ends,
    )


@st.composite
def segment_rows(draw: st.DrawFn) -> npt.NDArray[np.int32]:
    """Segments with left and right padding, gaps, and ids that rise or fall.

    The shapes are few, as jax compiles for each.
    """
    shape = draw(st.sampled_from([(3, 10), (1, 7), (1, 1), (0, 4), (2, 0)]))
    ids = st.lists(st.integers(0, 3), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1])
    return np.array(draw(ids), dtype=np.int32).reshape(shape)


def labelled_sentences() -> st.SearchStrategy[list[list[tuple[str, str]]]]:
    """Sentences of tokens with labels, of any text that a column of a file can hold.

    That is no tab and no line end, and at the start of a line no mark of a file or a document.
    """
    inside = st.characters(exclude_categories=["Cs"], exclude_characters="\t\r\n\ufeff")
    tokens = st.text(inside, min_size=1).filter(lambda text: not text.startswith("-DOCSTART-"))
    labels = st.from_regex(r"[A-Z][\w-]{0,8}", fullmatch=True)
    sentence = st.lists(st.tuples(tokens, labels), min_size=1, max_size=4)
    return st.lists(sentence, min_size=1, max_size=3)


def overlaps(longest: int = 9) -> st.SearchStrategy[tuple[int, int]]:
    """The steps of a window, and how many of them it shares with the next."""
    return st.integers(1, longest).flatmap(
        lambda length: st.tuples(st.just(length), st.integers(0, length - 1))
    )


def damage(longest: int = 200) -> st.SearchStrategy[list[tuple[int, int, bytes]]]:
    """Changes of a file: where, how many bytes are taken out, and what is put in their place."""
    pieces = [piece.encode() for piece in ["\n\n", *'\t\n\r\0 #"\\[]{}-_1']]
    put = st.one_of(st.sampled_from(pieces), st.binary(max_size=3))
    change = st.tuples(st.integers(0, longest), st.integers(0, 9), put)
    return st.lists(change, min_size=1, max_size=3)
