"use strict";
/* Colours: the system's, or those that the button at the top chooses. */
const theme = (() => {
  const THEMES = ["system", "light", "dark"];

  function connect(button) {
    button.addEventListener("click", () => {
      const root = document.documentElement;
      const next = THEMES[(THEMES.indexOf(root.dataset.theme || "system") + 1) % THEMES.length];
      root.dataset.theme = next;
      button.textContent = `Colours: ${next}`;
    });
  }

  return { connect };
})();
