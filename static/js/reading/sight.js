// How long a photo was in sight: from when it is shown, while the page is visible.

export class Sight {
  constructor() {
    this.spent = new Map();
    this.position = null;
    this.since = null;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.stop() : this.start()));
  }

  /** The photo at `position` is in sight from now on; null: none is. */
  show(position) {
    this.stop();
    this.position = position;
    this.start();
  }

  start() {
    if (this.position !== null && this.since === null && !document.hidden) this.since = performance.now();
  }

  stop() {
    if (this.since === null) return;
    this.add(this.position, (performance.now() - this.since) / 1000);
    this.since = null;
  }

  add(position, seconds) {
    this.spent.set(position, (this.spent.get(position) ?? 0) + seconds);
  }

  /** Seconds that the photo at `position` was in sight until now. */
  seconds(position) {
    const running = position === this.position && this.since !== null ? (performance.now() - this.since) / 1000 : 0;
    return Math.round(((this.spent.get(position) ?? 0) + running) * 1000) / 1000;
  }
}
