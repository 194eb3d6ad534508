// The paper's three panels: the analysed square of the photo, the heatmap over it, the heatmap alone.

const LAYERS = {
  photo: { photo: true, heat: 0 },
  overlay: { photo: true, heat: null },
  heatmap: { photo: false, heat: 1 },
};

/** Draw the canvases in `panels`: `heatmap` has the picture that lies over the photo (clear where it is low) and the one
 * to see `alone`; `opacity` (0 to 1) is the overlay's. */
export function drawPanels(panels, viewer, heatmap, opacity) {
  const { photo, box, width } = viewer;
  const scale = photo.naturalWidth / width;
  for (const canvas of panels.querySelectorAll("[data-panel]")) {
    const layers = LAYERS[canvas.dataset.panel];
    const paper = canvas.getContext("2d");
    paper.imageSmoothingQuality = "high";
    paper.globalAlpha = 1;
    paper.clearRect(0, 0, canvas.width, canvas.height);
    if (layers.photo) {
      const side = box.size * scale;
      paper.drawImage(photo, box.x * scale, box.y * scale, side, side, 0, 0, canvas.width, canvas.height);
    }
    paper.globalAlpha = layers.heat ?? opacity;
    paper.drawImage(layers.photo ? heatmap.canvas : heatmap.alone, 0, 0, canvas.width, canvas.height);
  }
}
