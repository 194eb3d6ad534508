// Small manners of plain forms: send a choice at once, send a form only once, close dialogs.

document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form[data-submit-on-change]");
  form?.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "dialog" || form.dataset.confirm) return;
  // After this turn, so that the button pressed is still sent with the form.
  setTimeout(() => {
    for (const button of form.querySelectorAll("button[data-once]")) button.disabled = true;
  });
});

// Back from the next page: the browser may show this one as it was left.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const button of document.querySelectorAll("button[data-once]")) button.disabled = false;
});

document.addEventListener("click", (event) => {
  event.target.closest?.("[data-close-dialog]")?.closest("dialog")?.close();
});
