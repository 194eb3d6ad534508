// Small manners of plain forms: send a choice at once, send a form only once, close dialogs.

document.addEventListener("change", (event) => {
  event.target.closest?.("[data-submit-on-change]")?.closest("form")?.requestSubmit();
});

/** The buttons that may be pressed once: those marked so, or all of a form that is. */
function onceButtons(form) {
  return form.querySelectorAll("once" in form.dataset ? "button:not([type=button])" : "button[data-once]");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "dialog" || form.dataset.confirm) return;
  // After this turn, so that the button pressed is still sent with the form.
  setTimeout(() => {
    for (const button of onceButtons(form)) button.disabled = true;
  });
});

// Back from the next page: the browser may show this one as it was left.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.forms) for (const button of onceButtons(form)) button.disabled = false;
});

document.addEventListener("click", (event) => {
  event.target.closest?.("[data-close-dialog]")?.closest("dialog")?.close();
});

// A form that came back: the focus is at what is to be chosen between two people, or the first field that is wrong.
document.querySelector("form :is(.changed-meanwhile, [aria-invalid=true]:not([type=hidden]))")?.focus();
