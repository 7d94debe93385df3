"""The demonstration from end to end, on a few modules and small models."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.cli.demo import demonstrate
from everystep.cli.demonstration import corpus, parenthesis, samples, scores, training
from everystep.cli.demonstration.settings import Settings
from everystep.drawing import demonstration_page
from everystep.drawing.report import Report
from tests.cli.conftest import Run
from tests.drawing.reports import small_report


@pytest.fixture(scope="module")
def report(piped: Run) -> Any:
    return json.loads((piped.folder / "metrics.json").read_text(encoding="utf-8"))


def test_the_folder_holds_models_figures_and_page(piped: Run) -> None:
    assert {path.name for path in piped.folder.iterdir()} == {
        "forward.everystep",
        "bidirectional.everystep",
        "metrics.json",
        "index.html",
    }


def test_the_page_is_drawn_from_the_figures_alone(piped: Run, report: Any) -> None:
    page = (piped.folder / "index.html").read_text(encoding="utf-8")
    assert page == demonstration_page(report)
    assert re.findall(r"https?:|src=|<script|<link|@import", page) == []


def test_the_figures_hold_what_was_asked(report: Any) -> None:
    assert set(report) == set(Report.__annotations__)
    parts = {part["name"]: part for part in report["corpus"]["parts"]}
    assert all(parts[name]["steps"] > 500 for name in ("train", "dev", "test"))
    assert report["corpus"]["labels"] == 20
    assert sum(report["corpus"]["lengths"]["counts"]) == parts["train"]["sequences"]
    assert [model["name"] for model in report["models"]] == ["forward", "bidirectional"]
    assert [len(model["curves"]["loss"]) for model in report["models"]] == [2, 2]
    assert sum(label["steps"] for label in report["labels"]) == parts["test"]["steps"]
    assert report["models"][1]["layers"][1]["output_shape"] == "(None, None, 16)"


def test_overall_accuracy_is_the_mean_over_labels_by_steps(report: Any) -> None:
    steps = np.array([label["steps"] for label in report["labels"]])
    for model in report["models"]:
        shares = np.array([label[model["name"]] for label in report["labels"]])
        assert model["accuracy"] == pytest.approx((shares * steps).sum() / steps.sum())
    majority = np.array([label["majority"] for label in report["labels"]])
    wanted = report["corpus"]["baselines"]["majority"]
    assert (majority * steps).sum() / steps.sum() == pytest.approx(wanted)


def test_models_learn_more_than_the_most_frequent_label(report: Any) -> None:
    for model in report["models"]:
        assert model["accuracy"] > report["corpus"]["baselines"]["majority"] + 0.1


def test_a_saved_model_says_what_was_scored(piped: Run, report: Any, small: Settings) -> None:
    data = corpus.read(small)
    inputs, true = data.pairs(data.corpus.test)
    for model in report["models"]:
        again = es.load_model(piped.folder / model["file"])
        said = training.labels(again.predict(inputs, verbose=0))
        assert scores.accuracy(said, true) == pytest.approx(model["accuracy"])


def test_a_forward_model_cannot_see_what_follows(report: Any) -> None:
    swap = report["parenthesis"]["swap"]
    assert swap["tried"] > 5
    assert (swap["forward_changed"], swap["forward_difference"]) == (0, 0.0)
    assert swap["bidirectional_changed"] >= 0


def test_samples_are_what_stands_in_the_files(small: Settings, report: Any) -> None:
    assert report["samples"]
    for sample in report["samples"]:
        text = "".join(token["before"] + token["text"] for token in sample["tokens"])
        assert small.root is not None
        source = (small.root / sample["path"]).read_text(encoding="utf-8").splitlines()
        first = source[sample["line"] - 1 :]
        margin = len(first[0]) - len(first[0].lstrip())
        assert first[0][margin:] == text.splitlines()[0]


def test_the_same_seed_gives_the_same_figures(report: Any, on_terminal: Run) -> None:
    again = json.loads((on_terminal.folder / "metrics.json").read_text(encoding="utf-8"))
    assert again["labels"] == report["labels"]
    assert again["models"][0]["curves"] == report["models"][0]["curves"]
    assert again["samples"] == report["samples"]


def test_a_corpus_that_is_too_small_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(es.errors.CorpusError, match="empty"):
        corpus.read(Settings(root=tmp_path))


def test_a_pipe_gets_plain_text(piped: Run) -> None:
    assert "\x1b" not in piped.shown
    assert "\r" not in piped.shown
    lines = re.findall(r"^Epoch \d/2 - .* steps/s - [\d.]+% full$", piped.shown, flags=re.MULTILINE)
    assert len(lines) == 4
    for words in (
        *("Flatten, Dense, Reshape", "260", "PerStep(Dense)", "Unseen source", "operator"),
        *("Why reading both ways wins", piped.folder.name),
    ):
        assert words in piped.shown


def test_a_terminal_gets_colours_and_a_progress_bar(on_terminal: Run) -> None:
    assert "\x1b[1m" in on_terminal.shown
    assert "\x1b[35m" in on_terminal.shown
    assert "━" in on_terminal.shown
    assert "steps/s" in on_terminal.shown


def test_json_is_all_that_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("everystep.cli.demonstration.run.run", lambda *_: small_report())
    demonstrate(Settings(), tmp_path, as_json=True, open_page=False)
    shown = capsys.readouterr()
    assert json.loads(shown.out) == small_report()
    assert shown.out == (tmp_path / "metrics.json").read_text("utf-8")
    assert shown.err == ""


def test_samples_differ_in_their_files(small: Settings) -> None:
    data = corpus.read(small)
    true = data.pairs(data.corpus.test)[1]
    chosen = samples.choose_samples({"forward": true, "bidirectional": true}, data)
    assert len({sample["path"] for sample in chosen}) == len(chosen) > 0


def test_only_calls_are_called() -> None:
    assert {"function called", "method called"} == set(parenthesis.CALLED)
