"""JSON Lines: keys that are kept, labels that are there or not, and JSON that is hostile."""

import json
from pathlib import Path

import pytest

from everystep.corpora import Sentence, reader
from everystep.errors import CorpusError, DataError


def read(folder: Path, text: str, label: str | None = None) -> list[Sentence]:
    path = folder / "a.jsonl"
    path.write_bytes(text.encode())
    return list(reader("jsonl", label).read(path))


def test_other_keys_come_back(tmp_path: Path) -> None:
    value = {
        "id": 10**18,
        "ner": ["X"],
        "tokens": ["ä"],
        "labels": ["Y"],
        "more": {"a": [1.5, None]},
    }
    [sentence] = read(tmp_path, json.dumps(value), "ner")
    assert (sentence.tokens, sentence.labels) == (("ä",), ("X",))
    text = reader("jsonl", "ner").write(sentence, ["Z"], [0.25])
    assert json.loads(text) == {**value, "ner": ["Z"], "probabilities": [0.25]}
    assert "ä" in text
    assert reader("jsonl", "labels").write(Sentence(("a",)), ["X"]).endswith('"labels": ["X"]}\n')


def test_sentences_without_tokens_and_blank_lines_lose_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, '{"tokens": []}\n\n{"tokens": ["a"], "labels": null}')
    assert [(each.tokens, each.labels) for each in found] == [((), None), (("a",), None)]
    assert [each.place.rpartition(":")[2] for each in found] == ["1", "3"]
    assert reader("jsonl").write(found[0], []) == '{"tokens": [], "labels": []}\n'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[" * 100_000, "nested more than 100 levels|is not JSON"),
        ('{"a":' * 101 + "1" + "}" * 101, "nested more than 100 levels"),
        ('{"tokens": ["a"], "tokens": ["b"]}', "has the key 'tokens' twice"),
        ('{"tokens": ["a"], "n": 123456789012345678901}', "an integer of 21 digits"),
        ('{"tokens": ["a"], "n": NaN}', "NaN, which is not JSON"),
        ('{"tokens": ["a"]', "is not JSON: .* expected an object of JSON in one line"),
        ("a b c", "is not JSON"),
        ('["a"]', "expected an object .* got list"),
        ('{"words": ["a"]}', r"expected the key 'tokens', got \['words'\]"),
        ('{"tokens": "a"}', "expected a list under 'tokens', got str"),
        ('{"tokens": ["a", 1], "labels": ["X", "Y"]}', "got '1' as number 2 of the list"),
        ('{"tokens": ["a"], "labels": [3]}', "under 'labels', got '3' as number 1"),
        ('{"tokens": ["a"], "labels": [""]}', "text that is not empty under 'labels'"),
        ('{"tokens": ["a", "b"], "labels": ["X"]}', "one label a token, got 1 .* for 2 tokens"),
        ('{"tokens": ["a"]}', "expected the key 'labels', as in the lines before"),
        ('{"tokens": ["\\ud800"], "labels": ["X"]}', "half of a pair of surrogates"),
        ('{"tokens": ["a"], "labels": ["X"], "\\udc00": 1}', "half of a pair of surrogates"),
    ],
)
def test_hostile_lines_are_refused_with_their_number(
    line: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(CorpusError, match=rf"a\.jsonl:2.*({message})"):
        read(tmp_path, '{"tokens": ["\\ud83d\\ude00"], "labels": ["X"]}\n' + line)


@pytest.mark.parametrize(
    ("other", "probability"), [("1e999", 0.5), ("1", float("nan"))], ids=["infinite", "nan"]
)
def test_numbers_that_json_cannot_hold_are_not_written(
    other: str, probability: float, tmp_path: Path
) -> None:
    [sentence] = read(tmp_path, f'{{"tokens": ["a"], "n": {other}}}')
    with pytest.raises(DataError, match=r"a\.jsonl:1: JSON cannot hold"):
        reader("jsonl").write(sentence, ["X"], [probability])
