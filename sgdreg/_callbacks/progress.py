"""The display of `verbose` while a fit runs: a bar, or lines."""

from contextlib import ExitStack, contextmanager, nullcontext
from importlib.util import find_spec
from multiprocessing import current_process
from threading import Lock

from sklearn.callback import CallbackSupportMixin, ProgressBar

from sgdreg._sklearn import is_watched_by

# At each update scikit-learn's bar sums over all its subtasks: 10,000 took 3.8 s, 100 7 ms.
MOST_PARTS = 100
# Seconds between two updates of a line: the refresh period of rich's bars.
PERIOD = 0.1
one_at_a_time = Lock()  # a screen has only one last line


def progress(verbose, context, max_epochs):
    """The display of the epochs of a fit.

    Parameters
    ----------
    verbose : int
        0: nothing. 1: a bar where one can be drawn, else lines. More: lines.
    context : CallbackContext
        Context of the fit. Where it draws a ProgressBar already, 1 adds nothing.
    max_epochs : int

    Returns
    -------
    context manager
        Yields a function that takes the record of each epoch. Its exit closes the bar,
        also where the fit fails.
    """
    if verbose == 0 or (verbose == 1 and is_watched_by(ProgressBar, context)):
        return nullcontext(_nothing)
    if verbose == 1:
        return _drawn(context.estimator_name, max_epochs)
    return nullcontext(print_line)


def _nothing(entry):
    """Show nothing."""


def _drawn(name, max_epochs):
    """A bar; lines in a worker, on a pipe, in a log file, and without rich."""
    lines = nullcontext(print_line)
    if current_process().name != "MainProcess":  # workers would draw over each other
        return lines
    try:
        from rich import get_console  # noqa: PLC0415 (optional)
    except ImportError:
        return lines
    console = get_console()
    if console.is_jupyter and find_spec("ipywidgets") is None:  # the bar needs it
        return latest_line()
    # FORCE_COLOR makes a console interactive, but not a file a terminal.
    terminal = console.is_interactive and getattr(console.file, "isatty", bool)()
    return bar(name, max_epochs) if console.is_jupyter or terminal else lines


class BarOwner(CallbackSupportMixin):
    """The object that has the callback of a bar."""


@contextmanager
def bar(name, max_epochs):
    """scikit-learn's ProgressBar, for one fit.

    It ends at 100 % when the fit ends, also before `max_epochs`, and stays where it is when
    the fit fails. The bar is a callback of a separate object under the estimator's name, so
    that the callbacks of the estimator, and of a pipeline around it, stay as they are.
    """
    if not one_at_a_time.acquire(blocking=False):  # another thread draws
        yield _nothing
        return
    parts, done = min(max_epochs, MOST_PARTS), 0

    def advance(entry):
        nonlocal done
        done += 1
        # Epochs that were taken back and run again do not count.
        if done <= max_epochs and done * parts % max_epochs < parts:
            part = context.subcontext(task_name="epochs")
            part.call_on_fit_task_begin(estimator=owner)
            part.call_on_fit_task_end(estimator=owner)

    with ExitStack() as at_the_end:
        at_the_end.callback(one_at_a_time.release)
        owner, drawing = BarOwner(), ProgressBar()
        context = owner.set_callbacks(drawing)._init_callback_context(max_subtasks=parts)
        context.estimator_name = name
        at_the_end.callback(drawing.teardown, owner, context)
        context.call_on_fit_task_begin(estimator=owner)
        yield advance
        context.call_on_fit_task_end(estimator=owner)


@contextmanager
def latest_line():
    """The line of the latest epoch, rewritten in place: a notebook keeps every line."""
    from IPython.display import display  # noqa: PLC0415 (only in a notebook)

    text, due = "", 0.0
    cell = display({"text/plain": text}, raw=True, display_id=True)

    def rewrite(entry):
        nonlocal text, due
        text = line(entry)
        if entry["seconds"] >= due:
            due = entry["seconds"] + PERIOD
            cell.update({"text/plain": text}, raw=True)

    try:
        yield rewrite
    finally:
        cell.update({"text/plain": text}, raw=True)


def print_line(entry):
    """Print the record of an epoch in one write, because workers share the output."""
    print(f"{line(entry)}\n", end="", flush=True)


def line(entry):
    """The record of an epoch in one line."""
    words = [f"{name} {text}" for name, text in figures(entry).items()]
    return ", ".join(
        [
            f"Epoch {entry['epoch']}",
            *words,
            f"learning rate {entry['learning_rate']:.3g}",
            f"{entry['seconds']:.2f} s",
        ]
    )


def figures(entry):
    """How good the model of an epoch is, as {label: text}, as far as it is known."""
    known = {"objective": f"{entry['objective']:.6g}"}
    if "optimality_gap" in entry:
        known["optimality gap"] = f"{entry['optimality_gap']:.1e}"
    if "validation_score" in entry:
        known["validation R²"] = f"{entry['validation_score']:.6g}"
    return known
