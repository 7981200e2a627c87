"use strict";
/* What can be taken away: the view as the fragment of the address, text to paste. */
const share = (() => {
  // Browsers refuse an address that changes with every pixel of a drag.
  const REST_MS = 200;
  let waiting = null;

  /** Write the fragment once the view rests. */
  function write(hash) {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (hash !== location.hash) history.replaceState(null, "", hash);
    }, REST_MS);
  }

  const link = (hash) => location.href.split("#")[0] + hash;

  /** Copy a text and return what to say of it; without a clipboard, select it where it is. */
  async function copy(text, element) {
    try {
      await navigator.clipboard.writeText(text);
      return "Copied.";
    } catch {
      if (!element) return `Copy it from the address bar: ${text}`;
      getSelection().selectAllChildren(element);
      return "Selected: copy it with Ctrl+C.";
    }
  }

  return { copy, link, write };
})();
