"""
Quantiles: a band instead of a line
===================================

Models of the tenth, fiftieth and ninetieth per cent, beside least squares.
Learnt: what such a band holds on rows not seen, and where a constant width fails.
"""

# %%
# One feature
# -----------
#
# Progression of diabetes in 442 patients against the body mass index. Each quantile is a
# fit of its own. The band of least squares is its line ± 1.28 standard deviations of its
# residuals, which holds four of five where noise is normal and the same everywhere.

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm
from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold, cross_val_predict

from sgdreg import SGDLinearRegressor

X, y = load_diabetes(return_X_y=True, scaled=False)
bmi = X[:, [2]]
models = {
    q: SGDLinearRegressor(loss="quantile", quantile=q).fit(bmi, y)
    for q in (0.1, 0.5, 0.9)
}
mean = SGDLinearRegressor().fit(bmi, y)
reach = norm.ppf(0.9) * np.std(y - mean.predict(bmi))
for q, model in models.items():
    print(f"{q:.1f}: {np.mean(y <= model.predict(bmi)):.3f} of the rows below")

# %%
# The lines of the quantiles spread out, as the data do.

ends = np.array([[bmi.min()], [bmi.max()]])
low, middle, high = (model.predict(ends) for model in models.values())
line = mean.predict(ends)
bands = {
    "quantiles 0.1, 0.5 and 0.9": (low, middle, high),
    "mean ± 1.28 standard deviations": (line - reach, line, line + reach),
}
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for ax, (name, band) in zip(axes, bands.items(), strict=True):
    ax.plot(bmi, y, ".", color="0.6", markersize=4)
    ax.fill_between(ends[:, 0], band[0], band[2], alpha=0.2)
    ax.plot(ends, band[1])
    ax.set(xlabel="body mass index", ylabel="progression", title=name)
    ax.set_ylim(-30, 430)
plt.show()

# %%
# All features, rows held out
# ---------------------------
#
# Now with all ten, and every row predicted by models that have not seen it: tenfold
# cross-validation. The share within the band, of all rows and of the halves with the lower
# and the higher prediction:

folds = KFold(10, shuffle=True, random_state=0)


def held_out(**settings):
    """Predictions of each row by a fit without it."""
    return cross_val_predict(SGDLinearRegressor(**settings), X, y, cv=folds)


low, high = (held_out(loss="quantile", quantile=q) for q in (0.1, 0.9))
mean = held_out()
reach = norm.ppf(0.9) * np.std(y - mean)
bands = {
    "quantiles": (low, high),
    "mean ± 1.28 sd": (mean - reach, mean + reach),
}
upper = mean > np.median(mean)
halves = {"all": np.full(len(y), True), "lower": ~upper, "upper": upper}
for name, (start, end) in bands.items():
    for half, rows in halves.items():
        share = np.mean((start <= y)[rows] & (y <= end)[rows])
        width = np.mean((end - start)[rows])
        print(f"{name:14}  {half:5}  {share:.2f} within, width {width:.0f}")

# %%
# Both hold about four of five. The constant width gives too much room where progression is
# slow, and too little where it is fast; the quantiles give each half its own.

order = np.argsort(mean)
rank = np.arange(len(y))
low, high, progress = low[order], high[order], y[order]
within = (low <= progress) & (progress <= high)

figure, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
ax.vlines(rank, low, high, color="C0", alpha=0.25, linewidth=1)
ax.plot(rank[within], progress[within], "C0.", label="within")
ax.plot(rank[~within], progress[~within], "C1x", label="outside")
ax.set(xlabel="patients, by their predicted mean", ylabel="progression")
ax.legend()
plt.show()

# %%
# ``score`` is R² for these models, too; ``sklearn.metrics.mean_pinball_loss`` is what they
# minimise. More: :doc:`/slots/loss`.
