"""benchmarks/compare.py: which differences of time are failures."""

from importlib import import_module
from pathlib import Path

import pytest


@pytest.fixture
def compare(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent.parent)
    return import_module("benchmarks.compare")


class Timed:
    """A commit that takes these times, one after the other."""

    def __init__(self, *times):
        self.times = list(times)

    def seconds(self, name):
        return self.times.pop(0)


@pytest.mark.parametrize(
    ("base", "head", "word"),
    [
        (1.0, 1.2, "slower"),
        (1.0, 1.14, "as fast"),  # within the ratio
        (0.001, 0.0014, "as fast"),  # within half a millisecond
        (0.001, 0.0016, "slower"),
        (1.0, 0.1, "as fast"),
        ("ImportError: x", 1.0, "new"),
        (1.0, "ImportError: x", "fails"),
        ("ImportError: x", "ImportError: x", "fails"),
    ],
)
def test_verdict(compare, base, head, word):
    assert compare.verdict(base, head) == word


def test_shortest_times_count(compare):
    base, head = Timed(3.0, 1.0, 2.0), Timed(5.0, 4.0, 6.0)
    assert compare.compare(base, head, "case", 3) == [1.0, 4.0]
    base, head = Timed(1.0, 1.0), Timed(1.0, "ValueError: y")
    assert compare.compare(base, head, "case", 3) == [1.0, "ValueError: y"]


@pytest.mark.parametrize(
    ("head", "good"),
    [
        ([1.0, 1.0], True),
        ([2.0, 2.0, 2.0, 2.0], False),
        ([2.0, 2.0, 1.1, 2.0], True),  # a busy neighbour: not so when measured again
        (["ValueError: y"], False),
    ],
)
def test_a_case_fails_when_it_is_slow_twice(compare, capsys, head, good):
    failed = isinstance(head[0], str)
    base, head = Timed(1.0, 1.0, 1.0, 1.0), Timed(*head)
    assert compare.table(base, head, ["case"], 2) is good
    assert ("ValueError: y" in capsys.readouterr().out) is failed


def test_cases_run(compare):
    for name in ("fit 100 × 1", "partial_fit 1 × 20"):
        assert compare.seconds_of(compare.CASES[name]()) > 0
