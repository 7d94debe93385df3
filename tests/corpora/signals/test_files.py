"""Signals from arrays and from comma-separated values, and what is wrong with them."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from everystep.corpora.signals import (
    Signal,
    csv_header,
    csv_text,
    read_csv_signals,
    read_numpy_signals,
)
from everystep.errors import CorpusError, DataError, SettingError
from tests.corpora.readers.examples import feed, packed
from tests.corpora.readers.test_real_corpora import data_file

TEXT = """\
time, ii,label,v2
0,0.5,1,-1
1,1e-3,,+2.
2,.25,255,0

3,7,0,8
"""


def read(folder: Path, text: str, **settings: Any) -> list[Signal]:
    path = folder / "a.csv"
    path.write_bytes(text.encode())
    return list(read_csv_signals(path, **settings))


def test_columns_are_channels_and_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = read(tmp_path, TEXT, channels=["v2", "ii"], ignore=9)
    assert first.labels is not None
    assert second.labels is not None
    np.testing.assert_array_equal(first.values, [[-1, 0.5], [2, 0.001], [0, 0.25]])
    assert (first.labels.tolist(), second.labels.tolist()) == ([1, 9, 255], [0])
    assert [each.place[-2:] for each in (first, second)] == [":2", ":6"]
    [first, _] = read(tmp_path, TEXT.replace("label", "mark"), channels=["ii"])
    assert first.labels is None
    feed(monkeypatch, packed(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()))
    assert [each.values.shape for each in read_csv_signals("-")] == [(3, 3), (1, 3)]


def test_other_labels_change_labels_alone(tmp_path: Path) -> None:
    signals = read(tmp_path, TEXT)
    text = csv_header(signals[0])
    text += csv_text(signals[0], [7, 255, 255]) + csv_text(signals[1], np.array([3]))
    wanted = TEXT.replace("0.5,1,", "0.5,7,").replace(",255,", ",,").replace("7,0,8", "7,3,8")
    assert text == wanted
    [signal] = read(tmp_path, "a\r\n1\r\n2")
    assert csv_header(signal) + csv_text(signal, [4, 5]) == "a,label\r\n1,4\r\n2,5"
    with pytest.raises(DataError, match=r"a\.csv:2: expected whole numbers .* 2 steps"):
        csv_text(signal, [1])
    with pytest.raises(DataError, match="was not read from comma-separated values"):
        csv_header(Signal(np.zeros((1, 1))))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "expected a line of names of columns, got nothing"),
        ("a,label\n\n", 1, "expected lines of numbers behind the names, got none"),
        ("a,a\n1,2\n", 1, "expected a name for each column, each once"),
        ("a,\n1,2\n", 1, "expected a name for each column"),
        ("label\n1\n", 1, "expected columns of values"),
        ("a,label\n1,2\n1\n", 3, "expected 2 columns separated by commas, .* got 1"),
        ("a,label\n1,2,3\n", 2, "expected 2 columns .* got 3"),
        ("a;label\n1;2\n", 2, "expected a number in column 'a;label', got '1;2'"),
        ("a,label\n1,2\n,1\n", 3, "expected a number in column 'a', got ''"),
        ("a,label\nnan,1\n", 2, "expected a number in column 'a', got 'nan'"),
        ("a,label\n1_0,1\n", 2, "expected a number in column 'a', got '1_0'"),
        ("a,label\n1,0.5\n", 2, "expected a whole number in column 'label', got '0.5'"),
        ("a,label\n1,1234567890123456789\n", 2, "expected a whole number in column 'label'"),
        ('a,label\n"1",1\n', 2, "without quotes"),
    ],
)
def test_broken_files_are_refused_with_their_line(
    text: str, line: int, message: str, tmp_path: Path
) -> None:
    with pytest.raises(CorpusError, match=rf"a\.csv:{line}: .*{message}"):
        read(tmp_path, text)


def test_a_signal_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("everystep.corpora.signals.csv_files.MOST_STEPS", 4)
    assert len(read(tmp_path, "a\n1\n2\n3\n\n5\n")) == 2
    for text in ("a\n1\n2\n3\n4\n5\n", "a\n1\n\n\n\n\n\n"):
        with pytest.raises(CorpusError, match=r"a\.csv:[67]: .* or 4 lines"):
            read(tmp_path, text.replace("1\n\n", "\n\n"))


def test_missing_columns_and_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"a\.csv:1: expected columns \['v9'\], got \['time'"):
        read(tmp_path, TEXT, channels=["ii", "v9"])
    with pytest.raises(DataError, match=r"a\.csv:2: expected finite .* inf at step 1 of channel 1"):
        read(tmp_path, "a,b\n1,2\n1,1e999\n")


def save(folder: Path, name: str, array: Any) -> Path:
    np.save(folder / name, array)
    return folder / name


def test_arrays_hold_signals_of_one_length(tmp_path: Path) -> None:
    values = np.arange(2 * 5 * 3, dtype=np.int16).reshape(2, 5, 3)
    labels = (values % 4).astype(np.uint8)
    path = save(tmp_path, "values.npy", values)
    marks = save(tmp_path, "marks.npy", labels)
    for number, signal in enumerate(read_numpy_signals(path, marks, label_channel=2)):
        np.testing.assert_array_equal(signal.values, values[number])
        assert signal.labels is not None
        np.testing.assert_array_equal(signal.labels, labels[number, :, 2])
        assert signal.values.dtype == np.int16
        assert signal.place == f"{path}: signal {number}"
    flat = save(tmp_path, "flat.npy", labels[..., 0])
    [first, _] = read_numpy_signals(flat, flat)
    assert (first.values.shape, len(first)) == ((5, 1), 5)
    assert next(read_numpy_signals(flat)).labels is None
    with pytest.raises(CorpusError, match=r"marks\.npy: .* shape \(2, 5\) .*label_channel"):
        next(read_numpy_signals(path, marks))
    with pytest.raises(CorpusError, match="label_channel: expected 0 to 2, got 3"):
        next(read_numpy_signals(path, marks, label_channel=3))
    with pytest.raises(SettingError, match="label_channel"):
        next(read_numpy_signals(path, label_channel=1))


@pytest.mark.parametrize(
    "array",
    [np.zeros(3), np.zeros((0, 4, 2)), np.zeros((1, 2, 3, 4))],
    ids=["one axis", "no signal", "four axes"],
)
def test_arrays_of_other_shapes_are_refused(array: Any, tmp_path: Path) -> None:
    with pytest.raises(
        CorpusError, match=r"expected signals of shape \(signals, steps, channels\)"
    ):
        next(read_numpy_signals(save(tmp_path, "a.npy", array)))


def test_other_numbers_are_refused(tmp_path: Path) -> None:
    values = np.zeros((2, 3, 2))
    values[1, 2, 0] = np.nan
    signals = read_numpy_signals(save(tmp_path, "a.npy", values))
    assert len(next(signals)) == 3
    with pytest.raises(DataError, match=r"signal 1: .* nan at step 2 of channel 0"):
        next(signals)
    with pytest.raises(DataError, match="expected real numbers"):
        next(read_numpy_signals(save(tmp_path, "b.npy", np.zeros((2, 3), complex))))
    for marks in (np.zeros((2, 3)), np.zeros((2, 4), int)):
        with pytest.raises(CorpusError, match=r"c\.npy: expected whole numbers of shape \(2, 3\)"):
            next(read_numpy_signals(tmp_path / "a.npy", save(tmp_path, "c.npy", marks)))
    with pytest.raises(DataError, match="one for each of 3 steps"):
        Signal(np.zeros((3, 1)), np.zeros(2, int))


def test_damaged_and_hostile_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    kept = io.BytesIO()
    np.save(kept, np.zeros((2, 300, 2)))
    whole = kept.getvalue()
    head = whole[:10]
    nested = (b"(" * 117 + b"\n")[:118]
    shapes = [b"(2,-30, 2)", b"(9**99, 2)", b"(99999999)", b"(1, 1, 1.)", b"'300,   2'"]
    wrong = [whole.replace(b"(2, 300, 2)", shape.ljust(11)) for shape in shapes]
    damaged = [b"", b"text", whole[:7], whole[:60], whole[:-1], head + nested + whole[128:]]
    wrong.append(whole.replace(b"'shape'", b"None   "))
    for content in (*damaged, *wrong):
        path.write_bytes(content)
        with pytest.raises(CorpusError, match=r"a\.npy: cannot be read as an array of NumPy"):
            next(read_numpy_signals(path))
    objects = np.array([{}], dtype=object)
    np.save(path, objects, allow_pickle=True)
    with pytest.raises(CorpusError, match=r"a\.npy: cannot be read"):
        next(read_numpy_signals(path))
    np.savez(tmp_path / "b.npz", a=np.zeros((1, 2)))
    with pytest.raises(CorpusError, match="got an archive of several"):
        next(read_numpy_signals(tmp_path / "b.npz"))
    os.mkfifo(tmp_path / "c.npy")  # Whoever opened it would wait for ever.
    with pytest.raises(CorpusError, match="not a regular file"):
        next(read_numpy_signals(tmp_path / "c.npy"))


def test_real_signals() -> None:
    signals = list(
        read_numpy_signals(
            data_file("LUDB/signal_ii_v2_v5_int16.npy"),
            data_file("LUDB/label_ii_v2_v5_uint8.npy"),
            label_channel=0,
        )
    )
    assert len(signals) == 200
    assert {each.values.shape for each in signals} == {(5000, 3)}
    labels = np.concatenate([each.labels for each in signals if each.labels is not None])
    assert int((labels != 255).sum()) == 731438
    assert set(labels.tolist()) == {0, 1, 2, 3, 255}
