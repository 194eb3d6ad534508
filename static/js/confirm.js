// One dialog for every "are you sure": from scripts, from hx-confirm, and from <form data-confirm="…">.

/** Ask `question`; resolves to true or false. `label` replaces the word on the button that says yes. */
export function confirmAction(question, { label = "" } = {}) {
  const box = document.getElementById("confirm-dialog");
  box.querySelector("[data-question]").textContent = question;
  const yes = box.querySelector("[value=yes]");
  yes.textContent = label || yes.dataset.label;
  box.returnValue = "";
  box.showModal();
  return new Promise((resolve) => {
    box.addEventListener("close", () => resolve(box.returnValue === "yes"), { once: true });
  });
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (!question || form.dataset.confirmed) return;
  event.preventDefault();
  const { submitter } = event;
  const label = submitter?.dataset.confirmLabel ?? form.dataset.confirmLabel;
  if (!(await confirmAction(question, { label }))) return;
  form.dataset.confirmed = "yes";
  form.requestSubmit(submitter);
  delete form.dataset.confirmed;
});
