"""Real corpora, where they lie beside the repository: the figures that their makers give."""

from pathlib import Path

import pytest

from everystep.corpora import reader, reader_for

FIGURES = [
    ("UD_English-EWT/en_ewt-ud-train.conllu", "conllu", 12544, 204577, 17),
    ("UD_English-EWT/en_ewt-ud-dev.conllu", "conllu", 2001, 25147, 17),
    ("UD_English-EWT/en_ewt-ud-test.conllu", "conllu", 2077, 25094, 17),
    ("WNUT17/wnut17train.conll", "columns", 3394, 62730, 13),
    ("WNUT17/emerging.dev.conll", "columns", 1009, 15733, 13),
    ("WNUT17/emerging.test.annotated", "columns", 1287, 23394, 13),
]


def data_file(name: str) -> Path:
    found = next(Path(__file__).parents[4].glob(f"*/data/{name}"), None)
    if found is None:
        pytest.skip(f"the corpus {name} is not beside the repository")
    return found


@pytest.mark.parametrize(("name", "format", "sentences", "words", "labels"), FIGURES)
def test_figures_and_the_way_back(
    name: str, format: str, sentences: int, words: int, labels: int
) -> None:
    path = data_file(name)
    one = reader_for(path)
    assert one.name == format
    found = list(one.read(path))
    assert (len(found), sum(map(len, found))) == (sentences, words)
    assert len({label for each in found for label in each.labels or ()}) == labels
    written = "".join(one.write(each, each.labels or ()) for each in found)
    assert written.encode() == path.read_bytes()


def test_every_column_of_labels_is_there() -> None:
    path = data_file("UD_English-EWT/en_ewt-ud-dev.conllu")
    counts = {}
    for label in ("xpos", "deprel", "feats:Number"):
        labels = [each.labels or () for each in reader("conllu", label).read(path)]
        assert all(labels)
        counts[label] = len({one for each in labels for one in each})
    # README of the data: 49 tags; the rest counted with cut, sort and uniq.
    assert counts == {"xpos": 49, "deprel": 49, "feats:Number": 4}
