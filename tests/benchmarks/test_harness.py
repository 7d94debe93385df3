import io
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from benchmarks._measure import Effort, error, measure
from benchmarks._process import PeerEndedError
from benchmarks._question import Peer, Question, Work
from benchmarks._report import show, show_together
from benchmarks._results import as_json, from_json
from benchmarks._targets import Target, verdicts
from benchmarks._times import Measured, Times
from benchmarks._worker import digest, serve
from rich.console import Console
from typer.testing import CliRunner

from benchmarks import __main__ as command
from benchmarks import _gemm

HERE = "tests.benchmarks.test_harness"


def doubles(sizes: dict[str, Any]) -> Any:
    print("a library that prints does not disturb the answers")  # noqa: T201
    return lambda: 2 * np.arange(sizes["size"])


def triples(sizes: dict[str, Any]) -> Any:
    return lambda: 3 * np.arange(sizes["size"])


def reversed_order(sizes: dict[str, Any]) -> Work:
    return Work(lambda: 2 * np.arange(sizes["size"])[::-1], comparable=lambda found: found[::-1])


def times_factor(sizes: dict[str, Any]) -> Any:
    return lambda: sizes["factor"] * np.arange(sizes["size"])


def fails(sizes: dict[str, Any]) -> Any:
    raise ValueError("cannot be built")


def product(sizes: dict[str, Any]) -> Work:
    """In the place of the large products, whose libraries take seconds to start."""
    return Work(lambda: np.ones((9, 9)) @ np.ones((9, 9)), flops=2.0 * 9**3)


@pytest.fixture(autouse=True)
def _cheap_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_gemm, "PEERS", (Peer("product", f"{HERE}:product"),))


def question(*peers: Peer, **settings: Any) -> Question:
    return Question(
        "toy", "How fast?", peers, ({"size": 3}, {"size": 5}), lambda sizes: 1e6, **settings
    )


def run(asked: Question, rounds: int = 1) -> list[Measured]:
    return list(measure(asked, asked.cases, Effort(rounds)))


OURS = Peer("ours", f"{HERE}:doubles")


def test_peers_take_turns_and_are_compared() -> None:
    other = Peer("other", f"{HERE}:triples")
    absent = Peer("absent", f"{HERE}:fails", requires=("no_such_package",))
    unable = Peer("small alone", f"{HERE}:doubles", can=lambda sizes: sizes["size"] == 3)
    same = Peer("same", f"{HERE}:reversed_order", against="other")
    results = run(question(OURS, same, other, absent, unable), rounds=2)
    assert [result.sizes for result in results] == [{"size": 3}, {"size": 5}]
    names = ["ours", "same", "other", "small alone"]
    assert [[t.peer for t in result.times] for result in results] == [names, names[:3]]
    for result in results:
        assert [times.agrees for times in result.times[:3]] == [True, True, False]
        assert [len(times.seconds) for times in result.times[:3]] == [2, 2, 2]
        ours, same_times, other_times = result.times[:3]
        assert result.ratio(same_times) == same_times.median / other_times.median
        assert result.ratio(other_times) == other_times.median / ours.median
        assert result.missing == ["absent: no_such_package not installed"]
        assert result.gemm_rate > 0


def counts(sizes: dict[str, Any]) -> Work:
    """Gives another number each time that it runs, and says it."""
    runs = itertools.count()
    return Work(lambda: np.array([next(runs)]), facts=lambda found: {"run": int(found[0])})


def test_what_takes_minutes_is_run_once() -> None:
    asked = question(Peer("counts", f"{HERE}:counts"), once=True)
    for found in run(asked, rounds=3):
        (times,) = found.times
        assert times.seconds == [times.first]
        assert times.facts == {"run": 0}


def test_peers_are_held_to_the_reference_and_to_their_settings() -> None:
    peers = (
        Peer("two", f"{HERE}:times_factor", settings={"factor": 2}),
        Peer("three", f"{HERE}:times_factor", settings={"factor": 3}),
    )
    asked = question(*peers, reference=Peer("right", f"{HERE}:triples"))
    assert [[times.agrees for times in found.times] for found in run(asked)] == [[False, True]] * 2


def test_a_peer_that_fails_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    broken = Peer("broken", f"{HERE}:fails")
    with pytest.raises(PeerEndedError, match="'broken' ended"):
        run(question(broken))
    assert "cannot be built" in capfd.readouterr().err
    results = run(question(OURS, broken))
    assert [result.missing for result in results] == [["broken: ended at {'size': 3}"]] * 2


def test_the_ceiling_is_at_the_shapes_of_the_case() -> None:
    sizes = {"batch": 2, "steps": 3, "features": 4, "units": 5}
    assert _gemm.shapes(sizes) == [_gemm.SQUARE, (6, 9, 20)]
    work = _gemm.with_jax(sizes)
    work.run()
    assert work.flops in {2.0 * 1024**3, 2.0 * 6 * 9 * 20}


