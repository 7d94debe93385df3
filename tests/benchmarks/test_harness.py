import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from benchmarks._measure import Measured, Times, measure
from benchmarks._question import Peer, Question
from benchmarks._report import as_json, show, show_together
from benchmarks._worker import digest, serve
from rich.console import Console
from typer.testing import CliRunner

from benchmarks import __main__ as command

HERE = "tests.benchmarks.test_harness"


def doubles(sizes: dict[str, Any]) -> Any:
    print("a library that prints does not disturb the answers")  # noqa: T201
    return lambda: 2 * np.arange(sizes["size"])


def triples(sizes: dict[str, Any]) -> Any:
    return lambda: 3 * np.arange(sizes["size"])


def fails(sizes: dict[str, Any]) -> Any:
    raise ValueError("cannot be built")


def question(*peers: Peer) -> Question:
    return Question("toy", "How fast?", peers, ({"size": 3}, {"size": 5}), lambda sizes: 1e6)


def test_peers_take_turns_and_are_compared() -> None:
    ours, other = Peer("ours", f"{HERE}:doubles"), Peer("other", f"{HERE}:triples")
    absent = Peer("absent", f"{HERE}:fails", requires=("no_such_package",))
    results = measure(question(ours, Peer("same", ours.build), other, absent), rounds=2)
    assert [result.sizes for result in results] == [{"size": 3}, {"size": 5}]
    for result in results:
        assert [times.peer for times in result.times] == ["ours", "same", "other"]
        assert [times.agrees for times in result.times] == [True, True, False]
        assert [len(times.seconds) for times in result.times] == [2, 2, 2]
        assert result.missing == ["absent"]
        assert result.gemm_rate > 0


def test_a_peer_that_fails_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="'broken' ended"):
        measure(question(Peer("broken", f"{HERE}:fails")), rounds=1)
    assert "cannot be built" in capfd.readouterr().err


def test_the_worker_answers_in_lines_of_json() -> None:
    build = {"do": "build", "build": f"{HERE}:doubles", "sizes": {"size": 2}}
    answers = io.StringIO()
    serve(io.StringIO(f'{json.dumps(build)}\n{{"do": "run"}}\n'), answers)
    built, ran = (json.loads(line) for line in answers.getvalue().splitlines())
    assert built["digest"] == digest([np.array([0, 2])])
    assert ran["seconds"] > 0


def test_results_are_told_apart_by_size_place_and_order() -> None:
    results = [[1.0, 2.0], [2.0, 1.0], [1.0, -2.0], [1.0, 2.0, 0.5]]
    assert len({tuple(digest(np.array(result))) for result in results}) == 4
    assert digest([None, []]) == []


def measured() -> Measured:
    times = [Times("ours", 1.0, True, [0.002, 0.004, 0.003]), Times("other", 2.0, None, [0.006])]
    return Measured("toy", {"size": 3}, times, ["absent"], gemm_rate=1e9, flops=1e6)


def test_the_report_has_ratios_and_shares() -> None:
    text = io.StringIO()
    show(measured(), Console(file=text, width=120))
    lines = text.getvalue().splitlines()
    assert lines[1] == "toy: size 3"
    assert lines[4].split() == ["ours", "3.00", "2.00", "67%", "1.00", "50%", "1000", "yes"]
    assert lines[5].split() == ["other", "6.00", "6.00", "0%", "2.00", "17%", "2000"]
    assert lines[6] == "left out, not installed: absent"


def test_many_cases_stand_in_one_table() -> None:
    text = io.StringIO()
    show_together([measured(), measured()], Console(file=text, width=120))
    title, *rows, missing = text.getvalue().splitlines()
    assert title.split() == ["size", "ours", "ms", "spread", "other", "same"]
    assert [row.split() for row in rows] == [["3", "3.000", "67%", "2.00", "yes"]] * 2
    assert missing == "left out, not installed: absent"


def test_json_holds_the_same_numbers() -> None:
    (result,) = json.loads(json.dumps(as_json([measured()])))["results"]
    assert [peer["ratio"] for peer in result["peers"]] == [1.0, 2.0]
    assert result["peers"][0]["share_of_gemm"] == pytest.approx(0.5)


def test_the_command_lists_runs_and_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "recurrent" in command.questions()
    toy = question(Peer("ours", f"{HERE}:doubles"))
    monkeypatch.setattr(command, "questions", lambda: {"toy": toy})
    app = typer.Typer()
    app.command()(command.main)
    runner = CliRunner()
    assert "toy: How fast?" in runner.invoke(app, ["--list"]).output
    assert runner.invoke(app, ["nonsense"]).exit_code == 2
    path = tmp_path / "results.json"
    assert runner.invoke(app, ["toy", "--rounds", "1", "--json", str(path)]).exit_code == 0
    assert len(json.loads(path.read_text())["results"]) == 2
