// Figures that read out their values: the point nearest to the pointer, or the arrow keys from point to point.

const SVG = "http://www.w3.org/2000/svg";

for (const holder of document.querySelectorAll("[data-figure]")) {
  const source = document.getElementById(holder.dataset.figure);
  const series = source ? JSON.parse(source.textContent) : [];
  if (series.length) follow(holder, series);
}

function follow(holder, series) {
  const drawing = holder.querySelector("svg");
  const output = holder.parentElement.querySelector("output");
  const cursor = document.createElementNS(SVG, "circle");
  cursor.setAttribute("class", "fig-cursor");
  cursor.setAttribute("r", "6");
  let at = null;

  function show(line, place) {
    at = { line, place };
    const [x, y, text] = series[line].points[place];
    cursor.setAttribute("cx", x);
    cursor.setAttribute("cy", y);
    drawing.append(cursor);
    output.textContent = series.length > 1 ? `${series[line].name}: ${text}` : text;
  }

  function hide() {
    at = null;
    cursor.remove();
    output.textContent = output.dataset.hint;
  }

  function nearest(x, y) {
    let best = null;
    let least = Infinity;
    series.forEach(({ points }, line) =>
      points.forEach(([px, py], place) => {
        const distance = (px - x) ** 2 + (py - y) ** 2;
        if (distance < least) [best, least] = [[line, place], distance];
      })
    );
    return best;
  }

  holder.addEventListener("pointermove", (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse());
    show(...nearest(point.x, point.y));
  });
  holder.addEventListener("pointerleave", () => {
    if (document.activeElement !== holder) hide();
  });
  holder.addEventListener("focus", () => {
    if (!at) show(0, 0);
  });
  holder.addEventListener("blur", hide);
  holder.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { line, place } = at ?? { line: 0, place: 0 };
    const last = series[line].points.length - 1;
    const step = event.shiftKey ? 10 : 1;
    const to = {
      ArrowRight: [line, Math.min(place + step, last)],
      ArrowLeft: [line, Math.max(place - step, 0)],
      ArrowDown: [(line + 1) % series.length, place],
      ArrowUp: [(line + series.length - 1) % series.length, place],
      Home: [line, 0],
      End: [line, last],
    }[event.code];
    if (!to) return;
    event.preventDefault();
    show(to[0], Math.min(to[1], series[to[0]].points.length - 1));
  });
}
