"use strict";
/* Stability: the factor by which each step multiplies the error, along each axis of the bowl. */
const stability = (() => {
  const { num } = svg;
  const SHOWN = 2.4; // factors beyond are drawn at the end of the gauge
  const GROWS = 1 + 1e-9; // 1 but for rounding stays

  const directionsOf = (count) => (count === 2 ? ["steep", "flat"] : ["steep", "middle", "flat"]);

  /** Stable factors are within (-1, 1): a band, and a mark within or beyond it. */
  function gauge(factor) {
    const x = svg.scale([-SHOWN, SHOWN], [4, 136]);
    const at = x(Math.max(-SHOWN, Math.min(SHOWN, factor)));
    const bad = Math.abs(factor) > GROWS;
    const mark = bad
      ? `<path class="bad-mark" d="M${at - 5} 4l10 10m0 -10l-10 10"/>`
      : `<circle class="good-mark" cx="${at}" cy="9" r="5"/>`;
    return (
      '<svg class="gauge" viewBox="0 0 140 18" aria-hidden="true">' +
      `<rect class="band" x="${x(-1)}" y="2" width="${x(1) - x(-1)}" height="14" rx="3"/>` +
      `<path class="zero" d="M4 9H136M${x(0)} 3v12"/>${mark}</svg>`
    );
  }

  // The sentences for rules that divide by the size of their gradients, for any curvature.
  const LENGTHS = {
    adagrad:
      "adagrad divides each coordinate by the root of the sum of its squared gradients: the first step is eta long, " +
      "however steep the bowl, and later ones shorten.",
    rmsprop:
      "rmsprop divides each coordinate by the recent size of its gradients: steps are about eta long (the first, ten " +
      "times that), however steep the bowl. A constant eta may keep it that far from the optimum.",
    adam:
      "adam divides each coordinate by the recent size of its gradients: steps are at most about eta long, however " +
      "steep the bowl. A constant eta may keep it that far from the optimum.",
  };

  /** A factor as text, with enough digits to see that it is not 1. */
  const told = (factor) => num(factor, Math.abs(Math.abs(factor) - 1) < 0.005 ? 6 : 3);

  /** The number of steps that halve the error. */
  const halving = (factor) =>
    Math.max(1, Math.ceil(Math.log(0.5) / Math.log(Math.abs(factor)) - 1e-9));

  function sentence(r, factors) {
    const { optimizer } = r.settings;
    if (optimizer === "auto") {
      return "Newton's step divides by the curvature: every factor is 0, and one step is enough, whatever the units.";
    }
    if (factors[0] === null) {
      return LENGTHS[optimizer];
    }
    const on = r.perEpoch > 1 ? "On average over the batches, each" : "Each";
    const long = optimizer === "sgd" ? "" : ", in the long run,";
    const names = directionsOf(factors.length);
    const worst = factors.reduce((a, f, i) => (Math.abs(f) > Math.abs(factors[a]) ? i : a), 0);
    const [f, name] = [factors[worst], names[worst]];
    const starts = `${on} step${long} multiplies the error along the ${name} direction by ${told(f)}`;
    if (Math.abs(f) > GROWS) return `${starts}: it grows.`;
    if (Math.abs(f) > 1 / GROWS) return `${starts}: it stays.`;
    const swings = factors[0] < 0 ? ` Along the steep one it overshoots (${num(factors[0], 3)}) and comes back.` : "";
    const steps = halving(f);
    return `${starts}: halved in ${steps} step${steps === 1 ? "" : "s"}.${swings}`;
  }

  /** The sentence on the mark at the step slider. */
  function bound({ stable, settings }) {
    if (!stable) {
      return settings.optimizer === "auto" ? "No step to choose." : "No bound: a steeper bowl does not make these steps longer.";
    }
    const word = stable.exact ? "Stable" : "Safe in random order";
    return `${word} up to <b>${num(stable.value, 3)}</b>${stable.exact ? ` = ${stable.formula}` : ""}`;
  }

  /** The sentence on the noise of batches, which the factors do not contain. */
  function noise({ stable, perEpoch, settings }, eta) {
    if (!stable || perEpoch === 1) return "";
    const beyond = eta > stable.value;
    const why = settings.optimizer === "sgd" ? "" : ", and momentum adds that up";
    return (
      ` Batches differ from each other${why}: in random order steps up to ${num(stable.value, 3)} are safe` +
      `${beyond ? ", this one is longer" : ""}.`
    );
  }

  function draw(element, r) {
    const { pairs } = r.bowl;
    const { eta } = run.upcoming(r);
    const factors = pairs.map(({ value }) => curvature.factor(value, eta, r.settings));
    const names = directionsOf(pairs.length);
    const rows = pairs.map(({ value }, i) => {
      const f = factors[i];
      const grows = f !== null && Math.abs(f) > GROWS;
      const shown = f === null ? "" : gauge(f);
      const words = f === null ? "–" : `${told(f)}${grows ? " grows" : ""}`;
      return (
        `<tr class="${grows ? "grows" : "shrinks"}"><th scope="row">${names[i]}</th><td>${num(value, 3)}</td>` +
        `<td class="factor">${words}</td><td aria-hidden="true">${shown}</td></tr>`
      );
    });
    const [first, last] = [pairs[0].value, pairs[pairs.length - 1].value];
    const condition = last > 1e-12 * first ? num(first / last, 3) : "∞";
    const shape = condition === "1" ? "round" : `steep/flat κ = ${condition}`;
    const symbol = r.settings.optimizer === "sgd" ? "1 − eta·λ" : "factor";
    element.querySelector("[data-part=table]").innerHTML =
      `<caption>λ: curvature along each axis of the bowl</caption><thead><tr><th scope="col">axis</th><th scope="col">λ</th>` +
      `<th scope="col">${symbol}</th><td class="ends" aria-hidden="true">${factors[0] === null ? "" : "<span>−1</span><span>1</span>"}</td></tr></thead>` +
      `<tbody>${rows.join("")}</tbody>`;
    element.querySelector("[data-part=sentence]").textContent = sentence(r, factors) + noise(r, eta);
    element.querySelector("[data-part=shape]").textContent = shape;
  }

  return { bound, draw };
})();
