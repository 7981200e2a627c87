"""Orders of mini-batches: every row once an epoch, the same however epochs are drawn."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sgdreg._data.dataset import NO_ROWS
from sgdreg._data.order import Order


def batches_of(order, rng, among=NO_ROWS, epochs=1):
    """The rows of each mini-batch, epoch after epoch."""
    out = []
    for rows, batches in order.draw(rng, among, epochs):
        everything = rows if len(rows) else np.arange(order.n_rows)
        out += [everything[start:stop].tolist() for start, stop in batches]
    return out


@pytest.mark.parametrize("shuffle", ["rows", "blocks", "sequential"])
@pytest.mark.parametrize("among", [NO_ROWS, np.array([3, 5, 6, 9, 11, 12, 20])])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 7])
def test_every_row_once_an_epoch_and_epochs_compose(shuffle, among, batch_size):
    n = len(among) or 10
    order = Order(n, batch_size, shuffle)
    together = batches_of(order, np.random.default_rng(5), among, epochs=6)
    rng = np.random.default_rng(5)
    one_by_one = [batch for _ in range(6) for batch in batches_of(order, rng, among)]
    assert together == one_by_one
    assert len(together) == 6 * order.n_batches
    for e in range(6):
        epoch = together[e * order.n_batches : (e + 1) * order.n_batches]
        rows = sorted(row for batch in epoch for row in batch)
        assert rows == (among.tolist() or list(range(10)))
        sizes = sorted(len(batch) for batch in epoch)
        assert sizes[1:] == [batch_size] * (len(sizes) - 1)  # one short batch at most


def test_blocks_are_contiguous_and_sequential_is_in_order():
    blocks = batches_of(Order(10, 4, "blocks"), np.random.default_rng(1))
    assert sorted(blocks) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    given = batches_of(Order(10, 4, "sequential"), np.random.default_rng(1))
    assert given == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_a_long_epoch_comes_in_parts(monkeypatch):
    """As many batches as one call takes, again and again: the same order as in one part."""
    for shuffle in ("rows", "blocks", "sequential"):
        order = Order(101, 2, shuffle)
        whole = batches_of(order, np.random.default_rng(3))
        with monkeypatch.context() as patch:
            patch.setattr("sgdreg._data.order.CALL_BATCHES", 8)
            parts = list(order.draw(np.random.default_rng(3)))
            assert [len(batches) for _, batches in parts] == [8] * 6 + [3]
            assert batches_of(order, np.random.default_rng(3)) == whole
            assert order.epochs_at_once(100) == 1


def test_full_batches_draw_nothing():
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    ((rows, batches),) = Order(9, 9, "rows").draw(rng)
    assert len(rows) == 0
    assert_array_equal(batches, [[0, 9]])
    assert rng.bit_generator.state == before
