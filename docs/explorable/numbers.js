"use strict";
/* The next step in numbers: the formulas of forward pass, gradient and update, with values. */
const numbers = (() => {
  const { num, signed } = svg;
  const MOST_ROWS = 6;
  const cell = (value, kind = "") => `<td class="${kind}">${num(value)}</td>`;
  const head = (names) => `<tr>${names.map((n) => `<th scope="col">${n}</th>`).join("")}</tr>`;

  const parametersOf = (d) => (d === 1 ? ["w", "b"] : ["w₁", "w₂", "b"]);
  const featuresOf = (d) => (d === 1 ? ["x"] : ["x₁", "x₂"]);

  /** The first rows of a batch, and the number of further rows. */
  function shortened(rows, toCells, width) {
    const shown = rows.length > MOST_ROWS ? MOST_ROWS - 1 : rows.length;
    const lines = rows.slice(0, shown).map((i, k) =>
      `<tr><th scope="row">${i + 1}</th>${toCells(i, k)}</tr>`);
    if (shown < rows.length) {
      lines.push(`<tr class="more"><td colspan="${width}">… ${rows.length - shown} more</td></tr>`);
    }
    return lines.join("");
  }

  function forward({ problem }, { rows, p, r, loss, theta }) {
    const { X, y, d } = problem;
    const names = featuresOf(d);
    const [i] = rows;
    const products = X[i].map((x, j) => `${signed(theta[j])}·${signed(x)}`).join(" + ");
    const body = shortened(rows, (row, k) =>
      X[row].map((x) => cell(x)).join("") + cell(p[k], "model") + cell(y[row]) + cell(r[k], "batch"), d + 4);
    return (
      `<table><caption>Row by row</caption><thead>${head(["row", ...names, "p", "y", "r"])}</thead>` +
      `<tbody>${body}</tbody><tfoot><tr><th scope="row">loss</th><td colspan="${d + 2}">mean of ½ r²</td>` +
      `${cell(loss)}</tr></tfoot></table>` +
      `<p class="equation">row ${i + 1}: p = ${products} + ${signed(theta[d])} = <b class="model">${num(p[0])}</b></p>`
    );
  }

  function gradient({ problem }, { rows, r, g }) {
    const { X, d } = problem;
    const names = [...featuresOf(d).map((x) => `r·${x}`), "r·1"];
    const body = shortened(rows, (i, k) =>
      X[i].map((x) => cell(r[k] * x)).join("") + cell(r[k]), d + 2);
    const [total] = g.slice(0, 1).map((v) => v * rows.length);
    return (
      `<table><caption>Row by row</caption><thead>${head(["row", ...names])}</thead><tbody>${body}</tbody>` +
      `<tfoot><tr><th scope="row">g</th>${g.map((v) => cell(v, "batch")).join("")}</tr></tfoot></table>` +
      `<p class="equation">${parametersOf(d)[0]}: g = Σ ${names[0]} / |B| = ${signed(total)} / ${rows.length} = ` +
      `<b class="batch">${num(g[0])}</b></p>`
    );
  }

  // ------------------------------------------------------------------ the rules in words

  const is = (name, words, value) => `${name} = ${words} = ${num(value)}`;

  /** name -> [formula, numbers of coordinate j]. */
  const RULES = {
    sgd: ["d = g", () => []],
    momentum: ["v ← β v + g, &nbsp; d = v", (s, j, beta) => [
      is("v", `${beta}·${signed(s.before.v[j])} + ${signed(s.g[j])}`, s.d[j])]],
    nesterov: ["v ← β v + g, &nbsp; d = g + β v", (s, j, beta) => [
      is("v", `${beta}·${signed(s.before.v[j])} + ${signed(s.g[j])}`, s.memory.v[j]),
      is("d", `${signed(s.g[j])} + ${beta}·${signed(s.memory.v[j])}`, s.d[j])]],
    adagrad: ["s ← s + g², &nbsp; d = g / √s", (s, j) => [
      is("s", `${num(s.before.s[j])} + ${signed(s.g[j])}²`, s.memory.s[j]),
      is("d", `${num(s.g[j])} / ${num(Math.sqrt(s.memory.s[j]))}`, s.d[j])]],
    rmsprop: ["s ← 0.99 s + 0.01 g², &nbsp; d = g / √s", (s, j) => [
      is("s", `0.99·${num(s.before.s[j])} + 0.01·${signed(s.g[j])}²`, s.memory.s[j]),
      is("d", `${num(s.g[j])} / ${num(Math.sqrt(s.memory.s[j]))}`, s.d[j])]],
    adam: ["m ← 0.9 m + 0.1 g, &nbsp; v ← 0.999 v + 0.001 g², &nbsp; d = m̂ / √v̂", (s, j) => [
      is("m̂", `${num(s.memory.m[j])} / (1 − 0.9<sup>${s.t}</sup>)`, s.memory.m[j] / (1 - 0.9 ** s.t)),
      is("v̂", `${num(s.memory.v[j])} / (1 − 0.999<sup>${s.t}</sup>)`, s.memory.v[j] / (1 - 0.999 ** s.t)),
      is("d", "m̂ / √v̂", s.d[j])]],
    auto: ["d = H⁻¹ ∇F, &nbsp; eta = 1: Newton's step on all rows", () => []],
  };

  /** eta(t) with its numbers. */
  function stepSize({ settings: s, perEpoch }, { t, eta }) {
    const steps = s.epochs * perEpoch;
    const words = {
      constant: "",
      invscaling: `${num(s.eta)} / ${t}<sup>${s.power}</sup> = `,
      stepdecay: `${num(s.eta)}·½<sup>${Math.floor((t - 1) / (s.every * perEpoch))}</sup> = `,
      cosine: `${num(s.eta)} (1 + cos(π·${Math.min(t - 1, steps)}/${steps})) / 2 = `,
      linear: `${num(s.eta)} (1 − ${Math.min(t - 1, steps)}/${steps}) = `,
    };
    return `eta(${t}) = ${s.optimizer === "auto" ? "" : words[s.schedule]}<b>${num(eta)}</b>`;
  }

  function update(r, step) {
    const { settings: s, problem } = r;
    const [formula, inNumbers] = RULES[s.optimizer];
    const rows = parametersOf(problem.d).map((name, j) => {
      const way = inNumbers(step, j, s.momentum).map((words) => `<span>${words}</span>`).join("");
      const now = num(step.theta[j]);
      return (
        `<tr><th scope="row">${name}</th><td>${way}<span>${name} ← ${now} − ${num(step.eta)}·` +
        `<b class="batch">${signed(step.d[j])}</b> = <b class="model" data-next="${j}">${num(step.next[j])}</b></span></td></tr>`
      );
    });
    return (
      `<p class="equation">${formula}, &nbsp; ${stepSize(r, step)}</p>` +
      `<table class="update"><caption>Parameter by parameter</caption><tbody>${rows.join("")}</tbody></table>`
    );
  }

  /** "Step 3, epoch 1: rows 4, 2 and 6 of 6". */
  function title(r, { t, rows }) {
    const which = rows.map((i) => i + 1);
    const words =
      rows.length === r.problem.n
        ? `all ${rows.length} rows`
        : which.length > 8
          ? `rows ${which.slice(0, 6).join(", ")}, … (${which.length} of ${r.problem.n})`
          : `row${which.length > 1 ? "s" : ""} ${which.join(", ")} of ${r.problem.n}`;
    return `step ${t}, epoch ${run.epochOf(r, t)}: ${words}`;
  }

  function draw(element, r) {
    const step = run.upcoming(r);
    const { d } = r.problem;
    const products = d === 1 ? "w·x" : "w₁x₁ + w₂x₂";
    const scaled = r.settings.scaling === "standardised" ? " The features are standardised." : "";
    const parts = {
      title: title(r, step),
      "forward-formula": `p = ${products} + b, &nbsp; r = p − y.${scaled}`,
      forward: forward(r, step),
      gradient: gradient(r, step),
      update: update(r, step),
    };
    for (const [name, html] of Object.entries(parts)) {
      element.querySelector(`[data-part="${name}"]`).innerHTML = html;
    }
  }

  return { draw, parametersOf };
})();
