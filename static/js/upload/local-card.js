// The card of a file that is not stored yet: waiting, sending, checking, refused, duplicate or not_sent.
import { sendInTurn } from "./sender.js";
import { say } from "./words.js";

const MEGABYTE = 2 ** 20;
// Worth another try with the same bytes; any other error is about the file itself.
const PASSING = new Set(["NetworkError", "storage_full", "database", "failed", "cut_off", "broken_form"]);

/** Opens at `list`, sends itself, and calls `onStored(card, data)` once the server has the photo. */
export class LocalCard {
  constructor(file, { form, list, onStored, onChange }) {
    Object.assign(this, { file, form, onStored, onChange, attempts: 0, state: "" });
    this.lesion = form.elements.lesion?.value ?? "";
    this.kind = form.elements.kind.value;
    this.element = document.getElementById("local-card").content.firstElementChild.cloneNode(true);
    this.find("bdi").textContent = shown(file.name);
    this.find(".upload-name").title = shown(file.name);
    this.find("[data-again]").addEventListener("click", () => this.send());
    this.find("[data-drop]").addEventListener("click", () => this.remove());
    this.showPreview();
    list.append(this.element);
  }

  get name() {
    return shown(this.file.name);
  }

  get mayRetry() {
    return this.state === "not_sent";
  }

  get isPending() {
    return ["waiting", "sending", "checking"].includes(this.state);
  }

  async send() {
    const problem = this.problemOfSize();
    if (problem) return this.show("refused", problem);
    this.attempts += 1;
    this.stop = new AbortController();
    this.show("waiting");
    try {
      this.settle(
        await sendInTurn(this.form.action, this.body(), {
          signal: this.stop.signal,
          onStart: () => this.show("sending"),
          onProgress: (share) => (this.find("progress").value = share),
          onSent: () => this.show("checking"),
        }),
      );
    } catch (error) {
      if (error.name === "AbortError") return;
      this.fail(error.name, (await this.isReadable()) ? say("network") : say("unreadable"));
    }
  }

  body() {
    const body = new FormData();
    body.append("file", this.file, this.file.name);
    body.append("kind", this.kind);
    if (this.lesion) body.append("lesion", this.lesion);
    return body;
  }

  settle({ status, data }) {
    const isNew = status === 201 || (status === 200 && this.attempts > 1);
    if (isNew && data?.id) return this.onStored(this, data);
    if (status === 200 && data?.id) return this.showDuplicate(data);
    if (data?.error) return this.fail(data.error.code, data.error.message);
    if (status === 503) return this.fail("database", say("database"));
    if (status === 403) return this.fail("stale", say("stale"));
    this.fail("failed", say("failed"));
  }

  fail(code, message) {
    this.code = code;
    this.show(PASSING.has(code) ? "not_sent" : "refused", message);
  }

  showDuplicate(data) {
    const link = this.find("[data-existing]");
    link.href = data.url;
    this.find("img").src = data.thumbnail;
    this.find("img").hidden = false;
    this.show("duplicate", say("duplicate"));
  }

  show(state, words = "") {
    this.state = state;
    this.element.dataset.state = state;
    const pill = document.querySelector(`template[data-pill-of="${state}"]`).content.cloneNode(true);
    this.find("[data-pill]").replaceChildren(pill);
    const reason = this.find(".upload-words");
    reason.textContent = words;
    reason.hidden = !words;
    const bar = this.find("progress");
    bar.hidden = state !== "sending" && state !== "checking";
    if (state === "sending") bar.value = 0;
    if (state === "checking") bar.removeAttribute("value");
    this.find("[data-again]").hidden = !this.mayRetry;
    this.find("[data-drop]").hidden = state === "checking";
    // The stored photo stays where it is; only this card goes.
    this.find("[data-existing]").hidden = state !== "duplicate";
    this.find("[data-when-existing]").hidden = state !== "duplicate";
    this.find("[data-when-own]").hidden = state === "duplicate";
    this.onChange(this, words);
  }

  remove() {
    this.stop?.abort();
    this.state = "removed";
    const neighbour = this.element.nextElementSibling ?? this.element.previousElementSibling;
    this.element.remove();
    this.forgetPreview();
    (neighbour?.querySelector("a:not([tabindex]), button:not([hidden])") ?? this.form.querySelector("[data-pick]")).focus();
    this.onChange(this, "");
  }

  problemOfSize() {
    if (this.file.size === 0) return say("empty");
    const limit = Number(this.form.dataset.maxBytes);
    if (this.file.size <= limit) return "";
    return say("tooLarge", { megabytes: (this.file.size / MEGABYTE).toFixed(1), limit: Math.floor(limit / MEGABYTE) });
  }

  /** A file that was moved or changed since it was chosen fails like a lost connection. */
  async isReadable() {
    try {
      await this.file.slice(0, 1).arrayBuffer();
      return true;
    } catch {
      return false;
    }
  }

  /** The file itself, until the server's thumbnail is there. A browser that cannot draw HEIC keeps the icon. */
  showPreview() {
    this.preview = URL.createObjectURL(this.file);
    const image = this.find("img");
    image.addEventListener("load", () => (image.hidden = false));
    image.src = this.preview;
  }

  forgetPreview() {
    URL.revokeObjectURL(this.preview);
  }

  find(selector) {
    return this.element.querySelector(selector);
  }
}

function shown(name) {
  return name.normalize("NFC").replace(/[\p{Cc}\p{Cf}]/gu, "");
}
