"""Taggers of signals from the shell: train, evaluate, predict and info, on square pulses."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.cli.application import main
from everystep.cli.predict_signals import _Lines
from everystep.cli.tasks import Task
from everystep.corpora.signals import read_csv_signals, read_csv_steps
from everystep.errors import DataError, SettingError
from everystep.tagging import Settings, SignalSettings
from everystep.tagging.signals.features import Scale
from everystep.tagging.signals.model import SignalModel
from tests.corpora.readers.examples import feed
from tests.tagging.signals.pulses import SMALL, pulses

TRAIN, DEV = pulses(16, 5), pulses(3, 6)
TOML = "\n".join(
    f"{name} = {value!r}" for name, value in SMALL.items() if name not in ("names", "rate")
)
NAMED = ["--names", "rest,low,high", "--rate", "100"]
Captured = pytest.CaptureFixture[str]


def run(*arguments: str) -> int:
    """Run the command in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def csv(signals: list[Any], header: str = "ii,v2,label") -> str:
    """Write signals as comma-separated values, steps without a label with an empty field."""
    blocks = [
        "".join(
            f"{a:.3f},{b:.3f},{'' if c == 255 else c}\n" for (a, b), c in zip(*each, strict=True)
        )
        for each in signals
    ]
    return f"{header}\n" + "\n".join(blocks)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with signals, settings, and a tagger that was trained on them."""
    where = tmp_path_factory.mktemp("signals")
    (where / "train.csv").write_text(csv(TRAIN))
    (where / "dev.csv").write_text(csv(DEV))
    (where / "small.toml").write_text(TOML)
    given = ["--dev", f"{where}/dev.csv", "--config", f"{where}/small.toml", "--no-cache", *NAMED]
    assert run("train", f"{where}/train.csv", "--out", f"{where}/m.everystep", *given) == 0
    return where


def test_a_report_of_the_run_stands_beside_the_model(folder: Path) -> None:
    report = json.loads((folder / "m.json").read_text())
    assert report["dev"]["accuracy"] > 0.9
    assert report["settings"]["names"] == ["rest", "low", "high"]
    assert report["data"]["channels"] == ["ii", "v2"]
    assert report["signals"] == len(TRAIN)
    assert not list(folder.glob("*.resume"))


def test_evaluation_reads_columns_by_their_names(folder: Path, capsys: Captured) -> None:
    swapped = folder / "swapped.csv"
    swapped.write_text(csv([(v[:, ::-1], y) for v, y in DEV], "v2,ii,label"))
    assert run("evaluate", f"{folder}/m.everystep", str(swapped), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    low, high = found.pop("intervals")["accuracy"]
    assert low <= found["accuracy"] <= high
    assert found == json.loads((folder / "m.json").read_text())["dev"]
    assert run("evaluate", f"{folder}/m.everystep", f"{folder}/dev.csv") == 0
    told = capsys.readouterr().out
    for words in ("in 3 signals", "macro F1", "100 steps a second", "onset", "error ms"):
        assert words in told


def test_comma_separated_values_come_back_with_labels(
    folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    tagger = es.SignalTagger.load(folder / "m.everystep")
    signals = list(read_csv_signals(folder / "dev.csv"))
    wanted = csv([(v, y) for (v, _), y in zip(DEV, tagger.predict(signals), strict=True)])
    assert run("predict", f"{folder}/m.everystep", f"{folder}/dev.csv") == 0
    assert capsys.readouterr().out == wanted
    feed(monkeypatch, csv(DEV[:1]).replace(",label\n", ",label,note\n", 1).encode())
    assert run("predict", f"{folder}/m.everystep") == 1
    assert "columns" in capsys.readouterr().err
    feed(monkeypatch, csv(DEV[:2]).encode())
    assert run("predict", f"{folder}/m.everystep", "--json", "--probabilities") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    shares = np.concatenate(tagger.probabilities(signals[:2]))
    assert [line["label"] for line in lines] == shares.argmax(-1).tolist()
    names = ["rest", "low", "high"]
    assert all(line["name"] == names[line["label"]] for line in lines)
    np.testing.assert_allclose([line["probability"] for line in lines], shares.max(-1), atol=1e-5)


def test_a_line_is_answered_before_the_next_one_comes(tmp_path: Path) -> None:
    settings = SignalSettings.from_dict({**SMALL, "direction": "forward", "fold": 1})
    model = SignalModel(settings, Scale(np.zeros(1), np.ones(1)), ("rest", "low", "high"))
    path = tmp_path / "a.csv"
    path.write_text("x\r\n1\r\n2\r\n\r\n3\r\n1e999\r\n")
    _, steps = read_csv_steps(path)
    lines = _Lines(es.SignalTagger(model, {}), as_json=False, probabilities=False)
    said = ["".join(lines.of([next(steps)])) for _ in range(4)]
    assert [text[:2] for text in said] == ["1,", "2,", "\r\n", "3,"]
    assert [text[-2:] for text in said] == ["\r\n"] * 4
    assert "".join(lines.rest()) == ""
    with pytest.raises(DataError, match=r"a.csv:6: '1e999' in 'x' is too large"):
        next(steps)


def test_what_came_before_a_fault_is_labelled_first(folder: Path, capsys: Captured) -> None:
    bad = folder / "bad.csv"
    bad.write_text(csv(DEV[:1]) + "1,2,3,4\n")
    steps = len(DEV[0][1])
    assert run("predict", f"{folder}/m.everystep", str(bad)) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1 + steps
    assert f"bad.csv:{steps + 2}: expected 3 columns" in err


@pytest.fixture(scope="module")
def arrays(folder: Path) -> Path:
    """Signals of one length in an array of three channels, whose labels stand in another."""
    same = [(values[:60], labels[:60]) for values, labels in TRAIN[:6]]
    values = np.stack([np.concatenate([v, v[:, :1]], axis=1) for v, _ in same])
    labels = np.stack([np.stack([0 * y, y, 0 * y], axis=1) for _, y in same])
    np.save(folder / "signals.npy", values.astype("float32"))
    np.save(folder / "labels.npy", labels.astype("uint8"))
    return folder


def test_each_fold_is_measured_on_what_it_did_not_see(arrays: Path, capsys: Captured) -> None:
    short = arrays / "short.toml"
    short.write_text(TOML.replace("epochs = 12", "epochs = 1"))
    given = [f"{arrays}/signals.npy", "--labels", f"{arrays}/labels.npy", "--label-channel", "1"]
    given += ["--channels", "0,1", "--config", str(short), "--no-cache", *NAMED]
    out = ["--out", f"{arrays}/k.everystep", "--folds", "2", "--json"]
    assert run("train", *given, *out, "--curve", f"{arrays}/k.svg") == 0
    report = json.loads(capsys.readouterr().out)
    left_out = [record["left_out"] for record in report["folds"]]
    assert sorted(left_out[0] + left_out[1]) == list(range(6))
    measured = [record["measured"]["accuracy"] for record in report["folds"]]
    assert report["spread"]["accuracy"]["mean"] == pytest.approx(sum(measured) / 2)
    assert "segments/classes/low/onset/mean_ms" in report["spread"]
    assert (arrays / "k.svg").read_text().count("<polyline") == 2
    values, labels = np.load(arrays / "signals.npy"), np.load(arrays / "labels.npy")
    second = es.SignalTagger.load(arrays / "k.fold2.everystep")
    unseen = [(values[n, :, :2], labels[n, :, 1]) for n in left_out[1]]
    assert second.evaluate(unseen)["accuracy"] == measured[1]
    where = f"{arrays}/k.fold2.everystep", f"{arrays}/signals.npy"
    assert run("evaluate", *where, "--labels", f"{arrays}/labels.npy", "--json") == 0
    assert json.loads(capsys.readouterr().out)["sentences"] == 6
    assert run("predict", *where) == 0
    header, *lines = capsys.readouterr().out.split("\n")
    assert (header, lines[60], len(lines)) == ("label", "", 6 * 61)
    said = second.predict(list(values[:, :, :2]))
    assert lines[:60] == list(map(str, said[0]))
    assert run("info", where[0]) == 0
    told = capsys.readouterr().out
    for words in ("rest low high", "3 signals", "signals.npy", "label_channel 1", "did not see"):
        assert words in told


@pytest.mark.parametrize("settings", [Settings(seed=3), SignalSettings(seed=3)])
def test_folds_leave_out_each_record_once(settings: Any) -> None:
    task = Task(print, settings, list("abcdefg"), None, {})
    runs = list(task.runs(1, 3))
    assert sorted(place for run in runs for place in run.left_out) == list(range(7))
    for each in runs:
        unseen = {task.data[place] for place in each.left_out}
        assert sorted([*each.data, *unseen]) == task.data
        assert each.settings == settings
    assert [run.left_out for run in runs] == [run.left_out for run in task.runs(1, 3)]
    assert [run.settings.seed for run in task.runs(2, None)] == [3, 4]
    for folds, seeds, dev in ((8, 1, None), (2, 2, None), (2, 1, ["h"])):
        with pytest.raises(SettingError, match=f"--folds {folds}: "):
            list(Task(print, settings, task.data, dev, {}).runs(seeds, folds))


def _wrong_use() -> Iterator[tuple[list[str], list[str]]]:
    train = ["train", "signals.npy", "--out", "n.everystep"]
    labels = [*train, "--labels", "labels.npy", "--label-channel", "1"]
    yield [*train[:1], "train.csv", *train[2:], "--labels", "x.npy"], ["--labels", "column 'label'"]
    yield [*train, "--vectors", "v.txt"], ["--vectors", "signals.npy holds signals"]
    yield [*labels, "--channels", "0,3"], ["--channels 0,3", "0 to 2", "'3'"]
    yield [*labels, "--label", "beat"], ["--label beat", "--label-channel"]
    yield [*labels, "--rate", "-5"], ["rate", "above 0", "-5"]
    yield [*labels, "--names", "a,a"], ["names", "different"]
    yield [*labels, "--folds", "7"], ["--folds 7", "6 records"]
    yield [*labels, "--folds", "2", "--seeds", "2"], ["--folds 2", "--seeds"]
    yield ["train", "a.conllu", "--out", "n.everystep", "--rate", "9"], ["--rate", "no signals"]
    yield ["evaluate", "m.everystep", "dev.conllu"], ["dev.conllu", "labels signals", ".npy"]
    yield ["evaluate", "m.everystep", "dev.csv", "--rate", "99"], ["rate", "100", "99", "resample"]


@pytest.mark.parametrize(("arguments", "words"), list(_wrong_use()))
def test_wrong_use_is_one_line_and_ends_with_2(
    arrays: Path,
    arguments: list[str],
    words: list[str],
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(arrays)
    assert run(*arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for each in words:
        assert each in said
    assert not (arrays / "n.everystep").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "signals.npy", "--out", "n.everystep"], ["signals.npy", "has no labels"]),
        (
            ["train", "signals.npy", "--labels", "labels.npy", "--out", "n.everystep"],
            ["labels.npy", "label_channel"],
        ),
        (["train", "empty.csv", "--out", "n.everystep"], ["empty.csv:1", "names of columns"]),
        (["evaluate", "m.everystep", "one.csv"], ["one.csv:1", "v2"]),
        (["evaluate", "m.everystep", "signals.npy"], ["signal 0", "has no labels"]),
        (["predict", "m.everystep", "signals.npy"], ["expected 2 channels, got 3"]),
        (["info", "small.toml"], ["small.toml"]),
    ],
)
def test_bad_data_are_one_line_that_says_where(
    arrays: Path,
    arguments: list[str],
    words: list[str],
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(arrays)
    Path("empty.csv").write_text("")
    Path("one.csv").write_text("ii,label\n1,0\n")
    assert run(*arguments) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for each in words:
        assert each in said
