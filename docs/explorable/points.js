"use strict";
/* The user's points: drag, click to add, arrow keys and Delete. */
const points = (() => {
  const MOST = data.SETS.own.most;
  const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

  const length = ([a, b]) => b - a;

  /** Rounded to two decimals relative to the size of the range. */
  function rounded(value, domain) {
    const digits = Math.min(100, Math.max(0, 2 - Math.floor(Math.log10(length(domain)))));
    return Number(value.toFixed(digits));
  }

  /** The new point of the button: a third of the range further on, between the last two. */
  function another(own) {
    if (own.length === 0) return [1, 1];
    const [x, y] = own[own.length - 1];
    return [rounded(x + 0.5, [0, 1]), rounded(y + 0.5, [0, 1])];
  }

  /** A given number of points: drops the last ones, or adds more. */
  function resized(own, count) {
    const out = own.slice(0, count);
    while (out.length < count) out.push(another(out));
    return out;
  }

  /** Connect the picture.
   *
   * `page` has frame() and own() (null for other data sets), hold(domains), and
   * set(points, focus), where focus is the point with the keyboard focus. */
  function connect(picture, page) {
    let dragged = null;

    const placeOf = (event) => {
      const box = picture.getBoundingClientRect();
      const frame = page.frame();
      return [
        rounded(frame.x.back(event.clientX - box.left), frame.x.domain),
        rounded(frame.y.back(event.clientY - box.top), frame.y.domain),
      ];
    };
    const replaced = (i, place) => page.own().map((old, k) => (k === i ? place : old));

    picture.addEventListener("pointerdown", (event) => {
      if (!page.own() || event.button !== 0) return;
      event.preventDefault();
      const handle = event.target.closest("[data-point]");
      const { x, y } = page.frame();
      page.hold({ x: x.domain, y: y.domain });
      if (handle) {
        dragged = Number(handle.dataset.point);
        page.set(page.own(), dragged);
      } else if (page.own().length < MOST) {
        dragged = page.own().length;
        page.set([...page.own(), placeOf(event)], dragged);
      }
      picture.setPointerCapture(event.pointerId);
    });
    picture.addEventListener("pointermove", (event) => {
      if (dragged !== null && page.own()) page.set(replaced(dragged, placeOf(event)), dragged);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      picture.addEventListener(end, () => {
        if (dragged === null) return;
        page.hold(null);
        page.set(page.own(), dragged);
        dragged = null;
      });
    }
    picture.addEventListener("keydown", (event) => {
      const handle = event.target.closest("[data-point]");
      if (!handle || !page.own()) return;
      const i = Number(handle.dataset.point);
      const own = page.own();
      if (event.key === "Delete" || event.key === "Backspace") {
        event.preventDefault();
        if (own.length > 1) page.set(own.filter((_, k) => k !== i), Math.max(0, i - 1));
      } else if (event.key in MOVES) {
        event.preventDefault();
        const { x, y } = page.frame();
        const [right, up] = MOVES[event.key];
        const share = event.shiftKey ? 200 : 40;
        const place = [
          rounded(own[i][0] + (right * length(x.domain)) / share, x.domain),
          rounded(own[i][1] + (up * length(y.domain)) / share, y.domain),
        ];
        page.set(replaced(i, place), i);
      }
    });
  }

  return { another, connect, resized };
})();
