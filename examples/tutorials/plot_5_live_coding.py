"""
5. Live coding: hours of study and test scores
==============================================

A line through 100 points from zero, by a thousand short steps.
Learnt: why a spreadsheet has another answer, and how a bowl is made round.
"""

# %%
# The data
# --------
#
# The tutorial's table where the folder ``SGDREG_DATA`` has it; else 100 rows that are
# drawn, and then given the same mean and spread of x, the same least-squares line and the
# same spread about it. Gradient descent on squares knows no more of the data than that, so
# that the numbers are the same.

import os
import textwrap
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sgdreg import SGDLinearRegressor, TrajectoryRecorder
from sgdreg.display import FitDisplay, LossSurfaceDisplay
from sgdreg.optimizers import SGD

folder = Path(os.environ.get("SGDREG_DATA", "nowhere"))
table = folder / "linear_regression_live.csv"
if table.is_file():
    x, y = np.loadtxt(table, delimiter=",", skiprows=1).T
    print("100 rows of the tutorial's table")
else:
    x, noise = np.random.default_rng(0).normal(size=(2, 100))
    x = 48.9583414615593 + 9.69752496327882 * (x - x.mean()) / x.std()
    noise -= np.polyval(np.polyfit(x, noise, 1), x)
    noise *= np.sqrt(110.25738346621317 / np.mean(noise**2))
    y = 1.32243102275536 * x + 7.99102098227038 + noise
    print("100 rows drawn, with the line and the spread of the tutorial's")
X = x[:, None]

# %%
# Replayed
# --------
#
# Start at zero, 1000 steps of 0.0001 on all rows: of 0.0002 here, for the ½ in the
# objective.

path = TrajectoryRecorder()
settings = {"optimizer": "sgd", "learning_rate": 0.0002, "batch_size": "full"}
replayed = SGDLinearRegressor(**settings, max_iter=1000, tol=None)
replayed.set_callbacks(path).fit(X, y)


def error(model):
    """Mean squared error."""
    return np.mean((y - model.predict(X)) ** 2)


print("published  start error = 5565.107834483211")
print(f"replayed   start error = {2 * replayed.loss_curve_[0]:.12f}")
print("published  m = 1.4777440851894448  b = 0.08893651993741346")
m, b = replayed.coef_[0], replayed.intercept_
print(f"replayed   m = {m:.16f}  b = {b:.17f}")
print("published  error = 112.61481011613473")
print(f"replayed   error = {error(replayed):.14f}")

# %%
# The line moves fast at first, then slower as it converges:

FitDisplay.from_estimator(
    replayed, X, y, trajectory=path, feature_name="hours", target_name="score"
)
plt.show()

# %%
# Why the spreadsheet says something else
# ---------------------------------------
#
# Its trend line is the least-squares line. The defaults find that one, too:

answered = SGDLinearRegressor().fit(X, y)
print("published  m = 1.32243102275536  b = 7.99102098227038")
m, b = answered.coef_[0], answered.intercept_
print(f"answered   m = {m:.14f}  b = {b:.14f}")
print("published  error = 110.25738346621317")
print(f"answered   error = {error(answered):.14f}")

# %%
# The thousand steps have not converged. Asked to watch for that, ``fit`` says so:

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    unfinished = SGDLinearRegressor(**settings, max_iter=1000, tol=1e-8)
    unfinished.fit(X, y)
print("converged:", unfinished.converged_)
print(textwrap.fill(str(caught[0].message), 76))

# %%
# The bowl
# --------
#
# The error over intercept and slope is a valley: steep along the slope, and nearly flat in
# the direction in which the intercept changes and the slope makes up for it. The steps,
# short enough for the wall, run down it at once and then hardly move.

bowl = {"features": ("intercept", 0), "trajectory": path}
LossSurfaceDisplay.from_estimator(answered, X, y, **bowl)
plt.show()

# %%
# In three dimensions:

# sphinx_gallery_thumbnail_number = 3
LossSurfaceDisplay.from_estimator(answered, X, y, **bowl, kind="3d")
plt.show()

# %%
# How many steps would it take? Along the flat direction a step leaves 1 - eta λ of the
# distance, λ being the curvature there. To 1 % of it:

A = np.column_stack([np.ones(100), x])
flat, steep = np.linalg.eigvalsh(A.T @ A / 100)
print(f"curvatures {steep:.0f} and {flat:.3f}, {steep / flat:,.0f} to one")
print(f"{np.log(0.01) / np.log(1 - 0.0002 * flat):,.0f} steps")

# %%
# A rounder bowl
# --------------
#
# In coordinates in which the curvature is the same in all directions, the path is straight.
# That is what a metric does; the data stay as they are. On the left the path in the raw
# coordinates, on the right in those of the metric:

figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for ax, coordinates in zip(axes, ("raw", "preconditioned"), strict=True):
    LossSurfaceDisplay.from_estimator(
        answered, X, y, **bowl, coordinates=coordinates, ax=ax
    )
    ax.set_title(coordinates)
plt.show()

# %%
# Steps taken there, with their length still chosen by hand: centred and scaled
# (``"diagonal"``), which for one feature is all that there is to do.

scaled = SGDLinearRegressor(
    optimizer=SGD(metric="diagonal"),
    learning_rate=0.5,
    batch_size="full",
    max_iter=30,
    tol=None,
)
scaled.fit(X, y)
print(f"30 steps: m = {scaled.coef_[0]:.8f}  b = {scaled.intercept_:.8f}")

figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
for name, model in {"raw, 0.0002": replayed, "scaled, 0.5": scaled}.items():
    above = 2 * np.array(model.loss_curve_) - error(answered)
    ax.loglog(range(1, len(above) + 1), above, label=f"{name} a step")
ax.set(xlabel="step", ylabel="error above its least")
ax.legend()
plt.show()

# %%
# What the audience asked
# -----------------------
#
# * *Overflow, and the error is inf or nan?* The step is too long: ``ValueError`` says so,
#   and which would not be.
# * *How to choose the step and the number of iterations?* Leave both to the defaults.
# * *More than one feature?* The bowl over any two of them: :doc:`/displays`.
# * *Different starting values, different answers?* Then neither has converged.
# * *The slope is negative and does not fit?* It overshoots, or the intercept has not
#   arrived.
# * *A quadratic?* ``PolynomialFeatures`` in a pipeline.
# * *Start from the least-squares values?* ``fit(X, y, coef_init=..., intercept_init=...)``.
# * *Predict?* ``predict``:

print(f"60 hours: {answered.predict([[60.0]])[0]:.1f}")

# %%
# The answers in full: :doc:`/faq`.
