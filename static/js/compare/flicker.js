// Photo A and photo B in turn: off until it is started, three changes a second at most, never where the system asks
// for less motion; B also shows while X is held, or by its button.

const FASTEST = 340;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Flicker {
  constructor(section) {
    this.root = section.querySelector(".compare");
    this.button = section.querySelector('[data-flicker="run"]');
    this.pace = section.querySelector('[data-flicker="pace"]');
    this.other = section.querySelector('[data-flicker="other"]');
    this.timer = 0;
    this.leaving = new AbortController();
    if (!this.button) return;
    const { signal } = this.leaving;
    this.button.addEventListener("click", () => (this.timer ? this.stop() : this.run()));
    this.pace.addEventListener("change", () => this.timer && this.run());
    this.other.addEventListener("click", () => {
      this.stop(this.root.classList.contains("compare-other"));
      this.set(!this.root.classList.contains("compare-other"));
    });
    document.addEventListener("keyup", (event) => this.isHeld && event.code === "KeyX" && this.release(), { signal });
    window.addEventListener("blur", () => this.isHeld && this.release(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden && this.stop(), { signal });
    calm.addEventListener("change", () => this.respect(), { signal });
    // The choice of a pace belongs to this, not to the form's address.
    this.respect();
  }

  respect() {
    if (calm.matches) this.stop();
    this.button.hidden = calm.matches;
    this.pace.closest("[data-flicker-pace]").hidden = calm.matches;
    this.root.parentElement.querySelector("[data-flicker-calm]").hidden = !calm.matches;
  }

  run() {
    clearInterval(this.timer);
    const toggle = () => this.set(!this.root.classList.contains("compare-other"));
    this.timer = setInterval(toggle, Math.max(FASTEST, Number(this.pace.value)));
    this.button.textContent = this.button.dataset.stop;
  }

  stop(showsOther = false) {
    clearInterval(this.timer);
    this.timer = 0;
    if (!this.button) return;
    this.button.textContent = this.button.dataset.start;
    this.set(showsOther);
  }

  hold() {
    if (!this.button || this.root.dataset.mode !== "flicker") return;
    this.stop();
    this.isHeld = true;
    this.set(true);
  }

  release() {
    this.isHeld = false;
    this.set(false);
  }

  set(isOther) {
    this.root.classList.toggle("compare-other", isOther);
    this.other.setAttribute("aria-pressed", String(isOther));
  }

  leave() {
    clearInterval(this.timer);
    this.leaving.abort();
  }
}
