"""
4. A perceptron: 25 points and a line
=====================================

4000 steps of gradient descent on a *sum* of squares, as a loop in PyTorch takes them.
Learnt: how a sum, a mean and a ½ change the step, and what the loss looks like on the way.
"""

# %%
# The data
# --------

import matplotlib.pyplot as plt
import numpy as np

from sgdreg import SGDLinearRegressor, TrajectoryRecorder
from sgdreg.display import FitDisplay, LossSurfaceDisplay

x = np.array(
    [
        *(4.7, 2.4, 7.5, 7.1, 4.3, 7.8, 8.9, 5.2, 4.59, 2.1, 8, 5, 7.5),
        *(5, 4, 8, 5.2, 4.9, 3, 4.7, 4, 4.8, 3.5, 2.1, 4.1),
    ]
)
y = np.array(
    [
        *(2.6, 1.6, 3.09, 2.4, 2.4, 3.3, 2.6, 1.96, 3.13, 1.76, 3.2, 2.1, 1.6),
        *(2.5, 2.2, 2.75, 2.4, 1.8, 1, 2, 1.6, 2.4, 2.6, 1.5, 3.1),
    ]
)
X = x[:, None]

# %%
# Replayed
# --------
#
# The step of 0.001 is on the sum of 25 squares. Here the objective is half of their mean,
# so the same step is 2 · 25 · 0.001 = 0.05.

path = TrajectoryRecorder()
replayed = SGDLinearRegressor(
    optimizer="sgd",
    learning_rate=0.05,
    batch_size="full",
    max_iter=4000,
    tol=None,
)
replayed.set_callbacks(path).fit(X, y)
print("published  slope 0.1750716  intercept 1.4045023  (least squares)")
m, b = replayed.coef_[0], replayed.intercept_
print(f"replayed   slope {m:.7f}  intercept {b:.7f}")

# %%
# The loss every 100
# ------------------
#
# ``loss_curve_`` has the objective before each step; the sum of squares is 2 · 25 times it.

losses = 2 * 25 * np.array(replayed.loss_curve_[::100])
for i, row in enumerate(losses.reshape(8, 5)):
    print(f"{500 * i:4}:", *(f"{loss:10.6f}" for loss in row))

# %%
# Fast at first, while the line rises to the points; then slow, while it turns.

figure, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
above = np.array(replayed.loss_curve_) - replayed.loss_curve_[-1]
ax.semilogy(2 * 25 * above[:2000])
ax.set(xlabel="step", ylabel="sum of squares above its least")
plt.show()

# %%
# Answered
# --------

answered = SGDLinearRegressor().fit(X, y)
m, b = answered.coef_[0], answered.intercept_
print(f"answered   slope {m:.7f}  intercept {b:.7f}")

# %%
# The line after 4000 steps, and those on the way:

FitDisplay.from_estimator(
    replayed, X, y, trajectory=path, feature_name="x", target_name="y"
)
plt.show()

# %%
# The bowl shows the two phases: down its wall in a few steps, and along its floor in
# thousands.

# sphinx_gallery_thumbnail_number = 3
LossSurfaceDisplay.from_estimator(
    answered, X, y, features=("intercept", 0), trajectory=path
)
plt.show()

# %%
# Next: :doc:`live coding, hours and scores <plot_5_live_coding>`.
