// Photos fetched before their turn. They live in memory only: nothing is cached on the device.

const KEPT_BEFORE = 1;
// Decoded photos take much memory, fetched ones little.
const DECODED = 2;
/** So many photos are fetched before their turn, so that reading goes on without a connection. */
export const AHEAD = navigator.connection?.saveData ? 2 : 10;

export class PhotoRefused extends Error {
  constructor(error) {
    super(error?.message ?? "");
    this.code = error?.code ?? "";
  }
}

/** Forget the bytes of a photo, once nobody is decoding them any more. */
async function release(held) {
  const photo = await held.catch(() => null);
  await photo?.image?.catch(() => null);
  await photo?.drawn;
  if (photo) URL.revokeObjectURL(photo.url);
}

export class Photos {
  /** `address(position)` of a photo; `total` of them. */
  constructor(address, total) {
    this.address = address;
    this.total = total;
    this.held = new Map();
    this.around = null;
  }

  /** Let go of a photo that may not be shown any more. */
  drop(position) {
    const photo = this.held.get(position);
    this.held.delete(position);
    if (photo) release(photo);
  }

  /** Fetch no more before its turn. */
  rest() {
    this.around = null;
  }

  /**
   * The photo at `position` as {width, height, showIn}. Rejects with PhotoRefused, or as fetch does.
   * `showIn(element)` resolves when the element has drawn it, or cannot.
   */
  async get(position) {
    const photo = await this.hold(position);
    photo.image ??= this.decode(photo.url);
    const image = await photo.image;
    const showIn = (element) => {
      element.src = photo.url;
      photo.drawn = element.decode().catch(() => null);
      return photo.drawn;
    };
    return { width: image.naturalWidth, height: image.naturalHeight, showIn };
  }

  hold(position) {
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
    return { url: URL.createObjectURL(await answer.blob()), image: null };
  }

  /** The element is held, so that the browser keeps what it decoded. */
  async decode(url) {
    const image = new Image();
    image.src = url;
    await image.decode();
    return image;
  }

  /** Fetch the next ones, none after `last`, and let go of those far from `position`. */
  async keepAround(position, last) {
    this.around = position;
    for (const [other, photo] of this.held) {
      if (other >= position - KEPT_BEFORE && other <= position + AHEAD) continue;
      this.held.delete(other);
      release(photo);
    }
    for (let next = position + 1; next <= Math.min(this.total, last, position + AHEAD); next += 1) {
      const wanted = next <= position + DECODED ? this.get(next) : this.hold(next);
      await wanted.catch(() => null);
      if (this.around !== position) return;
    }
  }
}
