// The time a photo has: nothing can be chosen before `after` seconds in sight, and it is over after `limit`.

const TICK_MS = 200;

export class Clock {
  /**
   * `sight`: the Sight of the photos; `line`: where the time is said, with data-say-wait and data-say-left. Called:
   * `onOpen()` when choosing begins, `onOver()` when the time is over.
   */
  constructor({ after, limit, sight, line, onOpen, onOver }) {
    Object.assign(this, { after, limit, sight, line, onOpen, onOver });
    this.position = null;
    this.isOpen = true;
    if (after || limit) setInterval(() => this.tick(), TICK_MS);
  }

  /** The photo at `position` is in work; `again`: its time begins anew, and it can be answered at once. */
  start(position, { again = false } = {}) {
    this.position = position;
    this.before = again ? this.sight.seconds(position) : 0;
    this.isOpen = again || this.sight.seconds(position) >= this.after;
    this.tick();
  }

  stop() {
    this.position = null;
    this.say("");
  }

  tick() {
    if (this.position === null) return;
    const spent = this.sight.seconds(this.position) - this.before;
    if (!this.isOpen && spent >= this.after) {
      this.isOpen = true;
      this.onOpen();
    }
    if (this.limit && spent >= this.limit) {
      this.stop();
      this.onOver();
    } else if (!this.isOpen) {
      this.say("sayWait", this.after - spent);
    } else {
      this.say(this.limit ? "sayLeft" : "", this.limit - spent);
    }
  }

  say(name, seconds = 0) {
    const text = name ? this.line.dataset[name].replace("{n}", Math.ceil(seconds)) : "";
    if (this.line.textContent !== text) this.line.textContent = text;
    this.line.hidden = !text;
  }
}
