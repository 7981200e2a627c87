"""
Optimizers on one bowl
======================

The paths of five update rules over two coefficients.
Learnt: what momentum is for, what Adam adapts to, and what the curvature itself does.
"""

# %%
# A long valley
# -------------
#
# Two features that nearly say the same, so the bowl is steep along one diagonal and flat
# along the other.

import matplotlib.pyplot as plt
import numpy as np

from sgdreg import SGDLinearRegressor, TrajectoryRecorder
from sgdreg.display import ConvergenceDisplay, LossSurfaceDisplay
from sgdreg.optimizers import SGD, Adam, Momentum, Nesterov

rng = np.random.default_rng(0)
first = rng.normal(size=200)
X = np.column_stack([first, first + 0.35 * rng.normal(size=200)])
y = X @ [2.0, -1.0] + 0.5 * rng.normal(size=200)
curvature = np.linalg.eigvalsh(np.cov(X.T))
print(f"steep to flat: {curvature[1] / curvature[0]:.0f} to 1")

# %%
# All rows a step
# ---------------
#
# 60 steps of each from (0, 0), their lengths chosen by hand, as long as goes well. The last
# is sgd, too, in the metric of the curvature.

rules = {
    "sgd": (SGD(), 0.8),
    "momentum": (Momentum(0.8), 0.2),
    "nesterov": (Nesterov(0.8), 0.3),
    "adam": (Adam(), 0.2),
    "curvature": (SGD(metric="sketch"), 0.3),
}


def fit(rule, eta, batch_size):
    """A fit of 60 epochs, and its path."""
    path = TrajectoryRecorder()
    model = SGDLinearRegressor(
        optimizer=rule,
        learning_rate=eta,
        batch_size=batch_size,
        fit_intercept=False,
        max_iter=60,
        tol=None,
        random_state=0,
    )
    return model.set_callbacks(path).fit(X, y), path


models, paths = {}, {}
for name, (rule, eta) in rules.items():
    models[name], paths[name] = fit(rule, eta, "full")
answer = SGDLinearRegressor(fit_intercept=False).fit(X, y)
figure, ax = plt.subplots(figsize=(7, 5), layout="constrained")
LossSurfaceDisplay.from_estimator(
    answer, X, y, features=(0, 1), trajectory=paths, ax=ax
)
plt.show()

# %%
# * ``sgd`` zigzags where the step suits the flat direction, as here, or creeps where it
#   suits the steep one.
# * ``momentum`` adds up what successive steps have in common, the way along the valley, and
#   swings beyond the bottom before it comes back. ``nesterov`` looks ahead, and swings
#   less.
# * ``adam`` divides each coordinate by the size of its gradients. Here they are alike: the
#   valley lies across the axes, and adapting to coordinates does not help.
# * In the metric of the curvature the bowl is round: straight to the bottom, and a step of
#   1 would have been there at once.

ConvergenceDisplay.from_estimator(models)
plt.show()

# %%
# Batches of ten rows
# -------------------
#
# The same rules with a quarter of the steps; 60 epochs are 1200 of them now, and every one
# is noisy.

for name, (rule, eta) in rules.items():
    _, paths[name] = fit(rule, eta / 4, 10)
figure, ax = plt.subplots(figsize=(7, 5), layout="constrained")
LossSurfaceDisplay.from_estimator(
    answer, X, y, features=(0, 1), trajectory=paths, ax=ax
)
plt.show()

# %%
# Now they get there within a few epochs, and wander about the bottom. What helps is a
# shrinking step or an average: :doc:`plot_02_schedules`, :doc:`/slots/averaging`. The rules
# with their formulas: :doc:`/slots/update-rule`.
