"""
A pipeline: bicycles by the hour
================================

Categories become columns, numbers stay raw, and one estimator takes both.
Learnt: ``ColumnTransformer`` with ``OneHotEncoder``, and how to read the weights.
"""

# %%
# The data
# --------
#
# Rentals of a bicycle scheme for every hour of two years, with the calendar and the
# weather. Hour, month, weekday and weather are codes, not quantities.

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sgdreg import SGDLinearRegressor

table = pd.read_csv(Path(os.environ["SGDREG_DATA"]) / "bike_hour.csv")
y = table.pop("cnt")
X = table.drop(columns=["instant", "dteday", "casual", "registered"])
print(X.shape)
print(X.iloc[[0, 5000, 10000]].T.to_string(header=False))

# %%
# All columns as numbers
# ----------------------
#
# Hour 23 is then 23 times hour 1. R² of held-out rows, five folds:

folds = KFold(5, shuffle=True, random_state=0)
scores = cross_val_score(SGDLinearRegressor(random_state=0), X, y, cv=folds)
print(f"R² {scores.mean():.3f}")

# %%
# Categories as categories
# ------------------------
#
# ``passthrough`` leaves the other columns as they are. No scaler: the estimator does not
# need one.

codes = ["mnth", "weekday", "weathersit"]
columns = make_column_transformer(
    (OneHotEncoder(), ["hr", *codes]), remainder="passthrough"
)
model = make_pipeline(columns, SGDLinearRegressor(random_state=0))
scores = cross_val_score(model, X, y, cv=folds)
print(f"R² {scores.mean():.3f}")

# %%
# Commuters and others keep different hours. The product of hour and working day is one more
# category:

day = np.where(X.workingday == 1, "working ", "free ")
X = X.assign(hour=day + X.hr.astype(str))
columns = make_column_transformer(
    (OneHotEncoder(handle_unknown="ignore"), ["hour", *codes]),
    ("drop", ["hr", "workingday"]),
    remainder="passthrough",
    verbose_feature_names_out=False,
)
model = make_pipeline(columns, SGDLinearRegressor(random_state=0))
scores = cross_val_score(model, X, y, cv=folds)
print(f"R² {scores.mean():.3f}")

# %%
# The columns of each category sum to one, as the intercept's does: many weights have the
# same predictions, and of these the fit returns those of the least norm in the scaled
# features.

model.fit(X, y)
fitted = model[-1]
print(fitted.n_features_in_, "columns")
print(fitted.stop_reason_)

# %%
# What the hours say
# ------------------
#
# Rentals of each hour beside the mean of its kind of day, the weather being the same:

coefs = pd.Series(fitted.coef_, index=model[0].get_feature_names_out())
figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for kind, style in (("working", "o-"), ("free", "s--")):
    hours = coefs[[f"hour_{kind} {hour}" for hour in range(24)]]
    ax.plot(range(24), hours - hours.mean(), style, label=f"{kind} days")
ax.set(xlabel="hour", ylabel="bicycles", xticks=range(0, 24, 3))
ax.legend()
plt.show()

# %%
# Which of many equal answers is returned: :doc:`/auto`.
