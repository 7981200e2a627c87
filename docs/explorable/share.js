"use strict";
/* Sharing: the view in the fragment of the address, and texts to copy. */
const share = (() => {
  // Browsers limit how often the address may change; a drag would change it at every pixel.
  const REST_MS = 200;
  let waiting = null;

  /** Write the fragment when the view has stopped changing. */
  function write(hash) {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (hash !== location.hash) history.replaceState(null, "", hash);
    }, REST_MS);
  }

  const link = (hash) => location.href.split("#")[0] + hash;

  /** Copy a text, or select it where there is no clipboard; returns a message. */
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
