"use strict";
/* The data sets: small enough to follow each row.
 *
 * A set is { name, features, target, rows(count) -> { X, y } }; those with `least` and `most`
 * have a number of rows that the user chooses, drawn by a fixed seed: the same at each visit.
 */
const data = (() => {
  /** Uniform numbers in [0, 1): the congruential generator of Numerical Recipes. */
  function uniforms(seed) {
    let state = seed;
    return () => {
      state = (Math.imul(1664525, state) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
  }

  /** Nearly normal: the sum of twelve uniform numbers, minus six. */
  const normal = (draw) => Array.from({ length: 12 }, draw).reduce((sum, v) => sum + v, -6);

  const round = (value, digits) => Number(value.toFixed(digits));

  const column = (values) => values.map((v) => [v]);

  /** Rows sorted by x, as real files often are. */
  function drawn(count, seed, digits, makeX, makeY) {
    const draw = uniforms(seed);
    const rows = Array.from({ length: count }, () => {
      const x = round(makeX(draw), digits);
      return [x, round(makeY(x, draw), digits)];
    }).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    return { X: rows.map(([x]) => [x]), y: rows.map(([, y]) => y) };
  }

  const LINE = { X: column([1, 2, 3, 4, 5]), y: [2, 4, 6, 8, 10] };

  const SIX = {
    X: [[4, 1], [2, 8], [1, 0], [3, 2], [1, 4], [6, 7]],
    y: [2, -14, 1, -1, -7, -8],
  };

  const TWENTY_FIVE = {
    X: column([
      4.7, 2.4, 7.5, 7.1, 4.3, 7.8, 8.9, 5.2, 4.59, 2.1, 8, 5, 7.5, 5, 4, 8, 5.2, 4.9, 3, 4.7,
      4, 4.8, 3.5, 2.1, 4.1,
    ]),
    y: [
      2.6, 1.6, 3.09, 2.4, 2.4, 3.3, 2.6, 1.96, 3.13, 1.76, 3.2, 2.1, 1.6, 2.5, 2.2, 2.75, 2.4,
      1.8, 1, 2, 1.6, 2.4, 2.6, 1.5, 3.1,
    ],
  };

  const noisy = (count) =>
    drawn(count, 7, 2, (draw) => 6 * draw() - 3, (x, draw) => 1 + 0.8 * x + 0.7 * normal(draw));

  const houses = (count) =>
    drawn(count, 11, 0, (draw) => 45 + 175 * draw(), (x, draw) => 60 + 2.4 * x + 35 * normal(draw));

  /** Every ninth row is far off, all on one side. */
  function outliers(count) {
    const { X, y } = noisy(count);
    return { X, y: y.map((v, i) => (i % 9 === 7 ? round(v + 5, 2) : v)) };
  }

  const SETS = {
    line: { name: "Five rows: y = 2x", rows: () => LINE },
    six: {
      name: "Six rows, two features",
      rows: () => SIX,
      features: ["x₁", "x₂"],
      start: [-0.017, -0.048, 0],
    },
    measured: { name: "25 measured rows", rows: () => TWENTY_FIVE },
    houses: {
      name: "Houses: size and price",
      rows: houses,
      features: ["size, m²"],
      target: "price, 1000",
      least: 4,
      most: 200,
      count: 30,
    },
    noisy: { name: "A noisy line, sorted", rows: noisy, least: 4, most: 200, count: 30 },
    outliers: { name: "… with outliers", rows: outliers, least: 9, most: 200, count: 30 },
    own: { name: "Your own points", least: 1, most: 60 },
  };

  /** The rows of some settings. */
  function rowsOf(settings) {
    if (settings.data !== "own") return SETS[settings.data].rows(settings.rows);
    return { X: settings.points.map(([x]) => [x]), y: settings.points.map(([, y]) => y) };
  }

  const labelsOf = (name) => ({ features: ["x"], target: "y", ...SETS[name] });

  return { SETS, labelsOf, rowsOf };
})();
