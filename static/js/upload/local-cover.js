// Covering a photo that is not sent yet: it is decoded, covered and encoded here, and the covered one takes its place.
import { CoverForm, draw } from "../cover.js";
import { toast } from "../toast.js";
import { withDateOf } from "./camera-date.js";

const QUALITY = 0.95;

/** Open the form for this LocalCard. */
export async function coverHere(card) {
  const dialog = document.getElementById("cover-dialog");
  const content = document.getElementById("local-cover").content.cloneNode(true);
  const form = content.querySelector("form[data-cover]");
  // Upright, as the camera says, and in the colours of screens.
  const picture = await createImageBitmap(card.photo.file).catch(() => null);
  if (!picture) return toast(form.dataset.cannotDraw, { kind: "error" });
  // Asked for twice before the answer came: the form that is open may hold what was done in it.
  if (dialog.open) return picture.close();
  dialog.querySelector("[data-cover-host]").replaceChildren(content);
  form.dataset.width = String(picture.width);
  form.dataset.height = String(picture.height);
  form.querySelector("[data-may-be-there]").hidden = !card.mayBeThere;
  const address = URL.createObjectURL(card.photo.file);
  form.querySelector("[data-frame] img").src = address;
  new CoverForm(form, async (areas) => {
    const file = await covered(card.photo.file, picture, areas);
    if (!file) return form.dataset.tooLarge;
    await card.putCovered(file, { areas, sha256: await hashOf(card.photo.file) });
    dialog.close();
    card.find("[data-again]").focus();
    return "";
  });
  dialog.addEventListener("close", () => (picture.close(), URL.revokeObjectURL(address)), { once: true });
  dialog.showModal();
  form.querySelector("[data-add]").focus();
}

/** The photo with its covers as JPEG, with the day it was taken and nothing else of the file; null where the device has
 * no canvas of its size. */
async function covered(file, picture, areas) {
  const canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  draw(canvas, picture, areas);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  if (!blob) return null;
  const name = `${file.name.replace(/\.[^.]*$/, "")}.jpg`;
  return new File([await withDateOf(file, blob)], name, { type: "image/jpeg" });
}

/** Of the file that stays here; "" where the browser does not tell, outside https. */
async function hashOf(file) {
  if (!crypto.subtle) return "";
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
