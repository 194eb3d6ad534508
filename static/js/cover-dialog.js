// "Cover…" opens the form in a dialog; without scripts, and on the page of its own, it is there already.
import { CoverForm } from "./cover.js";
import { fetchForm } from "./fetched-form.js";
import { toast } from "./toast.js";

const dialog = document.getElementById("cover-dialog");

for (const form of document.querySelectorAll("form[data-cover]")) new CoverForm(form);

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-cover-photo]");
  if (!dialog || !link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const content = await fetchForm(link.href, dialog);
  if (content === null) return toast(dialog.dataset.failed, { kind: "error" });
  if (!content) return;
  const host = dialog.querySelector("[data-cover-host]");
  host.replaceChildren(content);
  const form = host.querySelector("form[data-cover]");
  if (form) new CoverForm(form);
  dialog.showModal();
  host.querySelector("[data-add], [data-close-dialog]").focus();
});

dialog?.addEventListener("close", (event) => {
  if (event.target === dialog) dialog.querySelector("[data-cover-host]").replaceChildren();
});

// On the result page; the upload page's cards follow by themselves.
document.addEventListener("cover:saved", (event) => {
  if (!dialog || event.defaultPrevented) return;
  event.preventDefault();
  window.location.reload();
});
