"""The options for the parameters of the estimator, one for each."""

import inspect
from functools import wraps
from typing import Annotated

import typer

from sgdreg import SGDLinearRegressor
from sgdreg._sklearn import StrOptions

PANEL = "The estimator (its own defaults where not given)"
# Parameter -> (name of the value, None for a flag; help in one line).
WORDS = {
    "loss": ("NAME", "What an error costs"),
    "penalty": ("NAME", "What large coefficients cost"),
    "alpha": ("NUMBER", "Weight of the penalty, per row"),
    "l1_ratio": ("SHARE", "Share of l1 in elasticnet"),
    "fit_intercept": (None, "Fit no intercept"),
    "epsilon": ("NUMBER", "Of the losses huber and …epsilon_insensitive; for huber also"),
    "quantile": ("SHARE", "Of the loss quantile"),
    "optimizer": ("NAME", "The update rule"),
    "learning_rate": ("RATE", "The step, a number or a schedule"),
    "eta0": ("NUMBER", "Step of a named learning rate"),
    "power_t": ("NUMBER", "Exponent of invscaling"),
    "batch_size": ("ROWS", "Rows per step, a number or"),
    "max_iter": ("EPOCHS", "Passes over the data, at most"),
    "tol": ("NUMBER", "When to stop; none for after all epochs"),
    "shuffle": ("ORDER", "Order of the rows"),
    "average": ("STEP", "Step from which weights are averaged, or"),
    "early_stopping": (None, "Hold out some rows and stop by R² on them"),
    "validation_fraction": ("SHARE", "Of the rows, for early stopping"),
    "n_iter_no_change": ("EPOCHS", "Without progress before stopping"),
    "warm_start": (None, "Without effect here, as a command fits once"),
    "positive": (None, "Coefficients of at least 0"),
    "n_jobs": ("THREADS", "For passes over the data; -1 for all cores"),
    "verbose": ("LEVEL", "2 for a line on stderr for each epoch"),
    "random_state": ("SEED", "Of the order of rows"),
}
# Names of scikit-learn's SGDRegressor that the estimator knows only to refuse them.
REFUSED = {"pa1", "pa2"}
# The value of "none" for parameters where it is not None.
NONE = {"shuffle": False, "average": False}


def word(text):
    """The value of an option: an int, a float or a name; the estimator checks it."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    name = text.lower()
    return {"true": True, "false": False}.get(name, name)


def option_name(parameter):
    """The name of a parameter on the command line."""
    if _default(parameter) is True and _is_flag(parameter):
        return f"--no-{parameter.removeprefix('fit_')}"
    return f"--{parameter.replace('_', '-')}"


def with_estimator_options(command):
    """Add the estimator's options to a command, which gets them as `parameters`."""
    names = list(inspect.signature(SGDLinearRegressor).parameters)

    @wraps(command)
    def called(**given):
        values = {name: given.pop(name) for name in names}
        parameters = {
            name: _meant(name, value) for name, value in values.items() if value is not None
        }
        return command(**given, parameters=parameters)

    signature = inspect.signature(command, eval_str=True)
    kept = [p for p in signature.parameters.values() if p.name != "parameters"]
    options = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_option(name)
        )
        for name in names
    ]
    called.__signature__ = signature.replace(parameters=kept + options)
    called.__annotations__ = {p.name: p.annotation for p in kept + options}
    return called


def _option(name):
    metavar, help = WORDS[name]
    names = _choices(name)
    help += f": {', '.join(names)}." if names else "."
    shared = {"help": help, "rich_help_panel": PANEL, "show_default": False}
    if _is_flag(name):
        return Annotated[bool | None, typer.Option(option_name(name), **shared)]
    value = {"metavar": metavar, "parser": word}
    return Annotated[str | None, typer.Option(option_name(name), **value, **shared)]


def _meant(name, value):
    """The value of a parameter, from the value of its option."""
    if _is_flag(name):
        return not _default(name)
    return NONE.get(name) if value == "none" else value


def _is_flag(name):
    return SGDLinearRegressor._parameter_constraints[name] == ["boolean"]


def _default(name):
    return inspect.signature(SGDLinearRegressor).parameters[name].default


def _choices(name):
    """The names among the values of a parameter, the default first."""
    constraints = SGDLinearRegressor._parameter_constraints[name]
    found = [c.options for c in constraints if isinstance(c, StrOptions)]
    names = set().union(*found) - REFUSED
    names = sorted(names, key=lambda choice: (choice != _default(name), choice))
    none = name in NONE or None in constraints
    return names + ["none"] * (none and bool(names))
