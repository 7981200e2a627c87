"""
Outliers, and how hard they pull
================================

Some targets are wrong, and wrong by much.
Learnt: how a loss decides how hard a row pulls, and what the Huber loss has to be told.
"""

# %%
# Wrong targets
# -------------
#
# 100 points near y = 2x + 1, of which 12 have been entered without their decimal point.

import matplotlib.pyplot as plt
import numpy as np

from sgdreg import SGDLinearRegressor, losses

rng = np.random.default_rng(0)
x = np.sort(rng.uniform(0, 10, 100))
y = 2 * x + 1 + rng.normal(0, 1, 100)
wrong = rng.choice(np.arange(50, 100), 12, replace=False)
y[wrong] *= 10
X = x[:, None]

# %%
# Four losses
# -----------
#
# ``epsilon`` of the Huber loss is in the units of y. About 1.35 standard deviations of the
# good rows' noise, here 1, is the usual choice: beyond that a row pulls with a constant
# force.

models = {
    "squared_error": SGDLinearRegressor(),
    "huber, epsilon=1.35": SGDLinearRegressor(loss="huber", epsilon=1.35),
    "huber, epsilon=50": SGDLinearRegressor(loss="huber", epsilon=50.0),
    "absolute_error": SGDLinearRegressor(loss="absolute_error"),
}
styles = dict(zip(models, ("-", "-", "--", ":"), strict=True))
for name, model in models.items():
    model.fit(X, y)
    print(f"{name:20} y = {model.coef_[0]:6.3f} x {model.intercept_:+7.3f}")

# %%
# The squared error follows the twelve, and so does a Huber loss whose ``epsilon`` is none
# of these data.

ends = np.array([[0.0], [10.0]])
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for ax in axes:
    ax.plot(x, y, ".", color="0.6")
    for name, model in models.items():
        ax.plot(ends, model.predict(ends), styles[name], label=name)
    ax.set(xlabel="x", ylabel="y")
axes[1].set(ylim=(-3, 30), title="the lower part")
axes[0].set_title("all points")
axes[0].legend()
plt.show()

# %%
# How hard a row pulls
# --------------------
#
# The derivative of the loss is the force of a row whose prediction is off by r. Squares
# pull without bound.

r = np.linspace(-6, 6, 601)
figure, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
for name, law in {
    "squared_error": losses.SquaredError(),
    "huber, epsilon=1.35": losses.Huber(1.35),
    "absolute_error": losses.AbsoluteError(),
}.items():
    force = law.gradient(np.zeros_like(r), r)
    ax.plot(r, force, styles[name], label=name)
ax.set(xlabel="r = p - y", ylabel="dL/dp")
ax.legend()
plt.show()

# %%
# Without knowing the noise
# -------------------------
#
# Take the spread of the residuals of the median line, which outliers hardly touch: the
# median of their sizes is 0.6745 standard deviations of normal noise.

residuals = y - models["absolute_error"].predict(X)
sigma = np.median(np.abs(residuals)) / 0.6745
model = SGDLinearRegressor(loss="huber", epsilon=1.35 * sigma).fit(X, y)
print(f"sigma {sigma:.2f}")
print(f"y = {model.coef_[0]:.3f} x {model.intercept_:+.3f}")

# %%
# None of these helps against a row that is far out in x: that one moves every line. All
# losses: :doc:`/slots/loss`.
