// A square inside a photo, in whole pixels. Pure: no page.

export const SMALLEST = 32;

/** The largest square in the middle. */
export function largest({ width, height }) {
  const size = Math.min(width, height);
  return { x: Math.floor((width - size) / 2), y: Math.floor((height - size) / 2), size };
}

/** Whether the box lies inside the photo and is large enough. */
export function fits({ x, y, size }, { width, height }) {
  return [x, y, size].every(Number.isInteger) && size >= SMALLEST && x >= 0 && y >= 0 && x + size <= width && y + size <= height;
}

/** The nearest box that fits: first the size, then the place. */
export function clamped({ x, y, size }, { width, height }) {
  const side = limited(size, SMALLEST, Math.min(width, height));
  return { x: limited(x, 0, width - side), y: limited(y, 0, height - side), size: side };
}

export function moved(box, dx, dy, photo) {
  return clamped({ ...box, x: box.x + dx, y: box.y + dy }, photo);
}

/** Grown by `by` pixels (shrunk when negative) round its middle, as far as the photo allows. */
export function resized(box, by, photo) {
  const size = limited(box.size + by, SMALLEST, Math.min(photo.width, photo.height));
  const shift = (box.size - size) / 2;
  return clamped({ x: box.x + shift, y: box.y + shift, size }, photo);
}

/** Held by two fingers at `before` and now at `after`: grown by how far they moved apart, and moved along with them. */
export function pinched(box, before, after, photo) {
  const apart = ([one, other]) => Math.max(1, Math.hypot(one.x - other.x, one.y - other.y));
  const middle = ([one, other]) => ({ x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 });
  const grown = resized(box, box.size * (apart(after) / apart(before) - 1), photo);
  return moved(grown, middle(after).x - middle(before).x, middle(after).y - middle(before).y, photo);
}

/** The square from the fixed corner `from` towards the pointer at `to`. */
export function spanned(from, to, photo) {
  const right = to.x >= from.x;
  const down = to.y >= from.y;
  const room = Math.min(right ? photo.width - from.x : from.x, down ? photo.height - from.y : from.y);
  const wish = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y));
  const size = Math.round(limited(wish, Math.min(SMALLEST, room), room));
  return clamped({ x: right ? from.x : from.x - size, y: down ? from.y : from.y - size, size }, photo);
}

function limited(value, low, high) {
  return Math.round(Math.min(Math.max(value, low), Math.max(low, high)));
}
