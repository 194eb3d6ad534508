// Numbers on the body picture where lesions lie.

const SVG = "http://www.w3.org/2000/svg";
// In the picture's own measure, and on the screen.
const SMALLEST_RADIUS = 8;
const TARGET_PX = 24.5;

export function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** Where a lesion lies, in the picture's own measure: its exact place, else the middle of its site. */
function placeOf({ site, x, y }, map) {
  if (x && y) return { x: Number(x) * map.dataset.width, y: Number(y) * map.dataset.height, exact: true };
  const region = site && map.querySelector(`.body-map-region[data-site="${CSS.escape(site)}"]`);
  if (!region) return null;
  const [centreX, centreY] = region.dataset.centre.split(" ").map(Number);
  return { x: centreX, y: centreY, exact: false };
}

function panelAt({ x, y }, map) {
  return [...map.querySelectorAll("svg.body-map-panel")].find((panel) => {
    const box = panel.viewBox.baseVal;
    return x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
  });
}

/**
 * Draw a mark for each of `lesions`, elements with data-number, data-site, data-x and data-y, large enough for a finger
 * at the size the picture has now. `make(lesion)` gives the element that holds a mark.
 */
export function drawMarks(map, lesions, make) {
  for (const old of map.querySelectorAll(".lesion-mark")) old.remove();
  const taken = [];
  for (const lesion of lesions) {
    const place = placeOf(lesion.dataset, map);
    const panel = place && panelAt(place, map);
    if (!panel) continue;
    const radius = Math.max(SMALLEST_RADIUS, TARGET_PX / 2 / panel.getScreenCTM().a);
    const apart = 2 * radius - 2;
    // Marks of one site lie side by side, not on one another.
    while (!place.exact && taken.some((other) => Math.hypot(other.x - place.x, other.y - place.y) < apart)) place.x += apart;
    taken.push(place);
    const mark = make(lesion);
    mark.classList.add("lesion-mark");
    mark.classList.toggle("lesion-mark-site", !place.exact);
    const text = element("text", { x: place.x, y: place.y, dy: "0.35em" });
    text.textContent = lesion.dataset.number;
    text.style.fontSize = `${radius * 1.25}px`;
    mark.append(element("circle", { cx: place.x, cy: place.y, r: radius }), text);
    panel.append(mark);
  }
}

/** Call `draw` now and whenever the picture has another size. */
export function drawnAtEverySize(map, draw) {
  let width = 0;
  new ResizeObserver(() => {
    if (map.clientWidth === width) return;
    width = map.clientWidth;
    draw();
  }).observe(map);
}
