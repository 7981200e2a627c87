"""The public surface under random parameters, data and orders of calls: see `fuzz`."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("pandas")

from fuzz.draw import Call, Case, draw
from fuzz.run import Worker, report, shortest

BLOCK = 50


def failures(seeds, worker):
    """One line a finding, with what shows it again."""
    return [
        f"{one.kind}: {one.call}: {one.text}\n    cd tests; python -m fuzz {seed}"
        for seed, found in report(seeds, worker)
        for one in found
    ]


@pytest.fixture(scope="module")
def worker():
    with Worker() as worker:
        yield worker


@pytest.mark.parametrize("first", range(1, 301, BLOCK))
def test_nothing_is_found(worker, first):
    found = failures(range(first, first + BLOCK), worker)
    assert not found, "\n".join(found)


@pytest.mark.heavy
def test_nothing_is_found_in_ten_thousand():
    processes = os.cpu_count()

    def share(i):
        with Worker() as worker:
            return failures(range(1 + i, 10_001, processes), worker)

    with ThreadPoolExecutor(processes) as pool:
        found = [line for lines in pool.map(share, range(processes)) for line in lines]
    assert not found, f"{len(found)} findings:\n" + "\n".join(found)


def case(*calls, **parameters):
    data = ("n, d = 6, 2", "X = np.arange(12.0).reshape(6, 2) ** 2", "y = X[:, 0] + 1")
    return Case(0, (*data, "w = None"), parameters, calls, True, ("A = X",))


# Each of these does wrong what the oracle of that name has to notice.
WRONG = {
    "hang": Call("while True: pass"),
    "crash": Call("import os; os._exit(3)"),
    "accepted": Call("m.fit(A, y, w)", "fit", "nothing, in fact"),
    "refused": Call("m.fit(A, y * np.nan, w)", "fit"),
    "exception": Call("raise KeyError('alpha')"),
    "message": Call("raise ValueError('It went wrong.')"),
    "warning": Call("np.log(np.zeros(1))"),
    "input changed": Call("A[0, 0] = 9.0"),
    "parameter changed": Call("m.alpha = 1.0; m.fit(A, y, w)", "fit"),
    "damaged": Call("m.coef_ = 3; raise ValueError('y')"),
    "not finite": Call("m.fit(A, y, w); m.coef_[0] = np.nan", "fit"),
    "worse than a constant": Call("m.fit(A, y, w); m.coef_ *= 1e4", "fit"),
    "certificate": Call("m.fit(A, y, w); m.intercept_ += 0.1", "fit"),
    "differs": Call("k = clone(m).fit(A, y, w); m.fit(A, y + 1, w); alike(m, k)", "alike"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_oracles_notice(worker, kind, monkeypatch):
    if kind == "hang":
        monkeypatch.setattr(worker, "seconds", 0.3)
    first = (Call("m.fit(A, y, w)", "fit"),) if kind == "differs" else ()
    found = worker.findings(case(*first, WRONG[kind]))
    assert kind in [one.kind for one in found], found


def test_oracles_are_silent_where_nothing_is_wrong(worker):
    assert worker.findings(case(Call("m.fit(A, y, w)", "fit"))) == []


def test_the_shortest_case_is_short(worker):
    bad = case(
        Call("m.fit(A, y, w)", "fit"),
        Call("raise KeyError(1)"),
        alpha="0.1",
        penalty="'l1'",
    )
    short = shortest(bad, worker)
    assert short.parameters == {}
    assert [call.source for call in short.calls] == ["raise KeyError(1)"]
    compile(short.script(), "script", "exec")


def test_a_seed_is_a_case():
    assert draw(17) == draw(17)
    assert len({draw(seed).script() for seed in range(30)}) == 30
