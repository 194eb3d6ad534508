// The Crop button opens the crop form in a dialog; without scripts it leads to the crop page.
import { setUpCrop } from "../crop.js";
import { send } from "../http.js";

const dialog = document.getElementById("crop-dialog");

async function open(link) {
  const response = await send(link.href, { headers: { Accept: "text/fragment" } }).catch(() => null);
  if (!response?.ok) return window.location.assign(link.href);
  const holder = document.createElement("template");
  holder.innerHTML = await response.text();
  // Asked for twice before the answer came: the form that is open may hold what was done in it.
  if (dialog.open) return;
  dialog.querySelector("[data-crop-host]").replaceChildren(holder.content);
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
