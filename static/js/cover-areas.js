// Areas of a photo that are to be covered, in whole pixels. Pure: no page.

const whole = (value, low, high) => Math.round(Math.min(Math.max(value, low), Math.max(low, high)));

/** The nearest area inside the photo ({width, height, smallest}): first its size, then its place. */
export function clamped(area, photo) {
  const width = whole(area.width, photo.smallest, photo.width);
  const height = whole(area.height, photo.smallest, photo.height);
  return { ...area, width, height, x: whole(area.x, 0, photo.width - width), y: whole(area.y, 0, photo.height - height) };
}

export function moved(area, dx, dy, photo) {
  return clamped({ ...area, x: area.x + dx, y: area.y + dy }, photo);
}

/** Its right and lower edges moved by so much; the others stay. */
export function resized(area, dx, dy, photo) {
  const width = whole(area.width + dx, photo.smallest, photo.width - area.x);
  const height = whole(area.height + dy, photo.smallest, photo.height - area.y);
  return clamped({ ...area, width, height }, photo);
}

/** The area between two points, as far as they lie in the photo. */
export function between(from, to, photo, shape) {
  const inside = ({ x, y }) => ({ x: whole(x, 0, photo.width), y: whole(y, 0, photo.height) });
  const [one, other] = [inside(from), inside(to)];
  const [x, y] = [Math.min(one.x, other.x), Math.min(one.y, other.y)];
  return clamped({ x, y, width: Math.abs(one.x - other.x), height: Math.abs(one.y - other.y), shape }, photo);
}

/** A new area, a fifth of the photo's shorter side, with its middle here. */
export function around({ x, y }, photo, shape) {
  const side = Math.max(photo.smallest, Math.min(photo.width, photo.height) / 5);
  return clamped({ x: x - side / 2, y: y - side / 2, width: side, height: side, shape }, photo);
}