def test_arrays_are_compared_by_their_own_size() -> None:
    large, small = np.array([1e4, 2e4]), np.array([1.0, 2.0])
    wanted = digest([large, small])
    assert error(digest([large, 1.1 * small]), wanted) == pytest.approx(0.1)
    assert error(digest([large]), wanted) == float("inf")
    assert error(digest([large, small * np.nan]), wanted) == float("inf")
    assert error([], wanted) is None


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
    facts = {"CPU s": 1234.5, "curve": [[1, 2]], "reached": True}
    times = [
        Times("everystep", 1.0, 0.0, True, "", [0.002, 0.004, 0.003], facts),
        Times("torch", 2.0, None, None, "", [0.006]),
        Times("torch too", 2.0, None, None, "torch", [0.009]),
    ]
    missing = ["absent: x not installed"]
    return Measured("toy", {"size": 3}, times, missing, 1e9, 1e6, amount=60.0, unit="real steps")


def test_the_report_has_ratios_shares_and_rates() -> None:
    text = io.StringIO()
    show(measured(), Console(file=text, width=140))
    lines = text.getvalue().splitlines()
    assert lines[1] == "toy: size 3"
    first = ["everystep", "3.00", "2.00", "67%", "1.00", "50%", "1000", "yes", "20,000", "1234"]
    assert lines[4].split() == first
    second = ["torch", "6.00", "6.00", "0%", "2.00", "17%", "2000", "10,000"]
    assert lines[5].split() == second
    assert lines[6].split()[2:6] == ["9.00", "9.00", "0%", "1.50"]
    assert lines[7] == "left out: absent: x not installed"


def test_many_cases_stand_in_one_table() -> None:
    text = io.StringIO()
    show_together([measured(), measured()], Console(file=text, width=120))
    title, *rows, missing = text.getvalue().splitlines()
    assert title.split() == ["size", "everystep", "ms", "spread", "torch", "torch", "too", "same"]
    assert [row.split() for row in rows] == [["3", "3.000", "67%", "2.00", "1.50", "yes"]] * 2
    assert missing == "left out: absent: x not installed"


def test_json_holds_the_same_numbers_and_gives_them_back() -> None:
    data = json.loads(json.dumps(as_json([measured()])))
    (result,) = data["results"]
    assert [peer["ratio"] for peer in result["peers"]] == pytest.approx([1.0, 2.0, 1.5])
    assert result["peers"][0]["share_of_gemm"] == pytest.approx(0.5)
    assert from_json(data) == [measured()]


def test_targets_are_held_to_the_fastest_of_the_others() -> None:
    where = {"size": 3}
    ahead = Target("work", "toy", where, 1.9, ("torch",))
    behind = Target("work", "toy", where, 2.1, ("torch",))
    share = Target("work", "toy", where, 0.5)
    first = Target("work", "toy", where, 2.0, ("torch",), first=True)
    at_most = Target("work", "toy", where, 1.4, ("torch",), peer="torch too", at_most=True)
    other = Target("work", "toy", {"size": 4}, 1.0, ("torch",))
    found = verdicts([measured()], [ahead, behind, share, first, at_most, other])
    assert [verdict.reached for verdict in found] == [True, False, True, True, False, None]
    numbers = [verdict.found for verdict in found]
    assert numbers[:5] == pytest.approx([2.0, 2.0, 0.5, 2.0, 1.5])


def test_the_command_lists_runs_and_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "recurrent" in command.questions()
    toy = question(OURS, Peer("other", f"{HERE}:triples"), quick={"size": 2})
    elsewhere = Question("nowhere", "Where?", (OURS,), ({"size": 3},), needs=lambda: "no corpus")
    monkeypatch.setattr(command, "questions", lambda: {"toy": toy, "nowhere": elsewhere})
    app = typer.Typer()
    app.command()(command.main)

    def invoke(*arguments: str) -> Any:
        return CliRunner().invoke(app, list(arguments))

    assert "toy: How fast?" in invoke("--list").output
    assert invoke("nonsense").exit_code == 2
    assert invoke("toy", "--only", "size").exit_code == 2
    path = tmp_path / "results.json"
    chosen = invoke("toy", "--rounds", "1", "--only", "size=5", "--peer", "no", "--json", str(path))
    assert chosen.exit_code == 0
    results = json.loads(path.read_text())["results"]
    assert [result["sizes"] for result in results] == [{"size": 5}]
    assert [peer["name"] for peer in results[0]["peers"]] == ["ours"]
    quick = invoke("--quick")
    assert "toy: size 2" in quick.output
    assert "left out: no corpus" in quick.output
    again = invoke("--from", str(path), "--targets")
    assert "toy: size 5" in again.output
    assert "not measured" in again.output
