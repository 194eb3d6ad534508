// The Crop button of a card opens the crop form in a dialog.
import { setUpCrop } from "../crop.js";
import { fetchForm } from "../fetched-form.js";
import { toast } from "../toast.js";
import { addAfter } from "./pictures.js";
import { freshen, watchSoon } from "./stored-card.js";
import { say } from "./words.js";

const dialog = document.getElementById("crop-dialog");
const host = dialog.querySelector("[data-crop-host]");

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-crop-photo]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const form = await fetchForm(link.href, dialog);
  if (form === null) return toast(say("cropFailed"), { kind: "error" });
  if (!form) return;
  host.replaceChildren(form);
  setUpCrop(host.querySelector("[data-crop]"));
  dialog.showModal();
  host.querySelector("[data-box]").focus();
});

dialog.addEventListener("close", () => host.replaceChildren());

dialog.addEventListener("crop:saved", (event) => {
  event.preventDefault();
  dialog.close();
  const { id, html, of } = event.detail;
  if (of && !document.querySelector(`.upload-card[data-photo="${id}"]`)) addAfter(of, html);
  for (const card of document.querySelectorAll(`.upload-card[data-photo="${id}"]`)) freshen(card, html);
  document.dispatchEvent(new CustomEvent("cards:changed"));
  watchSoon();
});
