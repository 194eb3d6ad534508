// Colour scales for heatmaps: 256 colours from low to high.

// Cividis (Nuñez, Anderton and Renslow 2018) at 33 even steps; it reads the same with any colour vision.
const CIVIDIS = `
  00224e 00285b 002e6a 053371 1a386f 273e6e 32436d 3b496c 434e6c 4b546c 535a6d
  5a5f6e 61656f 686a71 6f7073 767676 7d7c78 848279 8c8878 938e78 9b9476 a39a74
  aba072 b4a76f bcae6c c4b468 cdbb63 d5c25e dec958 e7d150 f0d846 f9e03a fee838`
  .trim()
  .split(/\s+/)
  .map((hex) => [0, 2, 4].map((start) => parseInt(hex.slice(start, start + 2), 16)));

const between = (low, high, share) => low + (high - low) * share;

function cividis(value) {
  const place = value * (CIVIDIS.length - 1);
  const step = Math.min(Math.floor(place), CIVIDIS.length - 2);
  return CIVIDIS[step].map((low, channel) => between(low, CIVIDIS[step + 1][channel], place - step));
}

/** Blue, cyan, yellow, red: the scale of the paper's figures. */
function jet(value) {
  return [3, 2, 1].map((centre) => 255 * Math.min(1, Math.max(0, 1.5 - Math.abs(4 * value - centre))));
}

const SCALES = { cividis, jet };

/** Return Uint8ClampedArray [256 × 4], opaque, of the scale "cividis" or "jet". */
export function colourTable(name) {
  const scale = SCALES[name] ?? cividis;
  const table = new Uint8ClampedArray(256 * 4);
  for (let value = 0; value < 256; value += 1) table.set([...scale(value / 255), 255], value * 4);
  return table;
}
