// Photos fetched and decoded before their turn. They live in memory only: nothing is cached on the device.

const KEPT_BEFORE = 1;
/** So many photos are fetched before their turn; the server gives no more. */
export const AHEAD = 2;

export class PhotoRefused extends Error {
  constructor(error) {
    super(error?.message ?? "");
    this.code = error?.code ?? "";
  }
}

export class Photos {
  /** `address(position)` of a photo; `total` of them. */
  constructor(address, total) {
    this.address = address;
    this.total = total;
    this.held = new Map();
  }

  /** The photo at `position` as {url, width, height}. Rejects with PhotoRefused, or as fetch does. */
  get(position) {
    if (!this.held.has(position)) {
      const made = this.fetch(position);
      this.held.set(position, made);
      made.catch(() => this.held.delete(position));
    }
    return this.held.get(position);
  }

  async fetch(position) {
    const answer = await fetch(this.address(position), { credentials: "same-origin", cache: "no-store" });
    if (!answer.ok) {
      const data = await answer.json().catch(() => null);
      throw data?.error ? new PhotoRefused(data.error) : new Error(String(answer.status));
    }
    const image = new Image();
    image.src = URL.createObjectURL(await answer.blob());
    await image.decode();
    // The element is held too, so that the browser keeps what it decoded.
    return { url: image.src, width: image.naturalWidth, height: image.naturalHeight, image };
  }

  /** Fetch the next ones, none after `last`, and let go of those far from `position`. */
  async keepAround(position, last) {
    for (const [other, photo] of this.held) {
      if (other >= position - KEPT_BEFORE && other <= position + AHEAD) continue;
      this.held.delete(other);
      photo.then(({ url }) => URL.revokeObjectURL(url)).catch(() => null);
    }
    for (let next = position + 1; next <= Math.min(this.total, last, position + AHEAD); next += 1) {
      await this.get(next).catch(() => null);
    }
  }
}
