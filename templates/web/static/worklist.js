// The worklist, nicer: it follows colleagues, opens forms in their row, and listens to keys.
"use strict";

(() => {
  const list = document.getElementById("worklist");
  if (!list) return;
  const every = 3000;
  const settling = 1000;
  const patience = 6000;
  const on = document.getElementById("keys-on");

  const busy = () => list.querySelector(".panel, input[type=checkbox]:checked") !== null;

  // A colleague's change shows without reload; not while somebody is in the middle of something.
  async function look() {
    if (document.hidden) return;
    const signal = AbortSignal.timeout(patience);
    const answer = await fetch("/worklist/seen", { redirect: "manual", signal });
    if (answer.type === "opaqueredirect") return signedOut();
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const { seen } = await answer.json();
    heard();
    if (seen === list.dataset.seen) return;
    if (!busy()) {
      const patient = AbortSignal.timeout(5 * patience);
      const part = await fetch(list.dataset.part, { redirect: "error", signal: patient });
      if (!part.ok) return;
      const text = await part.text();
      if (!busy()) {
        renew(text, seen);
        return;
      }
    }
    tell("The list has changed meanwhile. It is shown anew once you are done.");
  }

  // A list that follows nobody any more does not look like one that does.
  let missed = 0;
  const unheard = () => {
    missed += 1;
    if (missed > 2) tell("The monitor does not answer: this list may be old.");
  };
  const heard = () => {
    if (missed > 2) document.querySelector("[data-told]")?.remove();
    missed = 0;
  };
  function signedOut() {
    if (busy()) tell("You are signed out: this list may be old, and nothing can be done from it.");
    else location.reload();
  }

  function renew(text, seen) {
    const at = document.activeElement?.closest?.(".somebody")?.id;
    beneath = pointed && { ...pointed, row: rowAt(pointed), until: performance.now() + settling };
    list.innerHTML = text;
    list.dataset.seen = seen;
    document.querySelector("[data-told]")?.remove();
    if (at) document.getElementById(at)?.focus();
    count();
  }

  // Whoever presses just as the list moves meant what was there before: nothing is done.
  let pointed = null;
  let beneath = null;
  const rowAt = ({ x, y }) => document.elementFromPoint(x, y)?.closest(".cause")?.id;
  document.addEventListener("pointermove", (event) => {
    pointed = { x: event.clientX, y: event.clientY };
  });
  list.addEventListener(
    "click",
    (event) => {
      if (!beneath || event.detail === 0 || performance.now() > beneath.until) return;
      const still = Math.hypot(event.clientX - beneath.x, event.clientY - beneath.y) < 20;
      if (!still || event.target.closest(".cause")?.id === beneath.row) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      tell("The list moved as you pressed: nothing was done. Look again, please.");
    },
    true,
  );

  function tell(text) {
    const place = document.querySelector(".notices");
    const before = place.querySelector("[data-told]");
    if (before?.textContent === text) return;
    before?.remove();
    const note = document.createElement("div");
    note.className = "message info";
    note.dataset.told = "yes";
    const words = document.createElement("p");
    words.textContent = text;
    note.append(words);
    place.append(note);
  }

  // The network may be away for a moment: then at the next turn.
  const turn = () => look().catch(unheard).finally(() => setTimeout(turn, every));
  if (list.dataset.part) setTimeout(turn, every);

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
