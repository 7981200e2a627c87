"use strict";
/* The arithmetic of mini-batch SGD for linear regression: pure functions, no page.
 *
 *   p = x·w + b,   r = p - y,   F = 1/n Σ ½ r²,   g = 1/|B| Σ_{i in B} r_i [x_i, 1],
 *   w <- w - eta(t) · direction(g)
 *
 * theta holds the coefficients and, last, the intercept. Steps t and epochs count from 1.
 * Rules, schedules and their defaults are those of sgdreg.optimizers and sgdreg.schedules.
 */
const sgd = (() => {
  // ------------------------------------------------------------------ the rows

  /** The rows that steps are taken on; `mean` and `scale` lead back to the raw features. */
  function makeProblem(raw, y, standardised) {
    const n = raw.length;
    const d = raw[0].length;
    const mean = new Array(d).fill(0);
    const scale = new Array(d).fill(1);
    if (standardised) {
      for (let j = 0; j < d; j++) {
        mean[j] = raw.reduce((sum, x) => sum + x[j], 0) / n;
        const square = raw.reduce((sum, x) => sum + (x[j] - mean[j]) ** 2, 0) / n;
        scale[j] = Math.sqrt(square) || 1;
      }
    }
    const X = raw.map((x) => x.map((v, j) => (v - mean[j]) / scale[j]));
    return { X, y, n, d, raw, mean, scale };
  }

  /** theta for the features as they are. */
  function inRawUnits(problem, theta) {
    const { d, mean, scale } = problem;
    const w = scale.map((s, j) => theta[j] / s);
    return [...w, w.reduce((b, v, j) => b - v * mean[j], theta[d])];
  }

  function predict(x, theta) {
    let p = 0;
    for (let j = 0; j < x.length; j++) p += x[j] * theta[j];
    return p + theta[x.length];
  }

  /** Forward pass and gradient of some rows: predictions, residuals, mean loss, mean gradient. */
  function evaluate(problem, rows, theta) {
    const { X, y, d } = problem;
    const g = new Array(d + 1).fill(0);
    let loss = 0;
    const p = rows.map((i) => predict(X[i], theta));
    const r = rows.map((i, k) => p[k] - y[i]);
    rows.forEach((i, k) => {
      loss += 0.5 * r[k] * r[k];
      for (let j = 0; j < d; j++) g[j] += r[k] * X[i][j];
      g[d] += r[k];
    });
    return { p, r, loss: loss / rows.length, g: g.map((v) => v / rows.length) };
  }

  const everyRow = (problem) => Array.from({ length: problem.n }, (_, i) => i);

  const objective = (problem, theta) => evaluate(problem, everyRow(problem), theta).loss;

  // ------------------------------------------------------------------ the order

  /** Fisher and Yates' shuffle of 0 … n - 1, by the congruential generator of Numerical
   * Recipes (1664525, 1013904223): the same order for the same seed and epoch. */
  function permutation(n, seed, epoch) {
    let state = (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(epoch, 0x85ebca6b)) >>> 0;
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      state = (Math.imul(1664525, state) + 1013904223) >>> 0;
      const j = Math.floor((state * (i + 1)) / 2 ** 32);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  /** The rows of each mini-batch of an epoch; a last short batch is kept. */
  function batches(n, settings, epoch) {
    const size = batchSize(n, settings);
    const count = Math.ceil(n / size);
    const cut = (order) =>
      Array.from({ length: count }, (_, k) => order.slice(k * size, (k + 1) * size));
    const stored = Array.from({ length: n }, (_, i) => i);
    if (count === 1 || settings.shuffle === "off") return cut(stored);
    if (settings.shuffle === "rows") return cut(permutation(n, settings.seed, epoch));
    const blocks = cut(stored);
    return permutation(count, settings.seed, epoch).map((k) => blocks[k]);
  }

  const batchSize = (n, settings) =>
    settings.optimizer === "auto" ? n : Math.min(settings.batch, n);

  // ------------------------------------------------------------------ the step size

  /** eta(t); `perEpoch` steps make an epoch. Cosine and linear end with the last epoch. */
  function makeSchedule(settings, perEpoch) {
    const { eta, power, every } = settings;
    const steps = settings.epochs * perEpoch;
    const past = (t) => Math.min((t - 1) / steps, 1);
    const kinds = {
      constant: () => eta,
      invscaling: (t) => eta / t ** power,
      stepdecay: (t) => eta * 0.5 ** Math.floor((t - 1) / (every * perEpoch)),
      cosine: (t) => (eta * (1 + Math.cos(Math.PI * past(t)))) / 2,
      linear: (t) => eta * (1 - past(t)),
    };
    return settings.optimizer === "auto" ? () => 1 : kinds[settings.schedule];
  }

  // ------------------------------------------------------------------ the update rules

  const zip = (a, b, f) => a.map((v, j) => f(v, b[j]));

  /** name -> (g, memory, t, momentum) -> { d, memory }: what g becomes, what is kept. */
  const RULES = {
    sgd: (g) => ({ d: g, memory: {} }),
    momentum: (g, { v }, t, momentum) => {
      v = zip(v, g, (a, b) => momentum * a + b);
      return { d: v, memory: { v } };
    },
    nesterov: (g, { v }, t, momentum) => {
      v = zip(v, g, (a, b) => momentum * a + b);
      return { d: zip(g, v, (a, b) => a + momentum * b), memory: { v } };
    },
    adagrad: (g, { s }) => {
      s = zip(s, g, (a, b) => a + b * b);
      return { d: zip(g, s, (a, b) => a / (Math.sqrt(b) + 1e-10)), memory: { s } };
    },
    rmsprop: (g, { s }) => {
      s = zip(s, g, (a, b) => 0.99 * a + (1 - 0.99) * b * b);
      return { d: zip(g, s, (a, b) => a / (Math.sqrt(b) + 1e-8)), memory: { s } };
    },
    adam: (g, { m, v }, t) => {
      m = zip(m, g, (a, b) => 0.9 * a + (1 - 0.9) * b);
      v = zip(v, g, (a, b) => 0.999 * a + (1 - 0.999) * b * b);
      const [one, two] = [1 - 0.9 ** t, 1 - 0.999 ** t];
      const d = zip(m, v, (a, b) => a / one / (Math.sqrt(b / two) + 1e-8));
      return { d, memory: { m, v } };
    },
  };

  const SLOTS = { momentum: ["v"], nesterov: ["v"], adagrad: ["s"], rmsprop: ["s"] };
  SLOTS.adam = ["m", "v"];

  function startOf(settings, d) {
    const names = SLOTS[settings.optimizer] || [];
    const theta = [...settings.start.slice(0, d), settings.start[2]];
    const memory = {};
    for (const name of names) memory[name] = new Array(d + 1).fill(0);
    return { t: 0, theta, memory };
  }

  /** The step after `state` = { t, theta, memory }, with all its numbers; nothing moves. */
  function workOut(problem, state, settings, rows, eta, optimum) {
    const { theta, memory } = state;
    const t = state.t + 1;
    const { p, r, loss, g } = evaluate(problem, rows, theta);
    const newton = () => ({ d: zip(theta, optimum, (a, b) => a - b), memory: {} });
    const rule = settings.optimizer === "auto" ? newton : RULES[settings.optimizer];
    const moved = rule(g, memory, t, settings.momentum);
    const next = zip(theta, moved.d, (w, d) => w - eta * d);
    return { t, rows, p, r, loss, g, eta, theta, next, ...moved, before: memory };
  }

  return {
    batches, batchSize, evaluate, everyRow, inRawUnits, makeProblem, makeSchedule, objective,
    predict, startOf, workOut, zip,
  };
})();
