"""Taggers from the shell: train, evaluate, predict and info, on a language of four sentences."""

import contextlib
import gzip
import io
import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.cli.application import main
from everystep.cli.corpus_files import as_they_come
from everystep.tagging.measuring import DevScores
from everystep.tagging.model import TaggerModel

SETTINGS = """
epochs = 12
units = 8
embedding = 8
character_units = 4
character_embedding = 6
batch_size = 4
learning_rate = 0.03
"""
# Whether "saw" is a verb or a noun hangs on the word before it.
SENTENCES = [
    [("the", "DET"), ("saw", "NOUN"), ("cuts", "VERB")],
    [("I", "PRON"), ("saw", "VERB"), ("the", "DET"), ("cat", "NOUN")],
    [("the", "DET"), ("cat", "NOUN"), ("sleeps", "VERB")],
    [("I", "PRON"), ("sleep", "VERB")],
] * 6


def _conllu(sentence: list[tuple[str, str]], number: int) -> str:
    lines = [f"# sent_id = {number}"]
    for place, (word, label) in enumerate(sentence, 1):
        lines.append("\t".join([str(place), word, word, label, *"______"]))
    return "\n".join(lines) + "\n\n"


CORPUS = "".join(_conllu(each, number) for number, each in enumerate(SENTENCES))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus, settings, and a tagger that was trained on them."""
    where = tmp_path_factory.mktemp("tagging")
    (where / "train.conllu").write_text(CORPUS)
    (where / "dev.conllu").write_text(CORPUS[: len(CORPUS) // 6])
    (where / "small.toml").write_text(SETTINGS)
    arguments = ["--dev", f"{where}/dev.conllu", "--config", f"{where}/small.toml", "--no-cache"]
    code = run("train", f"{where}/train.conllu", "--out", f"{where}/m.everystep", *arguments)
    assert code == 0
    return where


def run(*arguments: str) -> int:
    """Run the command in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


Captured = pytest.CaptureFixture[str]


def test_a_report_of_the_run_stands_beside_the_model(folder: Path) -> None:
    report = json.loads((folder / "m.json").read_text())
    assert report["dev"]["accuracy"] == 1
    assert report["settings"]["units"] == 8
    assert report["data"]["reader"] == "conllu"
    assert len(report["curve"]["loss"]) <= 12
    assert {"everystep", "jax", "numpy", "python"} <= report["versions"].keys()


def test_evaluation_as_text_and_as_data(folder: Path, capsys: Captured) -> None:
    where = str(folder / "m.everystep"), str(folder / "train.conllu")
    assert run("evaluate", *where) == 0
    assert "100.00 %" in capsys.readouterr().out
    picture = folder / "confused.svg"
    assert run("evaluate", *where, "--json", "--confusion", str(picture)) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["accuracy"], figures["steps"]) == (1, sum(map(len, SENTENCES)))
    assert {"accuracy_known", "accuracy_unknown", "labels"} <= figures.keys()
    assert "entity_f1" not in figures
    assert figures["intervals"] == {"accuracy": [1, 1], "accuracy_known": [1, 1]}
    assert picture.read_text().startswith("<svg")


def test_predictions_come_in_the_format_of_the_file(folder: Path, capsys: Captured) -> None:
    bare = folder / "bare.conllu"
    bare.write_text(CORPUS.replace("\tVERB\t", "\t_\t").replace("\tNOUN\t", "\t_\t"))
    assert run("predict", str(folder / "m.everystep"), str(bare)) == 0
    assert capsys.readouterr().out == CORPUS


def test_predictions_as_data_with_probabilities(
    folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = str(folder / "m.everystep"), str(folder / "dev.conllu")
    monkeypatch.delattr(TaggerModel, "label")  # The network runs once, for both.
    assert run("predict", *given, "--json", "--probabilities") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["tokens"] for line in lines] == [[w for w, _ in each] for each in SENTENCES[:4]]
    assert [line["labels"] for line in lines] == [[x for _, x in each] for each in SENTENCES[:4]]
    assert all(0.25 < share <= 1 for line in lines for share in line["probabilities"])


