// The Crop button opens the crop form in a dialog; without scripts it leads to the crop page.
import { setUpCrop } from "../crop.js";
import { fetchForm } from "../fetched-form.js";

const dialog = document.getElementById("crop-dialog");

async function open(link) {
  const form = await fetchForm(link.href, dialog);
  if (form === null) return window.location.assign(link.href);
  if (!form) return;
  dialog.querySelector("[data-crop-host]").replaceChildren(form);
  setUpCrop(dialog.querySelector("[data-crop]"));
  dialog.showModal();
  dialog.querySelector("[data-box]").focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-open-crop]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  open(link);
});

// The list that the photo was opened from goes along.
dialog?.addEventListener("crop:saved", (event) => {
  if (!window.location.search) return;
  event.preventDefault();
  window.location.assign(`${event.detail.url}${window.location.search}`);
});
dialog?.addEventListener("close", () => dialog.querySelector("[data-crop-host]").replaceChildren());
