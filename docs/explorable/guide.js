"use strict";
/* The guided path: experiments, and their settings.
 *
 * A stop is { title, text, set, tries }: `set` are its changes to the usual settings; a try is
 * [label, further changes, whether to play].
 */
const guide = (() => {
  const STOPS = [
    {
      title: "One step by hand",
      text:
        "Each step uses one row; the orange one is next. Its forward pass, gradient and update are computed below. Check " +
        "them with a pencil, then press Step: b is 0.2116, w (0.8294, 0.1636). After five more steps w₂ is −34.8: the step is too long.",
      set: { data: "six", eta: 0.1, shuffle: "off", epochs: 10 },
      tries: [["Step 0.1", {}, false], ["Step 0.015", { eta: 0.015, epochs: 100 }, true]],
    },
    {
      title: "Batch sizes",
      text:
        "An epoch uses each row once, with any batch size. Single rows: many cheap steps in different directions. " +
        "All rows: one step, straight down the bowl. The run before is grey.",
      set: { data: "noisy", eta: 0.05, epochs: 10, batch: 1 },
      tries: [["1 row", {}, true], ["6 rows", { batch: 6 }, true], ["All rows", { batch: Infinity }, true]],
    },
    {
      title: "Too long a step",
      text:
        "Each step uses all five rows. It multiplies the error along each axis of the bowl by 1 − eta·λ. " +
        "If this is below −1, the step ends higher up on the other side. The mark at the slider shows where that begins.",
      set: { data: "line", batch: Infinity, eta: 0.16, epochs: 60 },
      tries: [["Short, 0.02", { eta: 0.02 }, true], ["Nearly too long, 0.16", {}, true], ["Too long, 0.18", { eta: 0.18, epochs: 200 }, true]],
    },
    {
      title: "Raw or standardised",
      text:
        "Square metres are large numbers: the bowl is a narrow valley, 10⁵ times as steep across it as along it. A step short " +
        "enough for the steep direction makes almost no progress in the flat one. Standardised features make the bowl round, and one step size suits every direction.",
      set: { data: "houses", batch: Infinity, eta: 0.00008, epochs: 100 },
      tries: [["Raw, 0.00008", {}, true], ["Raw, 0.0002", { eta: 0.0002 }, true], ["Standardised, 0.5", { scaling: "standardised", eta: 0.5 }, true]],
    },
    {
      title: "Momentum",
      text:
        "The bowl is a long valley. Plain steps are limited by its steep sides, and move slowly along the bottom. Momentum adds up " +
        "the common part of the steps, but oscillates; Nesterov's momentum looks ahead and oscillates less.",
      set: { data: "measured", batch: Infinity, eta: 0.03, epochs: 150 },
      tries: [["sgd", {}, true], ["momentum", { optimizer: "momentum" }, true], ["nesterov", { optimizer: "nesterov" }, true], ["adam", { optimizer: "adam", eta: 0.1 }, true]],
    },
    {
      title: "Schedules",
      text:
        "With a constant step the gradients of single rows never agree: the path ends in a cloud around the optimum. With " +
        "a shrinking step the cloud shrinks too.",
      set: { data: "noisy", eta: 0.1, epochs: 30 },
      tries: [["constant", {}, true], ["1/√t", { schedule: "invscaling" }, true], ["cosine", { schedule: "cosine" }, true], ["linear", { schedule: "linear" }, true]],
    },
    {
      title: "Sorted rows",
      text:
        "The rows are sorted by x, as in many files: neighbouring batches come from the same end of the data. In the given order the " +
        "model swings from one end to the other, with a step that is safe for shuffled rows. Shuffled blocks are better, shuffled rows best.",
      set: { data: "noisy", rows: 100, batch: 4, eta: 0.3, epochs: 20, shuffle: "off" },
      tries: [["In the given order", {}, true], ["Blocks shuffled", { shuffle: "blocks" }, true], ["Rows shuffled", { shuffle: "rows" }, true]],
    },
    {
      title: "No knobs",
      text:
        "With its defaults sgdreg computes the curvature of the rows and multiplies steps by its inverse. For few " +
        "rows this is Newton's step: the first one gives the least-squares solution, on raw features too.",
      set: { data: "houses", optimizer: "auto", epochs: 1 },
      tries: [["One Newton step", {}, true], ["The same with outliers", { data: "outliers", rows: 30 }, true]],
    },
  ];

  /** All settings of a stop, with the changes of a try. */
  const settingsOf = (stop, changes = {}) => settings.complete({ ...STOPS[stop].set, ...changes });

  return { STOPS, settingsOf };
})();
