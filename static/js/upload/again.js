// When photos that could not be sent are tried again: after 5, 10, 20 … seconds, five minutes at most; at once when the
// connection is back or somebody comes back to the page.

const FIRST_MS = 5000;
const LONGEST_MS = 300_000;
const TICK_MS = 1000;

export class Again {
  /** `run()` tries what waits; `tick(seconds)` tells each second how long it is until then. */
  constructor({ run, tick }) {
    Object.assign(this, { run, tick, failures: 0, dueAt: 0 });
    window.addEventListener("online", () => this.worked());
    window.addEventListener("focus", () => this.early());
    document.addEventListener("visibilitychange", () => document.hidden || this.early());
  }

  /** One could not be sent; the server may have said for how many `seconds` to wait. All that wait are tried together,
   * so the first sets the time. */
  failed(seconds = 0) {
    if (!this.dueAt) {
      this.failures += 1;
      this.dueAt = Date.now() + Math.max(1000 * seconds, Math.min(LONGEST_MS, FIRST_MS * 2 ** (this.failures - 1)));
      this.timer = setInterval(() => this.look(), TICK_MS);
    }
    this.look();
  }

  /** The server takes photos again: what waits need not wait longer. */
  worked() {
    this.failures = 0;
    if (this.dueAt) this.now();
  }

  /** A try between, which makes no later one wait longer. */
  early() {
    if (!this.dueAt) return;
    this.failures -= 1;
    this.now();
  }

  look() {
    const left = this.dueAt - Date.now();
    if (left <= 0) this.now();
    else this.tick(Math.ceil(left / 1000));
  }

  now() {
    clearInterval(this.timer);
    this.dueAt = 0;
    this.run();
  }

  /** Nothing waits any more. */
  rest() {
    clearInterval(this.timer);
    this.dueAt = 0;
  }
}
