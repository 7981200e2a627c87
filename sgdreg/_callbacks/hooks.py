"""Calls of scikit-learn's callbacks, and of `verbose`, while a fit runs."""

from sgdreg._callbacks.progress import progress


class Hooks:
    """Reports each epoch as a subtask of the fit to scikit-learn's callbacks (≥ 1.9).

    Parameters
    ----------
    estimator : SGDLinearRegressor
    data : dict
        X, y and metadata, as callbacks receive them.
    max_epochs : int
    model : callable
        (start, state, weights, memory) -> dict of fitted attributes, all copies, so that
        a callback cannot change the fit. (memory() is called only where it is needed;
        memory is None while there is nothing to resume.)
    on_exit : ExitStack
        Closes the display of `verbose` when the call ends.
    """

    def __init__(self, estimator, data, max_epochs, model, on_exit):
        self.model = model
        self.shared = {"estimator": estimator, **data}
        self.left = max_epochs
        self.context = estimator._init_callback_context(max_subtasks=max_epochs)
        shown = progress(estimator.verbose, self.context, max_epochs)
        self.show = on_exit.enter_context(shown)

    def start(self, start, state, weights):
        """Begin the fit, at these weights."""
        self.context.call_on_fit_task_begin(
            **self.shared,
            reconstruction_attributes=lambda: self.model(start, state, weights, None),
        )

    def begin(self):
        if self.left == 0:  # more than announced: some were taken back and run again
            return
        self.left -= 1
        self.task = self.context.subcontext(task_name="epoch")
        self.task.call_on_fit_task_begin(**self.shared)

    def end(self, start, state, weights, memory):
        """End an epoch; True when a callback asks to stop."""
        self.show(state.shown(state.history[-1]))
        return self.task.call_on_fit_task_end(
            **self.shared,
            reconstruction_attributes=lambda: self.model(start, state, weights, memory),
        )

    def finish(self, start, state, weights, memory):
        self.context.call_on_fit_task_end(
            **self.shared,
            reconstruction_attributes=lambda: self.model(start, state, weights, memory),
        )