@pytest.mark.parametrize(
    ("piped", "answer"),
    [
        (gzip.compress(_conllu(SENTENCES[1], 7).encode(), mtime=0), _conllu(SENTENCES[1], 7)),
        ("the cat sleeps\n", "the\tDET\ncat\tNOUN\nsleeps\tVERB\n\n"),
        ("the  NOUN\ncat VERB\n\nI O\nsleep O\n", "the  DET\ncat NOUN\n\nI PRON\nsleep VERB\n"),
        ('{"tokens": ["I", "sleep"]}\n', ["PRON", "VERB"]),
        (_conllu(SENTENCES[1], 7), _conllu(SENTENCES[1], 7)),
    ],
)
def test_a_pipe_is_known_by_its_first_lines(
    folder: Path,
    piped: str | bytes,
    answer: str | list[str],
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = piped if isinstance(piped, bytes) else piped.encode()
    stream = io.TextIOWrapper(io.BufferedReader(io.BytesIO(given)))
    monkeypatch.setattr(sys, "stdin", stream)
    assert run("predict", str(folder / "m.everystep")) == 0
    out = capsys.readouterr().out
    assert (json.loads(out)["labels"] if isinstance(answer, list) else out) == answer


def test_a_pipe_is_answered_line_by_line(folder: Path) -> None:
    command = [sys.executable, "-m", "everystep", "predict", str(folder / "m.everystep")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for words in (["the", "cat", "sleeps"], ["I", "saw"]):
            process.stdin.write(" ".join(words) + "\n")
            process.stdin.flush()
            answer = [process.stdout.readline() for _ in range(len(words) + 1)]
            assert [line.partition("\t")[0] for line in answer] == [*words, "\n"]
        process.stdin.close()
        assert process.wait(timeout=60) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_behind_predictions_is_said_in_one_line(
    folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.suppress(OSError), open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert run("predict", f"{folder}/m.everystep", f"{folder}/dev.conllu", "--no-cache") == 1
    assert capsys.readouterr().err == "everystep: [Errno 28] No space left on device\n"


def test_what_the_file_holds(folder: Path, capsys: Captured) -> None:
    assert run("info", str(folder / "m.everystep")) == 0
    told = capsys.readouterr().out
    for words in ("4: DET NOUN PRON VERB", "units 8", "conllu", "24 sentences"):
        assert words in told
    assert run("info", str(folder / "m.everystep"), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["labels"] == ["DET", "NOUN", "PRON", "VERB"]
    assert found["parameters"] > 0


def test_several_seeds_give_a_spread(
    folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = folder / "quick.toml"
    quick.write_text(SETTINGS.replace("epochs = 12", "epochs = 1"))
    given = [str(folder / "train.conllu"), "--dev", str(folder / "dev.conllu"), "--no-cache"]
    out, curve = folder / "two.everystep", folder / "curve.svg"
    vectors = folder / "few.vec"
    vectors.write_text("2 3\nthe 0.5 1 0\ndog 1 0 0\n")
    given += ["--vectors", str(vectors)]
    more = ["--config", str(quick), "--seeds", "2", "--curve", str(curve), "--json"]
    seeds: list[int] = []
    measured_after = DevScores.on_epoch_end

    def once(self: DevScores, epoch: int, logs: Any = None) -> None:
        if len(seeds) == 1:
            seeds.append(0)
            raise KeyboardInterrupt
        seeds.append(1)
        measured_after(self, epoch, logs)

    def full(self: es.Tagger, path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(DevScores, "on_epoch_end", once)
        assert run("train", *given, "--out", str(out), *more) == 130
        assert "two.seed1.resume" in capsys.readouterr().err
        assert run("train", *given, "--out", str(out), *more) == 2
        told = capsys.readouterr().err
        assert "two.seed1.resume" in told
        assert "--resume" in told
        assert "--anew" in told
        patch.setattr(es.Tagger, "save", full)
        assert run("train", *given, "--out", str(out), *more, "--resume") == 1
        told = capsys.readouterr().err
        assert "No space left" in told
        assert "two.seed1.resume, " in told
        assert "two.seed2.resume" in told
    assert seeds == [1, 0, 1]
    with monkeypatch.context() as patch:
        patch.delattr(DevScores, "on_epoch_end")
        assert run("train", *given, "--out", str(out), *more, "--resume") == 0
    assert not list(folder.glob("*.resume"))
    report = json.loads(capsys.readouterr().out)
    measured = [each["dev"]["accuracy"] for each in report["runs"]]
    assert [each["seed"] for each in report["runs"]] == [1, 2]
    assert report["spread"]["accuracy"]["mean"] == pytest.approx(sum(measured) / 2)
    assert report["dev"]["accuracy"] == max(measured)
    given = [str(folder / "m.everystep"), str(folder / "dev.conllu"), "--against", str(out)]
    assert run("evaluate", *given, "--json") == 0
    found = json.loads(capsys.readouterr().out)["against"]
    assert found["figures"]["accuracy"] == max(measured) < 1
    difference = found["differences"]["accuracy"]
    assert difference["value"] == pytest.approx(1 - max(measured))
    assert 0 <= difference["low"] <= difference["value"] <= difference["high"]
    assert 0 < difference["p_value"] < 1
    assert curve.read_text().startswith("<svg")
    assert (report["vectors"]["file"], report["vectors"]["kept"]) == (str(vectors), 2)
    assert run("info", str(out)) == 0
    assert "few.vec (2 of 2, 25.0% of steps)" in " ".join(capsys.readouterr().out.split())


def test_an_interrupted_training_goes_on_to_the_same_weights(
    folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [str(folder / "train.conllu"), "--dev", str(folder / "dev.conllu"), "--no-cache"]
    given += ["--config", str(folder / "small.toml"), "--out", str(folder / "again.everystep")]
    measured = DevScores.on_epoch_end

    def interrupted(self: DevScores, epoch: int, logs: Any = None) -> None:
        if epoch == 2:
            raise KeyboardInterrupt
        measured(self, epoch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(DevScores, "on_epoch_end", interrupted)
        assert run("train", *given) == 130
    assert "--resume goes on" in capsys.readouterr().err
    assert not (folder / "again.everystep").exists()
    assert run("train", *given, "--resume") == 0
    assert "Epoch 1/" not in capsys.readouterr().out
    first, again = (es.Tagger.load(folder / f"{n}.everystep") for n in ("m", "again"))
    words = [[word for word, _ in each] for each in SENTENCES[:4]]
    for one, other in zip(first.probabilities(words), again.probabilities(words), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not list(folder.glob("*.resume"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--config", "broken.toml"], ["broken.toml", "TOML", "line 1"]),
        (["--config", "unknown.toml"], ["unknown.toml", "untis", "units"]),
        (["--config", "none.toml"], ["none.toml", "No such file"]),
        (["--out", "m.keras"], ["--out", "m.keras", ".everystep"]),
        (["--out", "no/folder/m.everystep"], ["--out", "there is no folder no/folder"]),
        (["--reader", "excel"], ["excel", "conllu, columns"]),
        (["--label", "colour"], ["colour", "conllu"]),
        (["--seeds", "0"], ["--seeds"]),
    ],
)
def test_wrong_use_is_one_line_and_ends_with_2(
    folder: Path,
    change: list[str],
    words: list[str],
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    (folder / "broken.toml").write_text("epochs = \n")
    (folder / "unknown.toml").write_text("untis = 3\n")
    out = [] if change[0] == "--out" else ["--out", "other.everystep"]
    assert run("train", "train.conllu", *out, *change) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for each in words:
        assert each in said
    assert not (folder / "other.everystep").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1\tcat\n", ["bad.conllu:1", "10"]),
        ("", ["bad.conllu:1", "without a token"]),
        (CORPUS.replace("1\tI\t", "2\tI\t", 1), ["bad.conllu:7"]),
    ],
)
def test_a_bad_corpus_is_named_with_file_and_line(
    folder: Path, text: str, words: list[str], capsys: Captured
) -> None:
    bad = folder / "bad.conllu"
    bad.write_text(text)
    assert run("train", str(bad), "--out", str(folder / "bad.everystep"), "--no-cache") == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for each in words:
        assert each in said


def test_bad_vectors_are_named_with_file_and_line(folder: Path, capsys: Captured) -> None:
    bad = folder / "bad.vec"
    bad.write_text("the 1 2\ncat 1\n")
    given = [str(folder / "train.conllu"), "--out", str(folder / "bad.everystep"), "--no-cache"]
    assert run("train", *given, "--vectors", str(bad)) == 1
    said = capsys.readouterr().err
    assert "bad.vec:2: expected a word and 2 numbers" in said
    assert said.count("\n") == 1


def test_a_dev_file_in_another_format_says_so(folder: Path, capsys: Captured) -> None:
    dev = folder / "dev.txt"
    dev.write_text("cat NOUN\n")
    given = [str(folder / "train.conllu"), "--out", str(folder / "n.everystep"), "--no-cache"]
    assert run("train", *given, "--dev", str(dev)) == 1
    said = capsys.readouterr().err
    assert "dev.txt:1" in said
    assert said.count("\n") == 1


def test_what_the_record_of_a_strange_file_says_is_not_believed(
    folder: Path, capsys: Captured
) -> None:
    tagger = es.Tagger.load(folder / "m.everystep")
    tagger.record |= {"settings": 3, "data": {"reader": ["conllu"], "label": {}}}
    tagger.save(folder / "strange.everystep")
    assert run("info", str(folder / "strange.everystep")) == 1
    said = capsys.readouterr().err
    assert "strange.everystep: its record of how it was trained is not one" in said
    assert run("predict", str(folder / "strange.everystep"), str(folder / "none.xyz")) == 2
    assert "its name does not say which format it has" in capsys.readouterr().err


def test_a_file_that_says_nothing_is_read_as_the_training_data_were(
    folder: Path, capsys: Captured
) -> None:
    other = folder / "dev.xyz"
    other.write_text((folder / "dev.conllu").read_text())
    assert run("predict", str(folder / "m.everystep"), str(other)) == 0
    assert capsys.readouterr().out == other.read_text()


def test_labels_that_training_never_saw_are_said_in_one_line(
    folder: Path, capsys: Captured
) -> None:
    odd = folder / "odd.conllu"
    odd.write_text(_conllu([("the", "DET"), ("cat", "ODD")], 1))
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert run("evaluate", str(folder / "m.everystep"), str(odd), "--bootstrap", "10") == 0
    said = capsys.readouterr().err
    assert said.startswith("everystep: data has 1 label(s) that training never saw")
    assert f"'ODD' ({odd}:2)" in said
    assert said.count("\n") == 1


def test_what_is_no_tagger_says_so(folder: Path, capsys: Captured) -> None:
    assert run("info", str(folder / "small.toml")) == 1
    said = capsys.readouterr().err
    assert "small.toml" in said
    assert "this is text" in said


def test_what_came_before_a_fault_is_given_first() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise ValueError("the sixth")

    found: list[list[int]] = []
    with pytest.raises(ValueError, match="the sixth"):
        found.extend(as_they_come(items(), 3))
    assert [each for batch in found for each in batch] == list(range(5))
    assert max(map(len, found)) <= 3


def test_what_comes_slowly_is_given_at_once() -> None:
    coming: Queue[int | None] = Queue()
    batches = as_they_come(iter(coming.get, None), 10)
    got: Queue[list[int]] = Queue()

    def work() -> None:
        for batch in batches:
            got.put(batch)

    worker = Thread(target=work, daemon=True)
    worker.start()
    for number in range(3):
        coming.put(number)
        assert got.get(timeout=10) == [number]
    coming.put(None)
    worker.join(timeout=10)
    assert not worker.is_alive()
