"""What must hold after every call, whatever was drawn."""

import inspect
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError

from fuzz.references import NOT_WORSE, OF_STREAMS, Training
from sgdreg import SGDLinearRegressor

PARAMETERS = tuple(inspect.signature(SGDLinearRegressor).parameters)
# A message names a parameter, an argument, a row or a column.
NAMES = re.compile(
    r"\b(X|y|X_val|y_val|sample_weight\w*|coef_init|intercept_init|rows?|columns?|features?"
    r"|samples?|n_samples|epoch|eta0|Complex data|schedule|checkpoint\w*|weights?"
    + "".join(f"|{name}" for name in PARAMETERS)
    + r")\b"
)
# RuntimeWarning, LinAlgWarning and the like are nobody's to read.
DOCUMENTED = (UserWarning, ConvergenceWarning, DataConversionWarning)


@dataclass(frozen=True)
class Finding:
    """What is wrong, in a word, the call that it is about, and what was seen there."""

    kind: str
    call: str
    text: str


class Unlike(AssertionError):
    """Two models that are promised to be the same are not."""


class Interrupt:
    """A callback that raises at the end of an epoch."""

    def __init__(self, after, error):
        self.after, self.error = after, error

    def setup(self, estimator=None, context=None):
        self.seen = 0

    def teardown(self, estimator=None, context=None):
        pass

    def on_fit_task_begin(self, *args, **kwargs):
        pass

    def on_fit_task_end(self, *args, **kwargs):
        self.seen += 1
        if self.seen > self.after:
            raise self.error("interrupted by a callback")


def alike(one, other):
    """Raise Unlike where two models differ in a bit; zero has no sign."""
    for name in ("coef_", "intercept_", "n_iter_", "t_", "converged_", "loss_curve_"):
        mine, others = (np.asarray(getattr(model, name)) + 0.0 for model in (one, other))
        if mine.shape != others.shape or mine.tobytes() != others.tobytes():
            raise Unlike(f"{name}: {mine.ravel()[-5:]} and {others.ravel()[-5:]}")


def frozen(value, seen=()):
    """A value that compares equal only where no bit, type or name differs."""
    if id(value) in seen:
        return "seen"
    seen = (*seen, id(value))
    if isinstance(value, np.ndarray):
        content = tuple(value.ravel()) if value.dtype == object else value.tobytes()
        return value.dtype.str, value.shape, content
    if sparse.issparse(value):  # what SciPy has noted of them meanwhile may differ
        names = ("data", "indices", "indptr", "coords", "_shape")
        value = {name: vars(value)[name] for name in names if name in vars(value)}
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, dict):
        return {key: frozen(item, seen) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(frozen(item, seen) for item in value)
    if hasattr(value, "to_numpy"):
        return tuple(value.columns), frozen(value.to_numpy(), seen)
    if hasattr(value, "__dict__") and not isinstance(value, type) and not callable(value):
        return type(value).__name__, frozen(vars(value), seen)
    return repr(value)


def fitted(model):
    """The fitted attributes of a model, frozen."""
    return frozen(
        {name: value for name, value in vars(model).items() if not _is_setting(name)}
    )


def _is_setting(name):
    return name in PARAMETERS or name.startswith("_skl") or name == "_callback_support"


class Watch:
    """Runs the script of a case and collects what is wrong with it."""

    def __init__(self, case, head):
        self.case, self.findings, self.names = case, [], {}
        self.run(head)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for line in (*case.data, *case.setup):
                self.run(line)
        settings = ", ".join(f"{name}={text}" for name, text in case.parameters.items())
        self.model = None
        try:
            self.run(f"m = SGDLinearRegressor({settings})")
        except (ValueError, TypeError) as error:  # an object that refuses its parameters
            self.check_message(error, settings)
        else:
            self.model = self.names["m"]
            for call in case.calls:
                if call.kind != "alike" or hasattr(self.model, "coef_"):
                    self.watch(call)

    def run(self, source):
        exec(compile(source, f"<case {self.case.seed}>", "exec"), self.names)

    def found(self, kind, call, text):
        self.findings.append(Finding(kind, call, str(text)[:600]))

    def inputs(self):
        held = {name: self.names.get(name) for name in "XywAVu"}
        return {name: frozen(value) for name, value in held.items()}

    def watch(self, call):
        before, inputs, error = fitted(self.model), self.inputs(), None
        parameters = frozen(self.model.get_params())
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                self.run(call.source)
            except Unlike as unlike:
                self.found("differs", call.source, unlike)
                return
            except BaseException as raised:  # KeyboardInterrupt too
                error = raised
        if isinstance(error, NameError):
            raise error  # of the script's own making
        if self.inputs() != inputs:
            self.found("input changed", call.source, "X, y or w")
        if call.kind != "other" and frozen(self.model.get_params()) != parameters:
            self.found("parameter changed", call.source, self.model.get_params())
        for warning in caught:
            by_metrics = "metrics" in Path(warning.filename).parts  # R² of what overflows
            if warning.category not in DOCUMENTED and not by_metrics:
                where = f"{warning.filename}:{warning.lineno}"
                self.found("warning", call.source, f"{where}: {warning.message!r}")
        if error is not None:
            self.after_failure(call, error, before)
        elif call.fails:
            self.found("accepted", call.source, call.fails)
        elif call.kind in ("fit", "partial_fit", "part"):
            self.after_fit(call, bool(caught))

    def after_failure(self, call, error, before):
        if call.kind == "interrupted":
            if "interrupted by a callback" not in str(error):
                self.check_message(error, call.source)
        else:
            self.check_message(error, call.source)
            mine = not call.fails and call.kind in ("fit", "partial_fit", "part")
            if mine and self.case.tame:
                self.found("refused", call.source, repr(error))
        if call.kind != "malformed" and fitted(self.model) != before:
            after = fitted(self.model)
            names = [name for name in before | after if before.get(name) != after.get(name)]
            self.found("damaged", call.source, f"{names} after {error!r}")

    def check_message(self, error, call):
        text = str(error)
        if isinstance(error, NotFittedError):  # an earlier call has failed
            return
        if not isinstance(error, ValueError | TypeError):
            self.found("exception", call, repr(error))
        elif not NAMES.search(text):
            self.found("message", call, repr(error))

    def after_fit(self, call, warned):
        m = self.model
        numbers = [m.coef_, m.intercept_, m.loss_curve_]
        if not all(np.isfinite(np.asarray(part)).all() for part in numbers):
            self.found("not finite", call.source, numbers)
            return
        if call.kind == "part" or m.early_stopping:
            return
        training = Training(m, *(self.names[name] for name in "Xyw"))
        slots = (m.optimizer, m.learning_rate, m.batch_size, m.average)
        if call.kind == "fit" or set(slots) == {"auto"}:
            lost = training.worse_than_constant(
                NOT_WORSE if call.kind == "fit" else OF_STREAMS
            )
            if lost and not warned:
                self.found("worse than a constant", call.source, lost)
        if call.kind == "fit":
            for kind, text in training.certificate():
                self.found(kind, call.source, text)
