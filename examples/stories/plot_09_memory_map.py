"""
A memory map, and a stream of its pieces
========================================

Rows in a file, read as a memory map or piece by piece.
Learnt: that ``fit`` takes the map as it is, and ``partial_fit`` ends at the same answer.
"""

# %%
# A file of rows
# --------------
#
# It is small, to be made in a moment; the code is that of a large one. The scales are those
# of raw data.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sgdreg import SGDLinearRegressor

n, d, piece = 200_000, 20, 10_000
rng = np.random.default_rng(0)
folder = tempfile.TemporaryDirectory()
path = Path(folder.name)
scales = np.logspace(-2, 3, d)
truth = rng.normal(size=d) / scales
X = np.lib.format.open_memmap(path / "X.npy", "w+", np.float64, (n, d))
y = np.lib.format.open_memmap(path / "y.npy", "w+", np.float64, (n,))
for start in range(0, n, piece):
    rows = slice(start, start + piece)
    X[rows] = rng.normal(size=(piece, d)) * scales + 3 * scales
    y[rows] = X[rows] @ truth + 5 + rng.normal(size=piece)
X.flush()
y.flush()
del X, y

# %%
# ``fit`` on the map
# ------------------
#
# A read-only map is read, never copied: its pages go through memory as they are needed. The
# fit stops where the R² that is missing is at most ``tol``, 1e-8 by default.

X, y = (np.load(path / name, mmap_mode="r") for name in ("X.npy", "y.npy"))
for tol in (1e-8, 1e-16):
    whole = SGDLinearRegressor(tol=tol, random_state=0).fit(X, y)
    passes = whole.history_[-1]["passes"]
    print(f"tol={tol}: R² {whole.score(X, y):.12f}, {passes:.1f} passes")

# %%
# ``partial_fit``, piece by piece
# -------------------------------
#
# One pass, each row seen once. With the defaults the model is, after each piece, the least
# squares of all rows so far; after the last it is that of the file.

stream = SGDLinearRegressor()
distances = []
for start in range(0, n, piece):
    stream.partial_fit(X[start : start + piece], y[start : start + piece])
    distances.append(np.abs((stream.coef_ - whole.coef_) * scales).max())
print(f"R² {stream.score(X, y):.12f}, largest difference {distances[-1]:.0e}")

# %%
# How far it was from there after each piece, for features in units of their scales. Until
# the last piece it is the answer of fewer rows, and differs as samples do.

figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
seen = np.arange(1, len(distances) + 1) * piece
ax.semilogy(seen, distances, "o-", markersize=4)
ax.semilogy(seen, 1 / np.sqrt(seen), "--", color="0.5", label="1/√(rows seen)")
ax.set(ylim=(3e-4, 0.1), xlabel="rows seen", ylabel="distance from fit on all")
ax.legend()
plt.show()

# %%
# ``SGDRegressor`` on the same stream needs scaled rows, and so the scales beforehand; see
# :doc:`plot_01_raw_scales`. Which settings continue exactly, and what a killed fit resumes
# from: :doc:`/slots/state`.

del X, y
folder.cleanup()
