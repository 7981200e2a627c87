"""Rows on disk and on a cluster: ``python -m benchmarks.scale [--rows 20000000]``.

A table of 50 columns of float32 is written as ``.npy`` and as Parquet. Each fit runs in a
process of its own, whose peak of resident memory is read at its end. A rate is the bytes
of the table for each pass of the fit, divided by its time; beside it stands what reading
the file once, without a fit, takes in the same run. Files that fit into the system's cache
are read from there: take more rows than that for the rate of the disk.
"""

import argparse
import os
import resource
import tempfile
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np

import sgdreg
from benchmarks._words import met
from sgdreg import SGDLinearRegressor

COLUMNS, ROWS_AT_ONCE = 50, 200_000
# Rates are to reach this share of a plain read; and resident memory, in GB.
SHARE, MOST_RESIDENT = 0.7, 1.5
SETTINGS = {
    "least squares": {},
    "l1": {"penalty": "l1", "alpha": 0.1},
    "huber": {"loss": "huber", "epsilon": 0.7},
    "quantile": {"loss": "quantile", "quantile": 0.9},
}


def pieces(rows):
    """Yield (X, y) of a table with heavy-tailed noise."""
    rng, coef = np.random.default_rng(0), np.linspace(-1, 1, COLUMNS)
    for start in range(0, rows, ROWS_AT_ONCE):
        count = min(ROWS_AT_ONCE, rows - start)
        X = rng.standard_normal((count, COLUMNS), dtype=np.float32)
        yield X, X @ coef + rng.standard_t(3, count)


def write(folder, rows):
    """The table as X.npy, y.npy and data.parquet."""
    import pyarrow as pa  # noqa: PLC0415 (optional)
    from pyarrow import parquet  # noqa: PLC0415

    create = partial(np.lib.format.open_memmap, mode="w+")
    X = create(folder / "X.npy", dtype=np.float32, shape=(rows, COLUMNS))
    y = create(folder / "y.npy", dtype=np.float64, shape=(rows,))
    names, writer, start = [f"x{j}" for j in range(COLUMNS)], None, 0
    for part, targets in pieces(rows):
        stop = start + len(part)
        X[start:stop], y[start:stop] = part, targets
        table = pa.table(dict(zip(names, part.T, strict=True)) | {"y": targets})
        if writer is None:
            writer = parquet.ParquetWriter(folder / "data.parquet", table.schema)
        writer.write_table(table)
        start = stop
    writer.close()


def read_npy(folder):
    """Read the file once."""
    space = bytearray(2**24)
    with open(folder / "X.npy", "rb", buffering=0) as file:
        while file.readinto(space):
            pass


def scan_parquet(folder):
    """Decode the file once."""
    from pyarrow import dataset  # noqa: PLC0415 (optional)

    for batch in dataset.dataset(folder / "data.parquet").to_batches():
        batch.num_rows  # noqa: B018


def mapped(folder):
    """X and y of a fit to the memory map."""
    return np.load(folder / "X.npy", mmap_mode="r"), np.load(folder / "y.npy")


def from_parquet(folder):
    """The chunks of a fit to Parquet."""
    return (sgdreg.chunks(folder / "data.parquet", target="y"),)


def in_a_process(task):
    """(seconds, what the task returns, peak of resident memory in GB), by a fork."""
    read, write = os.pipe()
    if not os.fork():
        began = perf_counter()
        told = task()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        os.write(write, repr((perf_counter() - began, told, peak)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        text = answer.read()
    os.wait()
    return eval(text)


def fit(source, folder, settings):
    """(passes, gap) of a fit."""
    model = SGDLinearRegressor(**settings).fit(*source(folder))
    last = model.history_[-1]
    return float(last["passes"]), float(last["optimality_gap"])


def line(title, source, folder, settings, size, plain):
    """One fit."""
    seconds, told, peak = in_a_process(partial(fit, source, folder, settings))
    passes, gap = told
    rate = passes * size / seconds
    print(
        f"{title:32s} {seconds:7.2f} s  {passes:5.1f} passes  gap {gap:.0e}  "
        f"{rate:5.2f} GB/s a pass: {rate / plain:.2f} of a plain read (floor {SHARE:g}) "
        f"{met(rate / plain, SHARE)}  resident {peak:.2f} GB (limit {MOST_RESIDENT:g}) "
        f"{met(peak, limit=MOST_RESIDENT)}",
        flush=True,
    )


def main():
    """Write the table, and fit to it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--folder", help="for the files; a temporary one")
    parser.add_argument("--only", nargs="*", choices=SETTINGS, default=list(SETTINGS))
    options = parser.parse_args()
    size = options.rows * COLUMNS * 4 / 1e9
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        write(folder, options.rows)
        sources = {
            ".npy": (mapped, read_npy),
            "Parquet": (from_parquet, scan_parquet),
        }
        for kind, (source, reading) in sources.items():
            seconds, *_ = in_a_process(partial(reading, folder))
            plain = size / seconds
            print(f"{kind}, {size:.1f} GB, read once: {plain:.2f} GB/s", flush=True)
            for title in options.only:
                what = f"{kind}, {title}"
                line(what, source, folder, SETTINGS[title], size, plain)


if __name__ == "__main__":
    main()
