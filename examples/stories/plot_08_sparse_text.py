"""
Sparse text: how long is a function?
====================================

The number of lines of a function, from the words of its docstring.
Learnt: ridge regression on sparse rows, what its neighbours make of them, and of the words.
"""

# %%
# The data
# --------
#
# They are on every machine: the sources of the standard library, parsed, not imported.
# (Another version of Python is another data set.) The target is the logarithm of the number
# of lines, those of the docstring left out.

import ast
import sysconfig
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge, SGDRegressor
from sklearn.model_selection import train_test_split

from sgdreg import SGDLinearRegressor

LIBRARY = Path(sysconfig.get_path("stdlib"))
OTHERS = {"test", "tests", "site-packages", "dist-packages", "idlelib"}


def functions(path):
    """Each function of a file: its docstring, its lines without that."""
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError:  # files that are wrong on purpose
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node):
            text = ast.get_docstring(node)
            lines = node.end_lineno - node.lineno + 1 - len(text.splitlines())
            yield text, max(lines, 1)


paths = sorted([*LIBRARY.glob("*.py"), *LIBRARY.glob("*/*.py")])
paths = [path for path in paths if path.parent.name not in OTHERS]
found = [pair for path in paths for pair in functions(path)]
texts, lines = zip(*found, strict=True)
y = np.log(lines)
print(f"{len(y):,} functions")
print(f"{np.median(lines):.0f} lines (median), at most {max(lines)}")

# %%
# Words and pairs of words become columns, weighted by how rare they are.

train, test, y_train, y_test = train_test_split(texts, y, random_state=0)
words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
X_train, X_test = words.fit_transform(train), words.transform(test)
n, d = X_train.shape
print(f"{n:,} × {d:,}, {X_train.nnz / n:.0f} of them not zero in a row")

# %%
# The penalty
# -----------
#
# More columns than rows: something has to hold them back. Validation rows choose how much.

X_fit, X_val, y_fit, y_val = train_test_split(X_train, y_train, random_state=0)
alphas = np.logspace(-5, -2, 10)
model = SGDLinearRegressor(penalty="l2", random_state=0)
scores = []
for alpha in alphas:
    model.set_params(alpha=alpha).fit(X_fit, y_fit)
    scores.append(model.score(X_val, y_val))
alpha = alphas[np.argmax(scores)]

figure, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
ax.semilogx(alphas, scores, "o-")
ax.set(xlabel="alpha", ylabel="R² of validation rows")
plt.show()

# %%
# Beside its neighbours
# ---------------------
#
# All three minimise the same objective: ``Ridge(alpha * n)`` is ``alpha`` a row. How far
# above its least they end, relative to it, and the seconds that they take here:


def objective(model):
    """Half of the mean squared error, and the penalty."""
    residuals = y_train - model.predict(X_train)
    return 0.5 * np.mean(residuals**2) + 0.5 * alpha * np.sum(model.coef_**2)


models = {
    "SGDLinearRegressor": model.set_params(alpha=alpha),
    'Ridge(solver="lsqr")': Ridge(alpha=alpha * n, solver="lsqr"),
    "SGDRegressor": SGDRegressor(alpha=alpha, random_state=0),
}
seconds = {}
for name, model in models.items():
    start = time.perf_counter()
    model.fit(X_train, y_train)
    seconds[name] = time.perf_counter() - start
exact = Ridge(alpha=alpha * n, solver="lsqr", tol=1e-12).fit(X_train, y_train)
least = objective(exact)
print("                      seconds  above the least  R² of test rows")
for name, model in models.items():
    above = objective(model) / least - 1
    score = model.score(X_test, y_test)
    print(f"{name:20} {seconds[name]:8.3f} {above:16.0e} {score:16.3f}")

# %%
# The steps of ``SGDRegressor`` begin at 0.01 and shrink; rows of length one would bear a
# hundred times that, and its rule takes slowness for the end. ``Ridge`` stops at a residual
# that is small enough for it (``tol=1e-4``), this model at a certified gap:

model = models["SGDLinearRegressor"]
print(model.stop_reason_)

# %%
# The words
# ---------
#
# Largest weights, of words that are in at least 20 docstrings. A weight is what a docstring
# of that word alone would add to the logarithm.

names = words.get_feature_names_out()
common = np.flatnonzero(np.diff(X_train.tocsc().indptr) >= 20)
order = common[np.argsort(model.coef_[common])]
shown = [*order[:12], *order[-12:]]

# sphinx_gallery_thumbnail_number = 2
figure, ax = plt.subplots(figsize=(6.4, 5.2), layout="constrained")
colours = np.where(model.coef_[shown] > 0, "C0", "C1")
ax.barh(range(24), model.coef_[shown], color=colours)
ax.set_yticks(range(24), names[shown])
ax.axvline(0, color="black", linewidth=1)
ax.set(xlabel="weight", title="short functions below, long ones above")
plt.show()

# %%
# What a prediction is like:

docstring = "Return True if the path is a file."
guess = np.exp(model.predict(words.transform([docstring]))[0])
print(f"{docstring!r}: {guess:.1f} lines")

# %%
# Penalties: :doc:`/slots/penalty`. What is done beyond 2,000 features: :doc:`/auto`.
