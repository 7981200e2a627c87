"use strict";
/* The guided path: what to try, and the settings that it takes.
 *
 * A stop is { title, text, set, tries }: `set` is what differs from the usual settings, a try
 * [words, what differs further, whether to play].
 */
const guide = (() => {
  const STOPS = [
    {
      title: "One step by hand",
      text:
        "One row a step, the orange one next: its forward pass, gradient and update are worked out below. Check them " +
        "with a pencil, then press Step: b is 0.2116, w (0.8294, 0.1636). Five more, and w₂ is −34.8: too long a step.",
      set: { data: "six", eta: 0.1, shuffle: "off", epochs: 10 },
      tries: [["Step 0.1", {}, false], ["Step 0.015", { eta: 0.015, epochs: 100 }, true]],
    },
    {
      title: "Batch sizes",
      text:
        "An epoch uses each row once, whatever the batch size. Single rows: many cheap steps that disagree. " +
        "All rows: one step, straight down the bowl. Grey is the run before.",
      set: { data: "noisy", eta: 0.05, epochs: 10, batch: 1 },
      tries: [["1 row", {}, true], ["6 rows", { batch: 6 }, true], ["All rows", { batch: Infinity }, true]],
    },
    {
      title: "Too long a step",
      text:
        "All rows, five of them. A step multiplies the error along each axis of the bowl by 1 − eta·λ. " +
        "Below −1 it lands further up the other side than it came from. The mark at the slider is where that begins.",
      set: { data: "line", batch: Infinity, eta: 0.16, epochs: 60 },
      tries: [["Short, 0.02", { eta: 0.02 }, true], ["Nearly too long, 0.16", {}, true], ["Too long, 0.18", { eta: 0.18, epochs: 200 }, true]],
    },
    {
      title: "Raw or standardised",
      text:
        "Square metres are large numbers: the bowl is a ravine, 10⁵ times as steep across as along it. A step short " +
        "enough for the walls gets nowhere on the floor. Standardised features make the bowl round, and one step size fits all.",
      set: { data: "houses", batch: Infinity, eta: 0.00008, epochs: 100 },
      tries: [["Raw, 0.00008", {}, true], ["Raw, 0.0002", { eta: 0.0002 }, true], ["Standardised, 0.5", { scaling: "standardised", eta: 0.5 }, true]],
    },
    {
      title: "Momentum",
      text:
        "A long valley. Plain steps are as long as the walls allow, and crawl along the floor. Momentum adds up what " +
        "they have in common, and swings; Nesterov's looks ahead and swings less.",
      set: { data: "measured", batch: Infinity, eta: 0.03, epochs: 150 },
      tries: [["sgd", {}, true], ["momentum", { optimizer: "momentum" }, true], ["nesterov", { optimizer: "nesterov" }, true], ["adam", { optimizer: "adam", eta: 0.1 }, true]],
    },
    {
      title: "Schedules",
      text:
        "With a constant step single rows never agree: the path ends in a cloud about the optimum. Let the step shrink, " +
        "and the cloud shrinks with it.",
      set: { data: "noisy", eta: 0.1, epochs: 30 },
      tries: [["constant", {}, true], ["1/√t", { schedule: "invscaling" }, true], ["cosine", { schedule: "cosine" }, true], ["linear", { schedule: "linear" }, true]],
    },
    {
      title: "Sorted rows",
      text:
        "Rows sorted by x, as files often are: a batch is one end of the data, and so is the next. In the given order the " +
        "model swings from end to end, at a step that is safe for shuffled rows. Shuffled blocks are better, shuffled rows best.",
      set: { data: "noisy", rows: 100, batch: 4, eta: 0.3, epochs: 20, shuffle: "off" },
      tries: [["In the given order", {}, true], ["Blocks shuffled", { shuffle: "blocks" }, true], ["Rows shuffled", { shuffle: "rows" }, true]],
    },
    {
      title: "No knobs",
      text:
        "What sgdreg does when nothing is chosen: it takes the curvature from the rows and steps by its inverse. On few " +
        "rows that is Newton's step, and the first one lands on least squares, on raw features too.",
      set: { data: "houses", optimizer: "auto", epochs: 1 },
      tries: [["One Newton step", {}, true], ["The same with outliers", { data: "outliers", rows: 30 }, true]],
    },
  ];

  /** All settings of a stop, or of one of its tries. */
  const settingsOf = (stop, changes = {}) => settings.complete({ ...STOPS[stop].set, ...changes });

  return { STOPS, settingsOf };
})();
