// Filing several photos, each as a lesion of its own: the body picture shows the place of one photo at a time, the one
// that is chosen in the list, and the numbers of all.
import { setUpBodyMaps } from "./body-map.js";
import { drawMarks, drawnAtEverySize, element } from "./body-marks.js";

/** Bring the places of the filing form in `within` to life, its body picture with them. */
export function setUpFilingPlaces(within) {
  const section = within.querySelector("[data-filing-place]");
  if (!section) return;
  setUpBodyMaps(section);
  const form = section.closest("form");
  const map = section.querySelector("[data-body-map]");
  const rows = [...section.querySelectorAll(".filing-place-each > li")];
  const fieldsOf = (part) => {
    const [x, y] = part.querySelectorAll("input[type=hidden]");
    return { select: part.querySelector("select"), x, y };
  };
  const radioOf = (row) => row.querySelector("input[type=radio]");
  let choice = "";
  const areApart = () => form.querySelector("input[name=lesion]:checked")?.value === "each";

  const bind = () => {
    const chosen = areApart() ? rows.find((row) => radioOf(row).checked) : section.querySelector(".filing-place-one");
    map.dispatchEvent(new CustomEvent("place:bind", { detail: fieldsOf(chosen) }));
    draw();
  };
  const activate = (row) => {
    if (radioOf(row).checked) return;
    radioOf(row).checked = true;
    bind();
  };
  const draw = () => {
    for (const row of rows) {
      const { select, x, y } = fieldsOf(row);
      Object.assign(row.dataset, { site: select.value, x: x.value, y: y.value });
    }
    drawMarks(map, areApart() ? rows : [], (row) => {
      const mark = element("g", { "aria-hidden": "true" });
      mark.classList.toggle("is-chosen", radioOf(row).checked);
      mark.addEventListener("click", (event) => (event.stopPropagation(), activate(row)));
      return mark;
    });
  };

  for (const row of rows) row.addEventListener("focusin", ({ target }) => target.matches("select") && activate(row));
  form.addEventListener("change", ({ target }) => {
    if (target.name === "lesion") choice = target.value;
    if (target.matches("input[name=lesion], input[name=at]")) bind();
    else if (section.contains(target)) draw();
  });
  section.addEventListener("input", draw);
  // Another patient brings other choices of lesions; what was chosen while they were on their way stays chosen.
  form.addEventListener("htmx:afterSwap", () => {
    const same = [...form.querySelectorAll("input[name=lesion]")].find((radio) => radio.value === choice);
    if (same) same.checked = true;
    bind();
  });
  bind();
  drawnAtEverySize(map, draw);
}

setUpFilingPlaces(document);
