"""Who looks at a fit while it runs: scikit-learn's callbacks, and `verbose`."""


class Hooks:
    """Every epoch a subtask of the fit, for scikit-learn's callbacks (≥ 1.9).

    Parameters
    ----------
    estimator : SGDLinearRegressor
    data : dict
        X, y and metadata, as callbacks receive them.
    max_epochs : int
    model : callable
        (plan, state, weights, memory) -> dict of fitted attributes: copies, so that
        nothing that a callback does reaches the fit. (memory() is called where needed.)
    """

    def __init__(self, estimator, data, max_epochs, model):
        self.model, self.verbose = model, estimator.verbose
        self.shared = {"estimator": estimator, **data}
        self.left = max_epochs
        self.context = estimator._init_callback_context(max_subtasks=max_epochs)
        self.context.call_on_fit_task_begin(**self.shared)

    def begin(self):
        if self.left == 0:  # epochs that were taken back and run again
            return
        self.left -= 1
        self.task = self.context.subcontext(task_name="epoch")
        self.task.call_on_fit_task_begin(**self.shared)

    def end(self, plan, state, weights, memory):
        """End an epoch; True when a callback asks to stop."""
        if self.verbose:
            print(_line(state.history[-1]))
        return self.task.call_on_fit_task_end(
            **self.shared,
            reconstruction_attributes=lambda: self.model(plan, state, weights, memory),
        )

    def finish(self, plan, state, weights, memory):
        self.context.call_on_fit_task_end(
            **self.shared,
            reconstruction_attributes=lambda: self.model(plan, state, weights, memory),
        )


def _line(entry):
    """One epoch in one line."""
    words = [f"Epoch {entry['epoch']}", f"objective {entry['objective']:.6g}"]
    if "optimality_gap" in entry:
        words.append(f"optimality gap {entry['optimality_gap']:.1e}")
    if "validation_score" in entry:
        words.append(f"validation R² {entry['validation_score']:.6g}")
    words.append(f"learning rate {entry['learning_rate']:.3g}")
    words.append(f"{entry['seconds']:.2f} s")
    return ", ".join(words)
