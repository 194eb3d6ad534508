// Answers on their way to the server. Each is kept in this browser until the server has said that it has it, so
// that neither a lost connection nor a closed window loses one.
import { newKey } from "../random-key.js";
import { addressOf, keptName } from "./kept.js";

const PREFIX = "skinclinic-reading";
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
const TIMEOUT_MS = 20_000;

/** The sessions below the address `home` of the link `who` of which answers wait on this device. */
export function basesBelow(home, who) {
  try {
    const names = Object.keys(localStorage).map((name) => name.split(" ")).filter(([first]) => first === PREFIX);
    return new Set(names.map(([, name]) => addressOf(name, home, who)).filter(Boolean));
  } catch {
    return new Set();
  }
}

export class Queue {
  /**
   * `base`: the address of the session, below `home` of the link that is called `who` on this device. Called:
   * `onState(state, waiting)` with saving, saved, offline or error;
   * `onTaken(item, answer)` with the server's JSON; `onRefused(item, error)`; `onEnd(error, waiting)`.
   */
  constructor(base, { home, who }, handlers) {
    this.base = base;
    this.prefix = `${PREFIX} ${keptName(base, home, who)} `;
    this.handlers = handlers;
    this.items = this.stored();
    this.isBusy = false;
    this.isFailing = false;
    this.hasEnded = false;
    this.pause = FIRST_PAUSE_MS;
    for (const name of ["online", "focus"]) window.addEventListener(name, () => this.wake());
    if (this.items.length) this.drain();
  }

  /** What an earlier visit, or another window, could not send; in the order it was given. */
  stored() {
    try {
      return Object.keys(localStorage)
        .filter((name) => name.startsWith(this.prefix))
        .map((name) => JSON.parse(localStorage.getItem(name)))
        .sort((a, b) => a.order - b.order);
    } catch {
      return [];
    }
  }

  /** Keep a change to the answer at `position` and send it as soon as may be. Returns what was kept. */
  add(position, body) {
    const item = {
      order: Math.max(Date.now(), (this.items.at(-1)?.order ?? 0) + 1),
      position,
      body: { key: newKey(), given_at: new Date().toISOString(), ...body },
    };
    this.items.push(item);
    try {
      localStorage.setItem(this.prefix + item.body.key, JSON.stringify(item));
    } catch {
      // A browser that refuses storage keeps it as long as the page is open.
    }
    if (this.isFailing) this.handlers.onState("offline", this.items.length);
    this.wake();
    return item;
  }

  waitsFor(position) {
    return this.items.some((item) => item.position === position);
  }

  forget(item) {
    this.items = this.items.filter((other) => other !== item);
    try {
      localStorage.removeItem(this.prefix + item.body.key);
    } catch {
      // Then it was never stored.
    }
  }

  /** Let go of what can never be taken; the reader has seen that. */
  giveUp() {
    for (const item of this.items) this.forget(item);
  }

  /** Something may have changed: try at once, and should that fail, or a try on its way, soon again. */
  wake() {
    this.pause = FIRST_PAUSE_MS;
    this.endPause?.();
    this.drain();
  }

  /** Resolves when nothing waits any more. */
  async empty() {
    while (this.items.length && !this.hasEnded) await new Promise((resolve) => setTimeout(resolve, 100));
    return !this.hasEnded;
  }

  async drain() {
    if (this.isBusy || this.hasEnded || !this.items.length) return;
    this.isBusy = true;
    if (!this.isFailing) this.handlers.onState("saving", this.items.length);
    while (this.items.length && !this.hasEnded) await this.sendFirst();
    this.isBusy = false;
    if (!this.hasEnded) this.handlers.onState("saved", 0);
  }

  async sendFirst() {
    const [item] = this.items;
    const { status, data } = await this.post(item);
    // What the server says of the answers that wait: this one again, the next, or none any more. Anything else, such
    // as the page of a proxy, says nothing about the answer: it is sent again.
    const then = data?.error?.then;
    if (status === 200 && data) {
      this.isFailing = false;
      this.pause = FIRST_PAUSE_MS;
      this.forget(item);
      this.handlers.onTaken(item, data);
    } else if (then === "over") {
      this.hasEnded = true;
      this.handlers.onState("error", this.items.length);
      this.handlers.onEnd(data.error, this.items.length);
    } else if (then === "next") {
      this.forget(item);
      this.handlers.onRefused(item, data.error);
    } else {
      await this.wait();
    }
  }

  async post(item) {
    try {
      const answer = await fetch(`${this.base}photo/${item.position}/answer`, {
        method: "POST",
        body: JSON.stringify({ ...item.body, waiting: this.items.length }),
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        credentials: "same-origin",
        keepalive: true,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return { status: answer.status, data: await answer.json().catch(() => null) };
    } catch {
      return { status: 0, data: null };
    }
  }

  /** Wait before the next try, each time longer; a returning connection or a new answer ends it. */
  async wait() {
    this.isFailing = true;
    this.handlers.onState("offline", this.items.length);
    const pause = this.pause * (0.75 + Math.random() / 2);
    this.pause = Math.min(LONGEST_PAUSE_MS, this.pause * 2);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, pause);
      this.endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.endPause = null;
  }
}
