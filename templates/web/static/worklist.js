// The worklist, nicer: it follows colleagues, opens forms in their row, and listens to keys.
"use strict";

(() => {
  const list = document.getElementById("worklist");
  if (!list) return;
  const every = 5000;
  const on = document.getElementById("keys-on");

  const busy = () => list.querySelector(".panel, input[type=checkbox]:checked") !== null;

  // A colleague's change shows without reload; not while somebody is in the middle of something.
  async function look() {
    if (document.hidden) return;
    try {
      const answer = await fetch("/worklist/seen", { redirect: "error" });
      if (!answer.ok) return;
      const { seen } = await answer.json();
      if (seen === list.dataset.seen) return;
      if (busy()) {
        tell("The list has changed meanwhile. It is shown anew once you are done.");
        return;
      }
      await renew(seen);
    } catch {
      // The network is away for a moment: look again at the next turn.
    }
  }

  async function renew(seen) {
    const part = await fetch(list.dataset.part, { redirect: "error" });
    if (!part.ok) return;
    const at = document.activeElement?.closest?.(".somebody")?.id;
    list.innerHTML = await part.text();
    list.dataset.seen = seen;
    if (at) document.getElementById(at)?.focus();
    count();
  }

  function tell(text) {
    const place = document.querySelector(".notices");
    if (place.querySelector("[data-told]")) return;
    const note = document.createElement("div");
    note.className = "message info";
    note.dataset.told = "yes";
    const words = document.createElement("p");
    words.textContent = text;
    note.append(words);
    place.append(note);
  }

  if (list.dataset.part) setInterval(look, every);

  // How many are ticked.
  function count() {
    const bar = list.querySelector("#together");
    if (!bar) return;
    const ticked = list.querySelectorAll("input[name=alerts]:checked").length;
    bar.classList.toggle("some", ticked > 0);
    bar.querySelector("[data-chosen]").textContent =
      ticked === 0 ? "Tick alerts to deal with several at once." : ticked === 1 ? "1 alert ticked" : `${ticked} alerts ticked`;
  }
  list.addEventListener("change", count);

  // Forms open in their row; without script the link leads to the alert's page.
  list.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-forms]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const row = link.closest(".cause");
    const open = row.querySelector(".panel");
    list.querySelectorAll(".panel").forEach((it) => it.remove());
    if (open) return;
    const answer = await fetch(link.dataset.forms, { redirect: "error" }).catch(() => null);
    if (!answer?.ok) {
      location.assign(link.href);
      return;
    }
    const panel = document.createElement("div");
    panel.className = "panel";
    panel.innerHTML = await answer.text();
    row.append(panel);
    panel.querySelector("summary")?.focus();
  });
  list.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const panel = event.target.closest(".panel");
    if (!panel) return;
    const link = panel.closest(".cause").querySelector("a[data-forms]");
    panel.remove();
    link.focus();
  });

  // Keys. They can be switched off, and the switch is remembered.
  on.checked = localStorage.getItem("keys") !== "off";
  on.addEventListener("change", () => localStorage.setItem("keys", on.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (!on.checked || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, .panel")) return;
    const rows = [...list.querySelectorAll(".somebody")];
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const go = (row) => row && (row.focus(), row.scrollIntoView({ block: "nearest" }), event.preventDefault());
    if (event.key === "j") go(rows[Math.min(at + 1, rows.length - 1)]);
    else if (event.key === "k") go(rows[Math.max(at - 1, 0)]);
    else if (event.key === "/") {
      event.preventDefault();
      document.getElementById("q").focus();
    } else if (at >= 0 && event.key === "x") {
      rows[at].querySelectorAll("input[name=alerts]").forEach((box) => (box.checked = !box.checked));
      count();
    } else if (at >= 0 && event.key === "Enter" && document.activeElement === rows[at]) {
      event.preventDefault();
      (rows[at].querySelector("a[data-forms]") ?? rows[at].querySelector(".what a"))?.click();
    }
  });
})();
