// From the network's few numbers to a smooth picture.

/** Weights of the four neighbours at `t` (0 to 1) between the middle two: Catmull and Rom's cubic. */
function weights(t) {
  return [
    t * (-0.5 + t * (1 - 0.5 * t)),
    1 + t * t * (-2.5 + 1.5 * t),
    t * (0.5 + t * (2 - 1.5 * t)),
    t * t * (-0.5 + 0.5 * t),
  ];
}

/** For each of `to` pixels: which four of `from` cells it lies between, clamped at the edge, and their weights. */
function taps(from, to) {
  return Array.from({ length: to }, (_, pixel) => {
    const place = ((pixel + 0.5) * from) / to - 0.5;
    const first = Math.floor(place);
    const cells = [-1, 0, 1, 2].map((offset) => Math.min(from - 1, Math.max(0, first + offset)));
    return { cells, weights: weights(place - first) };
  });
}

const blend = (tap, read) => tap.cells.reduce((sum, cell, i) => sum + tap.weights[i] * read(cell), 0);

/** Enlarge `rows` (numbers in [0, 1], row by row) to Float32Array [size × size] in [0, 1], cell centres in place. */
export function upsample(rows, size) {
  const across = taps(rows[0].length, size);
  const down = taps(rows.length, size);
  const wide = rows.map((row) => across.map((tap) => blend(tap, (cell) => row[cell])));
  const picture = new Float32Array(size * size);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const value = blend(down[y], (cell) => wide[cell][x]);
      picture[y * size + x] = Math.min(1, Math.max(0, value));
    }
  }
  return picture;
}
