"""
Grid search: penalties, steps, progress
=======================================

``GridSearchCV`` over the penalty and its weight, and over a parameter within a schedule.
Learnt: what there is to choose, what there is not, and how to watch.
"""

# %%
# Penalties and their weight
# --------------------------
#
# Diabetes, 442 rows of 10 features, and the products of all pairs: 65 columns. A penalty
# compares coefficients, so they are standardised first.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.callback import ProgressBar
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from sgdreg import SGDLinearRegressor
from sgdreg.schedules import InvScaling

X, y = load_diabetes(return_X_y=True)
model = make_pipeline(
    PolynomialFeatures(2, include_bias=False),
    StandardScaler(),
    SGDLinearRegressor(),
)
alphas = np.logspace(-2, 2, 9)
search = GridSearchCV(
    model,
    {
        "sgdlinearregressor__penalty": ["l2", "l1"],
        "sgdlinearregressor__alpha": alphas,
    },
    cv=5,
)

# %%
# A callback of the search follows all of its fits; ``ProgressBar`` is scikit-learn's.

search.set_callbacks(ProgressBar(max_propagation_depth=0)).fit(X, y)
for name, value in search.best_params_.items():
    print(name, value)
print(f"R² of held-out rows: {search.best_score_:.3f}")

# %%
# The score of each, and its spread over the five folds:

results = search.cv_results_
penalties = results["param_sgdlinearregressor__penalty"]
figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for penalty, style in (("l2", "o-"), ("l1", "s--")):
    rows = penalties == penalty
    mean = results["mean_test_score"][rows]
    spread = results["std_test_score"][rows]
    ax.semilogx(alphas, mean, style, label=penalty)
    ax.fill_between(alphas, mean - spread, mean + spread, alpha=0.12)
ax.set(xlabel="alpha", ylabel="R² of held-out rows")
ax.legend()
plt.show()

# %%
# What the best model keeps:

coef = search.best_estimator_[-1].coef_
print(f"{np.count_nonzero(coef)} of {len(coef)} coefficients are not zero")

# %%
# A parameter within a schedule
# -----------------------------
#
# Schedules, optimizers and losses are estimators in their own right, so a search reaches
# into them with the usual double underscore. Here the first step and the power of
# eta0 / t^power_t, for ten epochs of plain SGD.

search = GridSearchCV(
    make_pipeline(
        StandardScaler(),
        SGDLinearRegressor(
            learning_rate=InvScaling(),
            batch_size=16,
            max_iter=10,
            tol=None,
            random_state=0,
        ),
    ),
    {
        "sgdlinearregressor__learning_rate__eta0": [0.05, 0.1, 0.15],
        "sgdlinearregressor__learning_rate__power_t": [0.0, 0.25, 0.5],
    },
    cv=5,
).fit(X, y)
for name, value in search.best_params_.items():
    print(name, value)
print(f"R² of held-out rows: {search.best_score_:.3f}")

scores = search.cv_results_["mean_test_score"].reshape(3, 3)
figure, ax = plt.subplots(figsize=(4.8, 3.6), layout="constrained")
image = ax.imshow(scores, cmap="cividis_r", vmin=0, aspect="auto")
for (i, j), score in np.ndenumerate(scores):
    ax.text(j, i, f"{score:.2f}", ha="center", va="center", color="white")
ax.set_xticks(range(3), [0.0, 0.25, 0.5])
ax.set_yticks(range(3), [0.05, 0.1, 0.15])
ax.set(xlabel="power_t", ylabel="eta0", title="R² of held-out rows")
figure.colorbar(image)
plt.show()

# %%
# What need not be searched
# -------------------------
#
# With the defaults there is no step, no batch size and no number of epochs to find:

scores = cross_val_score(SGDLinearRegressor(), X, y, cv=5)
print(f"R² of held-out rows: {scores.mean():.3f}")

# %%
# Schedules: :doc:`/slots/schedule`. Penalties: :doc:`/slots/penalty`. Progress:
# :doc:`/progress`.
