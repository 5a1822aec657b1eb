// A fault leads to its line of the text.
"use strict";

(() => {
  const text = document.getElementById("text");
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-line]");
    if (!link || !text) return;
    event.preventDefault();
    const lines = text.value.split("\n");
    const above = Math.min(Number(link.dataset.line), lines.length) - 1;
    const from = lines.slice(0, above).reduce((sum, line) => sum + line.length + 1, 0);
    text.focus();
    text.setSelectionRange(from, from + lines[above].length);
    const height = parseFloat(getComputedStyle(text).lineHeight);
    text.scrollTop = Math.max(0, above * height - text.clientHeight / 2);
    text.scrollLeft = 0;
    text.scrollIntoView({ block: "center" });
  });
})();
