"""
Validation rows and early stopping
==================================

Sixty rows, fifty features: the training loss falls on while the model gets worse.
Learnt: which epoch is returned, and how early stopping compares with a penalty.
"""

# %%
# Few rows
# --------

import textwrap

import matplotlib.pyplot as plt
import numpy as np

from sgdreg import SGDLinearRegressor
from sgdreg.display import ConvergenceDisplay

rng = np.random.default_rng(3)
X = rng.normal(size=(1060, 50))
y = X @ rng.normal(size=50) + 6 * rng.normal(size=1060)
X_train, y_train = X[:60], y[:60]
X_val, y_val = X[60:160], y[60:160]
X_test, y_test = X[160:], y[160:]

# %%
# Least squares has nearly as many coefficients as rows, and fits the noise:

exact = SGDLinearRegressor().fit(X_train, y_train)
print(f"R² of the training rows {exact.score(X_train, y_train):6.3f}")
print(f"R² of the test rows     {exact.score(X_test, y_test):6.3f}")

# %%
# Stop early
# ----------
#
# With validation rows, ``fit`` scores each epoch's model on them, returns the best, and
# ends when ``n_iter_no_change`` epochs in a row have not been better.

stopped = SGDLinearRegressor(
    optimizer="sgd",
    learning_rate=0.002,
    max_iter=200,
    tol=0,
    n_iter_no_change=20,
    random_state=0,
)
stopped.fit(X_train, y_train, X_val=X_val, y_val=y_val)
print(textwrap.fill(stopped.stop_reason_, 76))
print(f"R² of the training rows   {stopped.score(X_train, y_train):6.3f}")
print(f"R² of the validation rows {stopped.score(X_val, y_val):6.3f}")
print(f"R² of the test rows       {stopped.score(X_test, y_test):6.3f}")

# %%
# The training loss, and the score of the validation rows:

figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for ax, quantity in zip(axes, ("objective", "validation_score"), strict=True):
    ConvergenceDisplay.from_estimator({"sgd": stopped}, y=quantity, ax=ax)
plt.show()

# %%
# The model returned is that of the marked epoch, and its validation score is the one
# recorded.
#
# Or shrink
# ---------
#
# Few steps from zero leave the weights small, much as an l2 penalty does. The penalty has
# an optimum, which does not depend on the steps; its weight has to be chosen, by the same
# rows.

alphas = np.logspace(-2, 2, 17)
ridges = [
    SGDLinearRegressor(penalty="l2", alpha=a).fit(X_train, y_train)
    for a in alphas
]
validation = [model.score(X_val, y_val) for model in ridges]
test = [model.score(X_test, y_test) for model in ridges]
best = int(np.argmax(validation))

early = stopped.score(X_test, y_test)

figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
ax.semilogx(alphas, validation, "o-", markersize=4, label="validation rows")
ax.semilogx(alphas, test, "s--", markersize=4, label="test rows")
ax.axhline(early, color="black", linewidth=1, linestyle=":")
ax.text(alphas[0], early + 0.02, "stopped early, test rows")
ax.set(xlabel="alpha", ylabel="R²")
ax.legend(loc="lower center")
plt.show()
print(f"alpha {alphas[best]:.2g}: R² of the test rows {test[best]:.3f}")

# %%
# All the rules by which a fit ends: :doc:`/slots/stopping`.
