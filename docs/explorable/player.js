"use strict";
/* Playing: a number of steps per second, drawn once per frame. */
const player = (() => {
  const SPEEDS = [1, 2, 5, 10, 30, 100, 400, 2000];
  // Milliseconds for which a picture stays, where the user prefers reduced motion.
  const STILL_MS = 500;
  // A run of the guide takes about this many seconds, slow enough to follow it.
  const SECONDS = 10;
  const SLOWEST = 2;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

  /** `advance()` takes a step and returns whether more may follow; `draw()`, `ended()`. */
  function create({ advance, draw, ended }) {
    let speed = 3;
    let playing = false;
    let owed = 0;
    let before = 0;

    function tick(now) {
      if (!playing) return;
      const wait = calm.matches ? STILL_MS : 0;
      if (now - before >= wait) {
        owed += (Math.min(now - before, 1000) * SPEEDS[speed]) / 1000;
        before = now;
        const due = Math.floor(owed);
        owed -= due;
        let more = true;
        for (let k = 0; k < due && more; k++) more = advance();
        if (!more) playing = false;
        if (due) draw();
        if (!more) ended();
      }
      if (playing) requestAnimationFrame(tick);
    }

    return {
      get playing() { return playing; },
      get words() { return `${SPEEDS[speed]} a second`; },
      get speed() { return speed; },
      set speed(value) { speed = value; },
      /** A speed at which this many steps can be watched. */
      suit(steps) {
        const fast = SPEEDS.findIndex((each, i) => i >= SLOWEST && steps / each <= SECONDS);
        speed = fast < 0 ? SPEEDS.length - 1 : fast;
      },
      play() {
        playing = true;
        owed = 1; // take the first step immediately
        before = performance.now();
        requestAnimationFrame(tick);
      },
      pause() { playing = false; },
    };
  }

  return { create };
})();
