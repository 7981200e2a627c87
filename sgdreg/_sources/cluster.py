"""Rows that the workers of a Dask cluster hold.

The rows stay where they are. A pass sends one function to each worker, with a list of the
blocks that it holds, and gets sums back; their order does not depend on the workers.
"""

import sys
from collections import defaultdict
from dataclasses import replace
from functools import cached_property, partial

import numpy as np
from scipy import sparse

from sgdreg._data.chunked_rows import ChunkedMatrix, ChunkedRows
from sgdreg._data.rows import NO_ROWS, Rows
from sgdreg._records import record
from sgdreg._sources.partitions import (
    groups,
    partitions,
    refuse_failed,
    refuse_unlike,
    together,
)

# A task is tried again so often, where a worker is lost.
RETRIES = 3


def client():
    """The client of the cluster in use, or None: Dask's threads in this process."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.get_client()
    except ValueError:
        return None


@record
class Held:
    """A group of partitions as a worker holds it: checked, and converted once.

    Attributes
    ----------
    rows : Rows
    y : ndarray of shape (n, k)
    weights : ndarray of shape (n,) or None
    flat : bool
        Whether the targets have one dimension.
    """

    rows: Rows
    y: np.ndarray
    weights: np.ndarray | None
    flat: bool


def hold(numbers, parts, names, check):
    """The group as `Held`, on a worker; raises an error that names the partition.

    Parameters
    ----------
    numbers : list of int
    parts : list of (X, y, weights or None)
    names : list of str or None
        Of the columns.
    check : callable
        (X, y, weights) -> the same, as the estimator checks them.
    """
    checked = []
    for number, (X, y, weights) in zip(numbers, parts, strict=True):
        refuse_unlike(number, names, X, y, weights)
        if not X.shape[0]:
            continue
        try:
            checked.append(check(X, y, weights))
        except (ValueError, TypeError) as error:
            raise type(error)(f"In partition {number}: {error}") from error
    if not checked:
        return None
    X, y, weights = together(checked)
    return Held(Rows(X, NO_ROWS), y.reshape(len(y), -1), weights, y.ndim == 1)


def facts(held):
    """What the client has to know of a group: the sizes, targets and weights."""
    if held is None:
        return None
    X = held.rows.X
    kind = X.shape[1], X.dtype, sparse.issparse(X)
    return X.shape[0], X.size, kind, held.flat, held.y, held.weights


# In the place of targets or weights: (OWN, name, None or a divisor), those of the group.
OWN = "own"


def work(function, held, arguments):
    """The results of a function for each of some groups: what is sent to a worker."""
    results = []
    for group, (index, more) in zip(held, arguments, strict=True):
        rows = group.rows if index is None else Rows(group.rows.X, index)
        own = {"y": group.y, "weights": group.weights}
        given = [_own(own, x[1:]) if _is_own(x) else x for x in more]
        results.append(function(rows, *given))
    return results


def _is_own(value):
    return isinstance(value, tuple) and value[:1] == (OWN,)


def _own(own, recipe):
    name, unit = recipe
    return own[name] if unit is None else own[name] / unit


class Cluster:
    """The groups of a collection, which the workers of a client hold.

    Parameters
    ----------
    parts, names, sizes
        See `partitions`.
    check : callable
        See `hold`.
    """

    def __init__(self, parts, names, sizes, check):
        import dask  # noqa: PLC0415 (optional)
        from distributed import futures_of, wait  # noqa: PLC0415

        self.client = client()
        self.groups = groups(parts, sizes)
        held = []
        for group in self.groups:
            numbers, own = [n for n, *_ in group], [tuple(p) for _, *p in group]
            held.append(dask.delayed(hold)(numbers, own, names, check))
        held = self.client.persist(held)
        self.futures = [futures_of(one)[0] for one in held]
        wait(self.futures)  # before that nobody holds them, and one worker would get all
        try:
            found = self.run(facts, range(len(held)), [()] * len(held), plain=True)
        except Exception as error:
            self._refuse_failed(error)
            raise
        kept = [(f, t) for f, t in zip(self.futures, found, strict=True) if t is not None]
        self.futures = [future for future, _ in kept]
        self.facts = [told for _, told in kept]
        self.groups = [
            [number for number, *_ in group]
            for group, told in zip(self.groups, found, strict=True)
            if told is not None
        ]

    def _refuse_failed(self, error):
        """Raise an error that names the partition, unless `hold` has named it."""
        if str(error).startswith(("In partition ", "Workers died")):
            return
        compute = partial(self.client.compute, sync=True)
        for group, future in zip(self.groups, self.futures, strict=True):
            if future.status == "error":
                refuse_failed(group, error, compute)

    def run(self, function, numbers, arguments, plain=False):
        """function(rows, *arguments) of groups with these numbers, in their order.

        Each worker gets a task for each of its threads, with the groups that it holds; any
        worker may take it where that one is lost.
        """
        numbers = list(numbers)
        where = self.client.who_has([self.futures[number] for number in numbers])
        threads = self.client.nthreads()
        at = defaultdict(list)
        for place, number in enumerate(numbers):
            holders = where.get(self.futures[number].key) or [None]
            at[min(holders, key=str)].append(place)
        tasks = []
        for worker, places in sorted(at.items(), key=str):
            # Groups that are lost are made again, each wherever that is possible.
            count = min(len(places), threads.get(worker, len(places)))
            for some in np.array_split(places, count):
                given = [arguments[place] for place in some]
                held = [self.futures[numbers[place]] for place in some]
                task = self.client.submit(
                    _plainly if plain else work,
                    function,
                    held,
                    given,
                    pure=False,
                    retries=RETRIES,
                    **({} if worker is None else {"workers": [worker]}),
                    allow_other_workers=worker is not None,
                )
                tasks.append((some, task))
        results = [None] * len(numbers)
        gathered = self._gathered(tasks, numbers)
        for (some, _), found in zip(tasks, gathered, strict=True):
            for place, one in zip(some, found, strict=True):
                results[place] = one
        return results

    def _gathered(self, tasks, numbers):
        """The results of tasks, each for some groups."""
        from distributed import KilledWorker  # noqa: PLC0415 (optional)

        try:
            return self.client.gather([task for _, task in tasks])
        except KilledWorker as error:
            at = {self.futures[n].key: [n] for n in numbers}
            at |= {task.key: [numbers[place] for place in some] for some, task in tasks}
            groups = [self.groups[n] for n in at.get(error.task, numbers)]
            inside = [p if np.isscalar(p) else p[0] for group in groups for p in group]
            raise RuntimeError(
                f"Workers died {error.allowed_failures + 1} times in a row with partitions "
                f"{min(inside)} to {max(inside)}: most often because memory was too small "
                "for them. Use more, smaller partitions, or workers with more memory."
            ) from error


def _plainly(function, held, arguments):
    return [function(one, *more) for one, more in zip(held, arguments, strict=True)]


@record
class DaskRows(ChunkedRows):
    """Rows that the workers of a cluster hold.

    Attributes
    ----------
    cluster : Cluster
    own : tuple of (ndarray or None)
        The targets and weights of all rows, which the groups have too.
    scaled : tuple of (ndarray, float) or None
        The weights divided by a number, and that number.
    """

    cluster: Cluster
    own: tuple
    scaled: tuple | None = None

    @property
    def is_remote(self):
        return True

    @cached_property
    def _ends(self):
        return np.cumsum([told[0] for told in self.cluster.facts])

    def _places(self):
        """Yield (number of a group, its index or None, rows before, rows taking part, at).

        `at` is where all of its rows are among those of all groups.
        """
        gone, starts = 0, self._ends - [told[0] for told in self.cluster.facts]
        for number, (start, stop) in enumerate(zip(starts, self._ends, strict=True)):
            at, index, count = slice(int(start), int(stop)), None, int(stop - start)
            if len(self.index):
                index = self._among(at)
                count = len(index)
            if count:
                yield number, index, gone, count, at
            gone += count

    def known(self, array):
        """The place of an array that the groups have too, or None."""
        for name, value in zip(("y", "weights"), self.own, strict=True):
            if array is not None and value is not None and _is_same(array, value):
                return OWN, name, None
        if array is not None and self.scaled and _is_same(array, self.scaled[0]):
            return OWN, "weights", self.scaled[1]
        return None

    def knowing(self, weights, unit, scaled):
        """The same rows; where the weights are their own, divided ones are, too."""
        if self.own[1] is None or not _is_same(weights, self.own[1]):
            return self
        return replace(self, scaled=(scaled, unit))

    def each(self, function, given=None):
        """See `ChunkedRows.each`: all blocks at once, each where it is."""
        numbers, arguments = [], []
        for number, index, gone, count, at in self._places():
            more = () if given is None else given(gone, count, at)
            if more is not None:
                numbers.append(number)
                arguments.append((index, more))
        yield from self.cluster.run(function, numbers, arguments)

    def blocks(self, rng=None):
        """See `ChunkedRows.blocks`: the rows come here, one group after the other."""
        places = list(self._places())
        places = (
            places if rng is None else [places[i] for i in rng.permutation(len(places))]
        )
        gone = 0
        for number, index, _, count, at in places:
            (X,) = self.cluster.run(_matrix, [number], [(None, ())])
            rows = Rows(X, NO_ROWS if index is None else index)
            yield rows, at, gone
            gone += count


def _matrix(rows):
    return rows.X


def _is_same(array, other):
    """Whether they are the same numbers in memory."""
    where, there = (a.__array_interface__["data"][0] for a in (array, other))
    return where == there and array.size == other.size


def rows_of(X, y, weights, check):
    """(rows, y, weights or None, names) of a collection that a cluster holds."""
    parts, names, sizes = partitions(X, y, weights)
    cluster = Cluster(parts, names, sizes, check)
    if not cluster.facts:
        raise ValueError("X has no rows.")
    lengths, numbers, kinds, flat, targets, given = zip(*cluster.facts, strict=True)
    width, dtype, is_sparse = kinds[0]
    for number, kind in enumerate(kinds):
        if kind != kinds[0]:
            raise ValueError(
                f"Group {number} of partitions has {kind[0]} columns of {kind[1]}, and the "
                f"first {width} of {dtype}: all partitions must be alike."
            )
    shape, size = (int(sum(lengths)), width), int(sum(numbers))
    matrix = ChunkedMatrix(None, np.array(lengths), True, shape, dtype, size, is_sparse)
    y = np.concatenate(targets)
    y = y[:, 0] if flat[0] else y
    weights = None if given[0] is None else np.concatenate(given)
    cluster.facts = [(length,) for length in lengths]
    return DaskRows(matrix, NO_ROWS, cluster, (y, weights)), y, weights, names
