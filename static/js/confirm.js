// One dialog for every "are you sure": from scripts, from hx-confirm, and from <form data-confirm="…">.

/** Ask `question`; resolves to true or false. `label`: the word on the yes button; `danger`: it destroys; `about`: a part
 * of the page that is shown below the question. */
export function confirmAction(question, { label = "", danger = false, about = null } = {}) {
  const box = document.getElementById("confirm-dialog");
  box.querySelector("[data-question]").textContent = question;
  const shown = box.querySelector("[data-about]");
  shown.replaceChildren(...[...(about?.children ?? [])].map((part) => part.cloneNode(true)));
  shown.hidden = !about;
  const yes = box.querySelector("[value=yes]");
  yes.textContent = label || yes.dataset.label;
  yes.classList.toggle("btn-danger", danger);
  yes.classList.toggle("btn-primary", !danger);
  box.returnValue = "";
  box.showModal();
  return new Promise((resolve) => {
    box.addEventListener("close", () => resolve(box.returnValue === "yes"), { once: true });
  });
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (!question) return;
  if (form.dataset.confirmed) {
    delete form.dataset.confirmed;
    return;
  }
  event.preventDefault();
  const { submitter } = event;
  const label = submitter?.dataset.confirmLabel ?? form.dataset.confirmLabel;
  const danger = Boolean(submitter?.classList.contains("btn-danger"));
  const about = document.getElementById(form.dataset.confirmShows ?? "");
  if (!(await confirmAction(question, { label, danger, about }))) return;
  // A part of the page that fetches itself may have come anew while the question stood.
  const now = form.isConnected ? form : document.getElementById(form.id);
  if (!now) return;
  // Taken away when the form comes by here again, which is later: the session is asked for first.
  now.dataset.confirmed = "yes";
  now.requestSubmit(submitter?.isConnected ? submitter : null);
});
