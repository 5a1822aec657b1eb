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
