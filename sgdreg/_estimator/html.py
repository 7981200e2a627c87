"""HTML for notebooks: scikit-learn's diagram, and plan and outcome of a fitted model."""

from html import escape

from sklearn.utils import estimator_html_repr

from sgdreg._callbacks.progress import figures

# Colours are inherited from the page, so they suit light and dark themes. (JupyterLab
# aligns the cells of tables to the right, hence !important.)
STYLE = """
.sgdreg-fit { display: flex; flex-wrap: wrap; align-items: flex-start;
  gap: 0.5em 2.5em; margin: 0.5em 0; }
.sgdreg-fit table { flex: 1 1 22em; max-width: 44em; margin: 0; border: 0;
  border-collapse: collapse; color: inherit; font-size: 0.9em; }
.sgdreg-fit caption { padding: 0.3em 0; color: inherit; font-weight: bold;
  text-align: left; caption-side: top; }
.sgdreg-fit th, .sgdreg-fit td { padding: 0.2em 0.5em; border: 0;
  border-top: 1px solid rgba(128, 128, 128, 0.5); color: inherit; line-height: 1.35;
  text-align: left !important; vertical-align: top; overflow-wrap: anywhere; }
.sgdreg-fit th { width: 1%; font-weight: normal; white-space: nowrap; }
"""


def html_repr(model):
    """The diagram of an `SGDLinearRegressor`, and under it tables of plan and outcome.

    Returns
    -------
    str
        HTML without ids and without external files, so that a page may hold many.
    """
    diagram = estimator_html_repr(model)
    if not hasattr(model, "plan_"):
        return diagram
    tables = _table("Plan", model.plan_.slots) + _table("Outcome", outcome(model))
    return f'{diagram}<style>{STYLE}</style><div class="sgdreg-fit">{tables}</div>'


def outcome(model):
    """How the fit went, as {label: text}, as far as it is known.

    Objective, gap and score belong to the epoch whose model was returned.
    """
    rows = {}
    if hasattr(model, "stop_reason_"):  # the models that callbacks get have none yet
        rows["converged"] = "yes" if model.converged_ else "no"
        rows["stop reason"] = model.stop_reason_
    rows |= {"epochs": f"{model.n_iter_:,}", "steps": f"{model.t_:,}"}
    best = getattr(model, "best_iteration_", None)
    if best is not None:
        rows["best epoch"] = f"{best:,}"
    if model.history_:  # empty before the first epoch
        last = model.history_[-1]
        rows |= figures(next((e for e in model.history_ if e["epoch"] == best), last))
        rows["seconds"] = f"{last['seconds']:.3g}"
    return rows


def _table(caption, rows):
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>'
        for name, text in rows.items()
    )
    return f"<table><caption>{caption}</caption><tbody>{body}</tbody></table>"
