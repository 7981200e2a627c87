"""
Schedules, and what they do
===========================

The length of a step as a function of its number.
Learnt: why a constant step stops short of the optimum, and what shrinking it buys.
"""

# %%
# Eight schedules
# ---------------
#
# Each is a function of the step number t, and an object that a grid search can turn. Here
# over 40 epochs of 500 rows in batches of 10: 2000 steps.

import matplotlib.pyplot as plt
import numpy as np

from sgdreg import SGDLinearRegressor, TrajectoryRecorder
from sgdreg.display import ScheduleDisplay
from sgdreg.schedules import (
    Cosine,
    Exponential,
    InvScaling,
    OneCycle,
    Polynomial,
    StepDecay,
    WarmUp,
)

STEPS = 2000
schedules = {
    "constant": 0.1,
    "1/√t": InvScaling(0.1, power_t=0.5),
    "halved every 250": StepDecay(0.1, factor=0.5, every=250),
    "exponential": Exponential(0.1, decay=0.998),
    "line to zero": Polynomial(0.1, steps=STEPS),
    "cosine": Cosine(0.1, steps=STEPS),
    "one cycle": OneCycle(0.1, steps=STEPS),
    "warm-up": WarmUp(Polynomial(0.1, steps=STEPS - 300), steps=300),
}
names = list(schedules)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for ax, half in zip(axes, (names[:4], names[4:]), strict=True):
    shown = {name: schedules[name] for name in half}
    ScheduleDisplay.from_schedule(shown, n_steps=STEPS, ax=ax)
plt.show()

# %%
# Any function of t will do, too: ``learning_rate=lambda t: 0.1 / (1 + t / 100)``.
#
# What they do to the loss
# ------------------------
#
# Ten features, and noise of variance one. The least-squares answer has the least training
# loss; the recorder keeps each epoch's model, and the curves show how far above it that is.

rng = np.random.default_rng(0)
X = rng.normal(size=(500, 10))
y = X @ rng.normal(size=10) + rng.normal(size=500)
best = SGDLinearRegressor().fit(X, y)
least = 0.5 * np.mean((y - best.predict(X)) ** 2)
path = TrajectoryRecorder()


def above_least(learning_rate):
    """The loss of each epoch's model, above its least."""
    model = SGDLinearRegressor(
        optimizer="sgd",
        learning_rate=learning_rate,
        batch_size=10,
        max_iter=40,
        tol=None,
        random_state=0,
    )
    model.set_callbacks(path).fit(X, y)
    residuals = y - path.coefs_ @ X.T - path.intercepts_[:, None]
    return 0.5 * np.mean(residuals**2, axis=1) - least


# sphinx_gallery_thumbnail_number = 2
figure, axes = plt.subplots(2, 4, figsize=(9, 4.4), layout="constrained")
for ax, (name, schedule) in zip(axes.flat, schedules.items(), strict=True):
    above = above_least(schedule)
    ax.semilogy(above)
    ax.set_title(f"{name}: {above[-1]:.0e}", fontsize=10)
    ax.set_ylim(1e-7, 10)
figure.supxlabel("epoch")
figure.supylabel("loss above its least")
plt.show()

# %%
# The constant step comes near within two epochs, and stays where the noise of its batches
# throws it. All others go on. Those that end at zero (below) spend most of their steps up
# in the noise and come down in the last ones, so the number of steps has to be known
# beforehand; those above come down all the time, and can be stopped at any.
#
# Long or short?
# --------------
#
# A constant step that is shorter takes longer, and settles lower:

figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
for step, style in ((0.1, "-"), (0.03, "--"), (0.01, "-."), (0.003, ":")):
    ax.semilogy(above_least(step), style, label=f"learning_rate={step}")
ax.set(xlabel="epoch", ylabel="loss above its least")
ax.legend()
plt.show()

# %%
# Formulas, sources, and when to take which: :doc:`/slots/schedule`.
