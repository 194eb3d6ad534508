// The page of a patient: a tap on the body opens the camera; what was taken waits on this device until the page of the
// patient's photos, which comes next, has sent it.
import { countKept, keep, ownerOf } from "./kept-photos.js";
import { newKey } from "./random-key.js";
import { toast } from "./toast.js";

const section = document.querySelector("[data-shoot]");
const map = section?.querySelector("[data-body-map]");
const input = section?.querySelector("input[type=file]");
let place = null;
let keepsNothing = false;

function placeAt({ clientX, clientY, target }) {
  const region = target.closest?.(".body-map-region[data-site]");
  if (!region) return null;
  const point = new DOMPoint(clientX, clientY).matrixTransform(region.ownerSVGElement.getScreenCTM().inverse());
  const share = (part, whole) => (part / Number(whole)).toFixed(4);
  return {
    name: region.getAttribute("aria-label"),
    place_key: newKey(),
    site: region.dataset.site,
    site_x: share(point.x, map.dataset.width),
    site_y: share(point.y, map.dataset.height),
  };
}

function goOn() {
  const { name, ...asked } = place;
  location.assign(`${section.dataset.shoot}?${new URLSearchParams(asked)}`);
}

async function take(files) {
  const { patient, code, clinic, where } = section.dataset;
  const { name, ...there } = place;
  const owner = ownerOf(document.documentElement.dataset.person, clinic);
  for (const file of files) {
    await keep({
      key: newKey(), owner, file, name: file.name, kind: "close_up", chosenAt: Date.now(), isOnItsWay: true,
      lesion: "", patient: { id: patient, code }, place: there, where: `${where} · ${name}`,
    });
  }
  goOn();
}

if (section) {
  countKept("").catch(() => (keepsNothing = true));
  input.multiple = !matchMedia("(pointer: coarse)").matches;
  map.addEventListener("click", (event) => {
    const found = placeAt(event);
    if (!found) return;
    place = found;
    if (keepsNothing) goOn();
    else input.click();
  });
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = ""; // so that the same file can be chosen again
    if (files.length) take(files).catch(() => toast(section.dataset.notKept, { kind: "error", seconds: 0 }));
  });
}
