"use strict";
/* A run: the settings, the rows they name, and every step taken so far.
 *
 * `states` has one more entry than `steps`: step k leads from states[k] to states[k + 1].
 * Going back drops the last of both, so that nothing has to be undone by arithmetic.
 */
const run = (() => {
  // As in sgdreg, a run diverges if the mean loss of a batch is above the first multiple of
  // the start's, or the last loss above the second multiple of the start's (or best constant's).
  const BLOW_UP = 1e10;
  const FAR_TOO_HIGH = 100;
  // A model is worse than a constant if its loss is above this multiple of the constant's.
  const NOT_WORSE = 1.001;
  // sgdreg's hint is the bound divided by this, because the bound is only an estimate.
  const MARGIN = 1.05;

  function begin(values) {
    const { X, y } = data.rowsOf(values);
    const problem = sgd.makeProblem(X, y, values.scaling === "standardised");
    const bowl = curvature.makeBowl(problem);
    const perEpoch = Math.ceil(problem.n / sgd.batchSize(problem.n, values));
    const start = sgd.startOf(values, problem.d);
    const zero = new Array(problem.d + 1).fill(0);
    const mean = y.reduce((sum, v) => sum + v, 0) / problem.n;
    start.objective = sgd.objective(problem, start.theta);
    return {
      settings: values,
      problem,
      bowl,
      perEpoch,
      schedule: sgd.makeSchedule(values, perEpoch),
      stable: curvature.stableStep(problem, bowl, values),
      reference: Math.max(start.objective, sgd.objective(problem, zero)),
      constant: sgd.objective(problem, [...zero.slice(1), mean]),
      orders: new Map(),
      states: [start],
      steps: [],
      last: values.epochs * perEpoch,
    };
  }

  const state = (r) => r.states[r.states.length - 1];
  const epochOf = (r, t) => Math.floor((t - 1) / r.perEpoch) + 1;

  function batch(r, t) {
    const epoch = epochOf(r, t);
    if (!r.orders.has(epoch)) {
      r.orders.set(epoch, sgd.batches(r.problem.n, r.settings, epoch));
    }
    return r.orders.get(epoch)[(t - 1) % r.perEpoch];
  }

  /** The next step, computed but not taken. */
  function upcoming(r) {
    const now = state(r);
    if (!now.upcoming) {
      const t = now.t + 1;
      now.upcoming = sgd.workOut(
        r.problem, now, r.settings, batch(r, t), r.schedule(t), r.bowl.optimum,
      );
    }
    return now.upcoming;
  }

  const diverged = (r) => !(upcoming(r).loss <= BLOW_UP * r.reference);

  /** Take the next step; false where the run has diverged. */
  function advance(r) {
    if (diverged(r)) return false;
    const { t, rows, loss, eta, next: theta, memory } = upcoming(r);
    delete state(r).upcoming;
    r.steps.push({ t, rows, loss, eta });
    r.states.push({ t, theta, memory, objective: sgd.objective(r.problem, theta) });
    return true;
  }

  function back(r) {
    if (r.steps.length === 0) return false;
    r.steps.pop();
    r.states.pop();
    return true;
  }

  // ------------------------------------------------------------------ what sgdreg says

  /** 1.2e-01, as Python's .1e writes it. */
  const scientific = (value, digits = 1) =>
    value.toExponential(digits).replace(/e([+-])(\d)$/, "e$10$2");

  /** 0.0123, 6.7e+03: Python's .3g. */
  function general(value) {
    const rounded = Number(value.toPrecision(3));
    if (rounded >= 1e-4 && rounded < 1e3) return String(rounded);
    return scientific(rounded, 2).replace(/\.?0*e/, "e");
  }

  function advice({ settings, stable }) {
    const parameter = settings.schedule === "constant" ? "learning_rate" : "eta0";
    const hint = stable
      ? ` (largest stable value here is about ${scientific(stable.value / MARGIN)})`
      : "";
    return (
      `Lower ${parameter}${hint}, scale the features or use optimizer='auto' with ` +
      "learning_rate='auto'."
    );
  }

  /** sgdreg's sentence about a run that has diverged, or ended worse than a constant; "" */
  function verdict(r) {
    const { t, objective } = state(r);
    if (t !== r.last && diverged(r)) {
      return (
        `Diverged at epoch ${epochOf(r, t + 1)}, step ${t + 1}: the loss grows without bound. ` +
        advice(r)
      );
    }
    if (t !== r.last) return "";
    if (!(objective <= FAR_TOO_HIGH * Math.max(r.constant, r.reference))) {
      return (
        `Diverged by epoch ${r.settings.epochs}, step ${t}: the loss has grown from ` +
        `${scientific(r.reference)} to ${scientific(objective)}. ${advice(r)}`
      );
    }
    if (r.constant > 0 && objective > r.constant * NOT_WORSE) {
      const epochs = `${r.settings.epochs} epoch${r.settings.epochs === 1 ? "" : "s"}`;
      return (
        `After ${epochs} the model is worse than predicting the mean ` +
        `(loss ${general(objective)} against ${general(r.constant)}): train for ` +
        "longer, change the learning rate or use optimizer='auto'."
      );
    }
    return "";
  }

  return { advance, back, batch, begin, diverged, epochOf, state, upcoming, verdict };
})();
