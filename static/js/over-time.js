// Figures over time: what a mark says is written below it; arrow keys go from mark to mark, one stop of Tab a figure.

for (const figure of document.querySelectorAll("[data-time-figure]")) {
  const readout = figure.querySelector("[data-time-readout]");
  for (const drawn of figure.querySelectorAll("svg")) {
    const points = [...drawn.querySelectorAll("[data-time-point]")];
    points.forEach((point, place) => {
      const tell = () => {
        readout.textContent = point.getAttribute("aria-label");
      };
      point.addEventListener("pointerenter", tell);
      point.addEventListener("click", tell);
      point.addEventListener("focus", tell);
      point.addEventListener("keydown", (event) => {
        const to = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: points.length - 1 }[event.code];
        if (to === undefined || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        const next = points[to];
        if (!next) return;
        point.setAttribute("tabindex", "-1");
        next.setAttribute("tabindex", "0");
        next.focus();
      });
    });
  }
}
