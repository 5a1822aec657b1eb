// A fault leads to its line of the text; what was typed outlives the end of the session, which may
// come while somebody is at it.
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

(() => {
  const text = document.getElementById("text");
  const form = text?.form;
  const fields = ["based_on", "text", "reason"];
  const key = (path) => `draft ${path}`;
  const keep = (path, draft) => {
    try {
      if (draft) sessionStorage.setItem(key(path), JSON.stringify(draft));
      else sessionStorage.removeItem(key(path));
    } catch { /* a browser that keeps nothing, or has no room */ }
  };
  const kept = (path) => {
    try {
      return JSON.parse(sessionStorage.getItem(key(path)));
    } catch {
      return null;
    }
  };
  const proposed = document.querySelector("[data-edited]")?.dataset.edited;
  if (proposed && kept(proposed)?.sent) keep(proposed, null);
  if (!form) return;
  const here = location.pathname;
  const typed = (sent) => ({
    sent, ...Object.fromEntries(fields.map((name) => [name, form.elements[name].value])),
  });
  form.addEventListener("input", () => keep(here, typed(false)));
  form.addEventListener("submit", (event) => {
    if (event.submitter?.value === "propose") keep(here, typed(true));
  });
  const draft = kept(here);
  const offer = document.getElementById("draft");
  if (!draft || draft.text === text.value) return;
  offer.hidden = false;
  offer.querySelector("button").addEventListener("click", () => {
    fields.forEach((name) => { form.elements[name].value = draft[name]; });
    offer.hidden = true;
    text.focus();
  });
})();
