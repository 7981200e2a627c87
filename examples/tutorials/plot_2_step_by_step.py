"""
2. Step by step: one row at a time
==================================

Forward pass, gradient and update in NumPy, beside ``partial_fit`` row by row.
Learnt: what a step of SGD computes, why these run away, and what to do next.
"""

# %%
# The data
# --------
#
# Six rows of two features. They lie on y = x1 - 2 x2, which nothing below is told.

import textwrap
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from sgdreg import SGDLinearRegressor
from sgdreg.display import ConvergenceDisplay
from sgdreg.schedules import InvScaling, Polynomial

X = np.array([[4, 1], [2, 8], [1, 0], [3, 2], [1, 4], [6, 7.0]])
y = np.array([2, -14, 1, -1, -7, -8.0])

# %%
# One step by hand
# ----------------
#
# *Forward*: the prediction of the first row, p = x·w + b, and its squared error.

w, b = np.array([-0.017, -0.048]), 0.0
p = X[0] @ w + b
error = p - y[0]
print(f"prediction {p:.3f}, error {error:.3f}")
print("published  loss 4.48")
print(f"by hand    loss {error**2:.2f}")

# %%
# *Gradient*: the derivatives of the loss (p - y)² by w and by b.

gradient_w, gradient_b = 2 * error * X[0], 2 * error
print("gradient", gradient_w, gradient_b)

# %%
# *Update*: 0.05 times as far the other way.

w, b = w - 0.05 * gradient_w, b - 0.05 * gradient_b
print("published  w = (0.8294, 0.1636), b = 0.2116")
print(f"by hand    w = ({w[0]:.4f}, {w[1]:.4f}), b = {b:.4f}")

# %%
# The epoch, beside ``partial_fit``
# ---------------------------------
#
# The same six times over. The loss here has a ½ before the square, so a step of 0.05 there
# is ``learning_rate=0.1``. The first row goes through ``fit``, which takes the weights to
# start from; each of the others is a ``partial_fit``, one step.

start = {"coef_init": [-0.017, -0.048], "intercept_init": 0.0}
model = SGDLinearRegressor(learning_rate=0.1, max_iter=1, tol=None)
w, b = np.array(start["coef_init"]), start["intercept_init"]
print("x1  x2    y     loss       w1      w2       b   by partial_fit")
for i in range(6):
    error = X[i] @ w + b - y[i]
    loss = error**2
    w, b = w - 0.05 * 2 * error * X[i], b - 0.05 * 2 * error
    if i == 0:
        with (
            warnings.catch_warnings()
        ):  # the row's own mean is a better model, it says
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X[:1], y[:1], **start)
    else:
        model.partial_fit(X[i : i + 1], y[i : i + 1])
    row = f"{X[i, 0]:2.0f} {X[i, 1]:3.0f} {y[i]:4.0f} {loss:8.2f}"
    by_hand = "".join(f"{v:8.3f}" for v in (*w, b))
    by_model = "".join(f"{v:8.3f}" for v in (*model.coef_, model.intercept_))
    print(row, by_hand, by_model)

# %%
# Running away
# ------------
#
# w2 should be -2 and is -34.8. A step multiplies the error of its own row by
# 1 - 0.1 (x1² + x2² + 1). Beyond ±1 it makes that row worse than it was:

for row, factor in zip(X, 1 - 0.1 * (np.sum(X**2, axis=1) + 1), strict=True):
    print(f"row ({row[0]:.0f}, {row[1]:.0f})  {factor:5.1f}")

# %%
# From there on it grows. ``fit`` stops with an error that says where, and how long a step
# may be:

try:
    SGDLinearRegressor(learning_rate=0.1, shuffle=False).fit(X, y, **start)
except ValueError as message:
    print(textwrap.fill(str(message), 76))

# %%
# The losses of three epochs, each before its own step, and those of a step that is short
# enough:

figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
for step, style in ((0.1, "o-"), (0.01, "s--")):
    w, b, seen = np.array(start["coef_init"]), 0.0, []
    for i in [*range(6)] * 3:
        error = X[i] @ w + b - y[i]
        seen.append(error**2)
        w, b = w - step * error * X[i], b - step * error
    ax.semilogy(range(1, 19), seen, style, label=f"learning_rate={step}")
ax.set(xlabel="step", ylabel="squared error of the row", xticks=range(1, 19))
ax.legend()
plt.show()

# %%
# Five wishes
# -----------
#
# The tutorial ends with what it would do next. *More epochs*, with the shorter step:

step = {"learning_rate": 0.01, "tol": None, "random_state": 0}
for epochs in (1, 10, 100, 1000):
    model = SGDLinearRegressor(**step, max_iter=epochs).fit(X, y, **start)
    w, b = model.coef_.round(6), model.intercept_
    print(f"max_iter={epochs:<5} w = {w}, b = {b:.6f}")

# %%
# *Larger batches*: the noise of single rows averages out, and the largest stable step
# grows. The message of a careless one says to what:

for batch_size in (1, 2, 3, "full"):
    try:
        SGDLinearRegressor(learning_rate=1.0, batch_size=batch_size).fit(X, y)
    except ValueError as message:
        largest = str(message).split("about ")[1].split(")")[0]
        print(f"batch_size={batch_size!r:7} largest stable step {largest}")

# %%
# *Other optimizers*, on the same rows; each kind has a step length of its own:

lengths = {
    "sgd": 0.01,
    "momentum": 0.003,
    "nesterov": 0.003,
    "adagrad": 0.5,
    "rmsprop": 0.05,
    "adam": 0.1,
}
settings = {"max_iter": 60, "tol": None, "random_state": 0}
models = {}
for name, eta in lengths.items():
    model = SGDLinearRegressor(optimizer=name, learning_rate=eta, **settings)
    models[name] = model.fit(X, y, **start)
ConvergenceDisplay.from_estimator(models)
plt.show()

# %%
# *Schedules*: begin with steps that are as long as they may be, and let them shrink.

schedules = {
    "constant": 0.01,
    "1/√t": InvScaling(0.02, power_t=0.5),
    "line to zero": Polynomial(0.02, steps=360),
}
models = {}
for name, schedule in schedules.items():
    model = SGDLinearRegressor(learning_rate=schedule, **settings)
    models[name] = model.fit(X, y, **start)
ConvergenceDisplay.from_estimator(models)
plt.show()

# %%
# (These rows have no noise, so there is nothing that shorter steps would average out; see
# :doc:`the schedules on noisy rows </gallery/stories/plot_02_schedules>`.)
#
# *Train, validation and test rows*: 300 of them, of the same law and some noise. Validation
# rows choose the epoch that is returned, test rows judge it.

rng = np.random.default_rng(0)
rows = rng.uniform(0, 8, (300, 2))
targets = rows @ [1, -2] + rng.normal(size=300)
rows, X_test, targets, y_test = train_test_split(
    rows, targets, test_size=60, random_state=0
)
X_train, X_val, y_train, y_val = train_test_split(
    rows, targets, test_size=60, random_state=0
)
model = SGDLinearRegressor(learning_rate=0.001, max_iter=200, random_state=0)
model.fit(X_train, y_train, X_val=X_val, y_val=y_val)
print(f"epoch {model.best_iteration_} of {model.n_iter_} is returned")
print(f"R² of the validation rows {model.score(X_val, y_val):.4f}")
print(f"R² of the test rows       {model.score(X_test, y_test):.4f}")

# %%
# Answered
# --------
#
# The six rows again, with nothing set:

model = SGDLinearRegressor().fit(X, y)
print(f"w = {model.coef_.round(12)}, b = {model.intercept_:.0e}")
print(model.stop_reason_)

# %%
# The same arithmetic, a step at a click: :doc:`/explorable`. Next:
# :doc:`a network of one neuron <plot_3_network>`.
