// Numbers on the read-only body picture, one for each lesion of the list beside it.

const SVG = "http://www.w3.org/2000/svg";
// In the picture's own measure, and on the screen.
const SMALLEST_RADIUS = 8;
const TARGET_PX = 24.5;

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** Where a lesion lies, in the picture's own measure: its exact place, else the middle of its site. */
function placeOf(card, map) {
  const { site, x, y } = card.dataset;
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

function mark(card, place, radius) {
  const link = element("a", { href: card.querySelector("a").href, class: `lesion-mark${place.exact ? "" : " lesion-mark-site"}` });
  link.setAttribute("aria-label", `${card.dataset.number}: ${card.querySelector("a").textContent}`);
  const text = element("text", { x: place.x, y: place.y, dy: "0.35em" });
  text.textContent = card.dataset.number;
  text.style.fontSize = `${radius * 1.25}px`;
  link.append(element("circle", { cx: place.x, cy: place.y, r: radius }), text);
  return link;
}

/** Draw the marks, each large enough for a finger at the size the picture has now. */
function draw(map) {
  for (const old of map.querySelectorAll(".lesion-mark")) old.remove();
  const taken = [];
  for (const card of document.querySelectorAll(".lesion-card")) {
    const place = placeOf(card, map);
    const panel = place && panelAt(place, map);
    if (!panel) continue;
    const radius = Math.max(SMALLEST_RADIUS, TARGET_PX / 2 / panel.getScreenCTM().a);
    const apart = 2 * radius - 2;
    // Marks of one site lie side by side, not on one another.
    while (!place.exact && taken.some((other) => Math.hypot(other.x - place.x, other.y - place.y) < apart)) place.x += apart;
    taken.push(place);
    panel.append(mark(card, place, radius));
  }
}

for (const section of document.querySelectorAll("[data-lesion-map]")) {
  const map = section.querySelector("[data-body-map]");
  let width = 0;
  new ResizeObserver(() => {
    if (map.clientWidth === width) return;
    width = map.clientWidth;
    draw(map);
  }).observe(map);
}
