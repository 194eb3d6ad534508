// Numbers on the read-only body picture, one for each lesion of the list beside it.
import { drawMarks, drawnAtEverySize, element } from "./body-marks.js";

function link(card) {
  const { href, textContent } = card.querySelector("a");
  return element("a", { href, "aria-label": `${card.dataset.number}: ${textContent}` });
}

for (const section of document.querySelectorAll("[data-lesion-map]")) {
  const map = section.querySelector("[data-body-map]");
  drawnAtEverySize(map, () => drawMarks(map, document.querySelectorAll(".lesion-card"), link));
}
