"""
Raw features, messy scales
==========================

A table as it comes, in ten different units.
Learnt: what SGD makes of it, how loudly it says so, and that units need not matter at all.
"""

# %%
# The data
# --------
#
# 442 diabetes patients: age, sex, body mass index, blood pressure and six serum
# measurements; the target is the progression of the disease after a year.

import textwrap
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, SGDRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sgdreg import SGDLinearRegressor

data = load_diabetes(scaled=False)
X, y = data.data, data.target
for name, column in zip(data.feature_names, X.T, strict=True):
    print(f"{name:4} {column.mean():6.1f} ± {column.std():.1f}")

# %%
# In raw units
# ------------
#
# R² of three fits with their defaults, on the rows that they were fitted to. (1 is perfect,
# 0 is as good as the mean of y.)

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    sgd = SGDRegressor(random_state=0).fit(X, y)
model = SGDLinearRegressor().fit(X, y)
print(f"SGDRegressor        {sgd.score(X, y):.3g}   warnings: {len(caught)}")
print(f"SGDLinearRegressor  {model.score(X, y):.6f}")
print(f"LinearRegression    {LinearRegression().fit(X, y).score(X, y):.6f}")

# %%
# The first has diverged, and says nothing: its numbers are finite. The same steps, asked
# for by name here, are refused:

try:
    SGDLinearRegressor(learning_rate=0.01).fit(X, y)
except ValueError as message:
    print(textwrap.fill(str(message), 76))

# %%
# Any unit
# --------
#
# ``StandardScaler`` is the usual remedy, and it is right for ``SGDRegressor``. Here is what
# happens without it when one column, the body mass index, changes its unit, the others
# being scaled already: R² against the factor.

factors = np.logspace(-4, 4, 33)
Z = StandardScaler().fit_transform(X)
sgd = SGDRegressor(random_state=0)
models = {
    "SGDRegressor": (sgd, "o-"),
    "with StandardScaler": (make_pipeline(StandardScaler(), sgd), "s--"),
    "SGDLinearRegressor": (SGDLinearRegressor(), "-"),
}
figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for name, (model, style) in models.items():
    scores = []
    for factor in factors:
        scaled = Z * np.where(np.arange(10) == 2, factor, 1.0)
        scores.append(model.fit(scaled, y).score(scaled, y))
    ax.plot(factors, scores, style, markersize=4, label=name)
ax.set(xscale="log", ylim=(0.25, 0.55), ylabel="R²")
ax.set_xlabel("factor on the body mass index (1: a standard deviation of 1)")
ax.legend(loc="lower right")
plt.show()

# %%
# Where the numbers are small, the column hardly enters; where they are large, the steps run
# away and R² off the picture. The defaults give the same line in every unit. How:
# :doc:`/auto`.
