"""
3. A network of one neuron
==========================

A network with one dense layer of one output is a linear regression.
Learnt: why constant steps never settle, and where the least-squares answer is.
"""

# %%
# The data
# --------
#
# 1000 rows, x and z uniform on [-10, 10], y = 2x - 3z + 5 and a noise uniform on [-1, 1].
# As in the tutorial they are saved to an ``.npz`` file, and read back.

import tempfile
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sgdreg import SGDLinearRegressor, TrajectoryRecorder
from sgdreg.schedules import Polynomial

rng = np.random.default_rng(0)
x, z = rng.uniform(-10, 10, (2, 1000))
y = 2 * x - 3 * z + 5 + rng.uniform(-1, 1, 1000)

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "plane.npz")
    np.savez(path, inputs=np.column_stack([x, z]), targets=y)
    with np.load(path) as saved:
        X, y = saved["inputs"], saved["targets"]
print(X.shape, y.shape)

# %%
# Replayed
# --------
#
# Batches of 32, 100 epochs, a step of 0.02. The loss there is the mean squared error,
# without a ½, so the step here is 0.04.

path = TrajectoryRecorder()
settings = {"optimizer": "sgd", "batch_size": 32, "max_iter": 100, "tol": None}
replayed = SGDLinearRegressor(**settings, learning_rate=0.04, random_state=0)
replayed.set_callbacks(path).fit(X, y)
answered = SGDLinearRegressor().fit(X, y)


def weights(model):
    """The two coefficients and the intercept."""
    return np.append(model.coef_, model.intercept_)


print("published  [ 1.367  -3.161   4.934 ]")
print("replayed  ", weights(replayed).round(4))
print("answered  ", weights(answered).round(4))

# %%
# The published weights are those of other draws, and farther off than any here. These have
# not settled after 100 epochs either, nor would they ever: each batch has an optimum of its
# own, and a constant step follows one after the other. How far it goes, over the later half
# of the epochs, depends on its length:

steps = (0.005, 0.01, 0.02, 0.04, 0.05)
figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
left, right = axes
left.plot(path.epochs_[1:], path.coefs_[1:, 0], linewidth=1)
left.axhline(answered.coef_[0], color="black", linewidth=1)
left.set(xlabel="epoch", ylabel="weight of x", title="learning_rate=0.04")
for i, step in enumerate(steps):
    model = SGDLinearRegressor(**settings, learning_rate=step, random_state=0)
    model.set_callbacks(path).fit(X, y)
    later = path.coefs_[51:, 0]
    right.plot(np.full(len(later), i), later, "_", color="C0", markersize=14)
right.axhline(answered.coef_[0], color="black", linewidth=1)
right.set_xticks(range(len(steps)), steps)
right.set(xlabel="learning_rate", title="the later half of 100 epochs")
plt.show()

# %%
# A step twice as long, and the weights run away:

too_long = SGDLinearRegressor(**settings, learning_rate=0.08, random_state=0)
try:
    too_long.fit(X, y)
except ValueError as message:
    print(textwrap.fill(str(message), 76))

# %%
# Two ways to settle
# ------------------
#
# Return the mean of the later steps instead of the last, or let the steps shrink to zero.
# Either comes near to the least-squares answer; the defaults end there.

averaged = SGDLinearRegressor(
    **settings, learning_rate=0.04, average="tail", random_state=0
)
shrinking = SGDLinearRegressor(
    **settings, learning_rate=Polynomial(0.04, steps=100 * 32), random_state=0
)
models = {
    "constant": replayed,
    "averaged": averaged.fit(X, y),
    "shrinking": shrinking.fit(X, y),
    "answered": answered,
}
A = np.column_stack([X, np.ones(len(X))])
exact = np.linalg.lstsq(A, y, rcond=None)[0]
for name, model in models.items():
    distance = np.linalg.norm(weights(model) - exact)
    print(f"{name:10} {distance:.0e} from the least-squares weights")

# %%
# Prediction against target
# -------------------------

figure, ax = plt.subplots(figsize=(4.4, 4.0), layout="constrained")
ax.plot(y, answered.predict(X), ".", markersize=3)
ax.axline((0, 0), slope=1, color="black", linewidth=1)
ax.set(xlabel="target", ylabel="prediction", aspect="equal")
plt.show()

# %%
# The same settings in Keras' and PyTorch's words: :doc:`/migration`. Next:
# :doc:`a perceptron <plot_4_perceptron>`.
