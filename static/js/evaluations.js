// Figures that read out their values: the point nearest to the pointer or tapped, or the arrow keys from point to point.
// What is said stands beside the point, and below the figure, where screen readers hear of it.

const SVG = "http://www.w3.org/2000/svg";
const GAP = 12;

for (const holder of document.querySelectorAll("[data-figure]")) {
  const source = document.getElementById(holder.dataset.figure);
  const series = source ? JSON.parse(source.textContent) : [];
  if (series.length) follow(holder, series);
}

function follow(holder, series) {
  const drawings = [...holder.querySelectorAll("svg")];
  const output = holder.parentElement.querySelector("output");
  const cursor = document.createElementNS(SVG, "circle");
  cursor.setAttribute("class", "fig-cursor");
  cursor.setAttribute("r", "6");
  const tip = document.createElement("div");
  tip.className = "evaluation-tip num";
  tip.setAttribute("aria-hidden", "true");
  let at = null;

  // Of the forms of a figure, for wide screens and for phones, the one that is shown, and a point's place in it.
  const shown = () => Math.max(0, drawings.findIndex((one) => one.getClientRects().length));
  const place = (point, form) => point.slice(1 + 2 * form, 3 + 2 * form);

  const said = (line, point) => (series.length > 1 ? `${series[line].name}: ${point[0]}` : point[0]);

  // Whose marks are at the same place; they show as one.
  function others(line, x, y, form) {
    return series.flatMap(({ points, isCurve }, other) => {
      const same = other !== line && !isCurve && points.find((point) => place(point, form).join() === `${x},${y}`);
      return same ? [said(other, same)] : [];
    });
  }

  function show(line, number) {
    at = { line, number };
    const form = shown();
    const point = series[line].points[number];
    const [x, y] = place(point, form);
    cursor.setAttribute("cx", x);
    cursor.setAttribute("cy", y);
    drawings[form].append(cursor);
    output.textContent = [said(line, point), ...others(line, x, y, form)].join("\n");
    tip.textContent = output.textContent;
    holder.append(tip);
    beside(drawings[form], x, y);
  }

  // Above the point, below it where there is no room above, and within the figure.
  function beside(drawing, x, y) {
    const { x: across, y: down } = new DOMPoint(x, y).matrixTransform(drawing.getScreenCTM());
    const frame = holder.getBoundingClientRect();
    const left = Math.min(Math.max(across - frame.left - tip.offsetWidth / 2, 0), frame.width - tip.offsetWidth);
    const above = down - frame.top - tip.offsetHeight - GAP;
    tip.style.left = `${left}px`;
    tip.style.top = `${above < 0 ? down - frame.top + GAP : above}px`;
  }

  function hide() {
    at = null;
    cursor.remove();
    tip.remove();
    output.textContent = output.dataset.hint;
  }

  function nearest(x, y) {
    const form = shown();
    let best = null;
    let least = Infinity;
    series.forEach(({ points }, line) =>
      points.forEach((point, number) => {
        const [px, py] = place(point, form);
        const distance = (px - x) ** 2 + (py - y) ** 2;
        if (distance < least) [best, least] = [[line, number], distance];
      })
    );
    return best;
  }

  function point(event) {
    const matrix = drawings[shown()].getScreenCTM().inverse();
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
    show(...nearest(x, y));
  }

  holder.addEventListener("pointermove", point);
  holder.addEventListener("pointerdown", point);
  holder.addEventListener("pointerleave", (event) => {
    // A finger that is lifted leaves as well; what it tapped stays until something else is.
    if (event.pointerType !== "touch" && document.activeElement !== holder) hide();
  });
  holder.addEventListener("focus", () => {
    if (!at) show(0, 0);
  });
  holder.addEventListener("blur", hide);
  holder.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.code === "Escape") return hide();
    const { line, number } = at ?? { line: 0, number: 0 };
    const last = series[line].points.length - 1;
    const step = event.shiftKey ? 10 : 1;
    const to = {
      ArrowRight: [line, Math.min(number + step, last)],
      ArrowLeft: [line, Math.max(number - step, 0)],
      ArrowDown: [(line + 1) % series.length, number],
      ArrowUp: [(line + series.length - 1) % series.length, number],
      Home: [line, 0],
      End: [line, last],
    }[event.code];
    if (!to) return;
    event.preventDefault();
    show(to[0], Math.min(to[1], series[to[0]].points.length - 1));
  });
}
