"""
1. House prices: a line through five points
===========================================

Gradient descent in four lines of Python, and the same steps by ``SGDLinearRegressor``.
Learnt: what a step does, why a thousand of them are not enough, and what is.
"""

# %%
# The data
# --------
#
# Five houses, x their size and y their price, on the line y = 2x.

import matplotlib.pyplot as plt
import numpy as np

from sgdreg import SGDLinearRegressor, TrajectoryRecorder

x = np.arange(1.0, 6.0)
y = 2 * x

# %%
# Replayed
# --------
#
# The model is p = m x + b. With the error p - y of every row, the mean squared error has
# the derivatives 2 mean((p - y) x) by m and 2 mean(p - y) by b. A step goes 0.01 times as
# far the other way; the tutorial takes a thousand, from m = 1 and b = 0.

m, b = 1.0, 0.0
for _ in range(1000):
    error = m * x + b - y
    m, b = m - 0.01 * 2 * np.mean(error * x), b - 0.01 * 2 * np.mean(error)

# %%
# The objective here is half of that, as scikit-learn's is. So the same step is
# ``learning_rate=0.02``; ``batch_size="full"`` takes all rows at once, and ``tol=None`` all
# thousand epochs. The recorder keeps the model of each.

path = TrajectoryRecorder()
replayed = SGDLinearRegressor(
    optimizer="sgd",
    learning_rate=0.02,
    batch_size="full",
    max_iter=1000,
    tol=None,
).set_callbacks(path)
replayed.fit(x[:, None], y, coef_init=[1.0], intercept_init=0.0)

print("published  m = 1.9975901753359888  b = 0.008700231670305241")
print(f"by hand    m = {m:.16f}  b = {b:.18f}")
m, b = replayed.coef_[0], replayed.intercept_
print(f"sgdreg     m = {m:.16f}  b = {b:.18f}")

# %%
# The tutorial's second line, y = 5x, with half of the step and ten times the epochs:

second = SGDLinearRegressor(
    optimizer="sgd",
    learning_rate=0.01,
    batch_size="full",
    max_iter=10_000,
    tol=None,
)
second.fit(x[:, None], 5 * x, coef_init=[1.0], intercept_init=0.0)
print("published  m = 4.99999998720654")
print(f"sgdreg     m = {second.coef_[0]:.14f}")

# %%
# Why a thousand steps are not enough
# -----------------------------------
#
# A step multiplies the distance from the answer by 1 - 0.02 λ, along each direction in
# which the bowl has the curvature λ. Steep directions are done at once, the flat one takes
# its time.

A = np.column_stack([x, np.ones(5)])
steep, flat = np.linalg.eigvalsh(A.T @ A / 5)[::-1]
print("       curvature  left after a step  after 1000")
for name, curvature in (("steep", steep), ("flat", flat)):
    left = 1 - 0.02 * curvature
    print(f"{name:5} {curvature:10.2f} {left:18.4f} {left**1000:11.0e}")

# %%
# In the picture: a fall within the first steps, and then a straight line on the logarithmic
# axis, as slow as the flat direction is flat.

figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
ax.semilogy(path.epochs_, np.abs(path.coefs_[:, 0] - 2), label="|m - 2|")
ax.semilogy(path.epochs_, np.abs(path.intercepts_), "--", label="|b - 0|")
ax.set(xlabel="step", ylabel="distance from the answer")
ax.legend()
plt.show()

# %%
# Answered
# --------
#
# With the defaults there is no step to choose, and the fit says that it has arrived.

for slope in (2, 5):
    model = SGDLinearRegressor().fit(x[:, None], slope * x)
    m, b = model.coef_[0], model.intercept_
    print(f"m = {m:.14f}  b = {b:.0e}  converged: {model.converged_}")

# %%
# Many features, one price
# ------------------------
#
# Houses have more to them than a size. Here are 200, drawn from a law: 1500 a square metre,
# 8000 a room, 400 less for each year of age, with a noise of 10,000. The columns are in
# units of their own, and that is how they go in.

rng = np.random.default_rng(0)
area = rng.uniform(40, 220, 200)
rooms = np.round(area / 30 + rng.normal(0, 0.7, 200)) + 1
age = rng.uniform(0, 90, 200)
houses = np.column_stack([area, rooms, age])
price = 20_000 + houses @ [1500, 8000, -400] + rng.normal(0, 10_000, 200)

model = SGDLinearRegressor().fit(houses, price)
for name, coef in zip(("area", "rooms", "age"), model.coef_, strict=True):
    print(f"{name:6} {coef:8.0f}")
print(f"R²     {model.score(houses, price):8.3f}")

# %%
# The price of a new house, 120 square metres with 5 rooms, 12 years old:

print(f"{model.predict([[120, 5, 12]])[0]:,.0f}")

# %%
# Predictions against the prices paid:

figure, ax = plt.subplots(figsize=(4.4, 4.0), layout="constrained")
ax.plot(price, model.predict(houses), ".", alpha=0.6)
ax.axline((200_000, 200_000), slope=1, color="black", linewidth=1)
ax.set(xlabel="price", ylabel="predicted price", aspect="equal")
plt.show()

# %%
# Next: :doc:`one row a step, by hand <plot_2_step_by_step>`.
