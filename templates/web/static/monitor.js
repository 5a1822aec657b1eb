// What is nicer with script. Every page works without it.
"use strict";

(() => {
  // Forms are sent once, however often the button is pressed.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 4000);
  });

  // A choice marked with data-auto sends its form at once.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-auto]")) event.target.form.requestSubmit();
  });

  // Whoever writes is there: the session does not end beneath what they write. Where it ended before
  // they began, they hear of it now, and not once all of it is written and sent.
  const every = 60000;
  let heard = -every;
  document.addEventListener("input", async (event) => {
    const form = event.target.form;
    if (!form || performance.now() - heard < every) return;
    heard = performance.now();
    const answer = await fetch("/account/here", { redirect: "manual" }).catch(() => null);
    form.querySelector("[data-signed-out]")?.remove();
    if (answer?.type !== "opaqueredirect") return;
    heard = -every;
    const note = document.createElement("p");
    note.className = "message problem";
    note.dataset.signedOut = "yes";
    note.setAttribute("role", "alert");
    note.textContent = "You are signed out: what you write here cannot be sent. Sign in on another page, open this one anew, and write it there.";
    form.prepend(note);
  });

  // On a narrow screen the entry of this page may lie beyond the edge of the navigation.
  const here = document.querySelector("nav.main [aria-current]");
  if (here) {
    const menu = here.closest("nav");
    const beyond = here.getBoundingClientRect().left - menu.getBoundingClientRect().left;
    menu.scrollLeft += beyond - (menu.clientWidth - here.offsetWidth) / 2;
  }

  // A page shown again from the browser's memory may be old.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
})();
