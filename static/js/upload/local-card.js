// The card of a file that the server has not acknowledged: kept, waiting, sending, checking, refused, duplicate or
// not_sent. The file is kept in this browser until the server has it or has refused it for good.
import { confirmAction } from "../confirm.js";
import { dayAndTime } from "../dates.js";
import { forget, keep, keptFile } from "../kept-photos.js";
import { destination, fieldsOf } from "./destination.js";
import { isReadable, shown } from "./file-facts.js";
import { coverHere } from "./local-cover.js";
import { sendInTurn } from "./sender.js";
import { say } from "./words.js";

const MEGABYTE = 2 ** 20;
const LONGEST_IN_SECONDS = 90;
// What the server finds wrong with the file itself, and says again however often it is sent.
const FOR_GOOD = new Set([400, 413, 415, 422]);
const ON_THE_WAY = new Set(["cut_off", "broken_form", "no_file", "unknown_kind", "unknown_place"]);

/** Opens at `list`; `onStored(card, data)` once the server has the photo. `photo`: see kept-photos.js. */
export class LocalCard {
  constructor(photo, { form, list, onStored, onChange }) {
    Object.assign(this, { photo, form, onStored, onChange, state: "" });
    Object.assign(this, { mayBeThere: false, isKept: false, keeping: Promise.resolve() });
    this.element = document.getElementById("local-card").content.firstElementChild.cloneNode(true);
    this.find("bdi").textContent = this.name;
    this.find(".upload-name").title = this.name;
    this.find("[data-again]").addEventListener("click", () => this.send());
    this.find("[data-drop]").addEventListener("click", () => this.drop());
    this.find("[data-move]").addEventListener("click", () => document.dispatchEvent(new CustomEvent("photo:move", { detail: this })));
    this.showWhere();
    this.find("[data-cover-local]").addEventListener("click", () => coverHere(this));
    this.showPreview();
    list.append(this.element);
  }

  /** A file that was chosen just now: kept first, and sent. */
  begin() {
    const problem = this.problemOfSize();
    if (problem) return this.show("refused", problem);
    this.keep();
    return this.send();
  }

  /** A file that is to be covered before it is sent. */
  waitForCover() {
    const problem = this.problemOfSize();
    if (problem) return this.show("refused", problem);
    this.keep();
    return this.show("kept", say("waitsForCover"));
  }

  /** The covered photo takes the place of the file, here and in what is kept. `covered`: {areas, sha256}. */
  async putCovered(file, covered) {
    await this.keeping;
    const before = this.photo.covered;
    // Of a photo that is covered twice, the hash is that of the file that was chosen.
    const all = before ? { areas: [...before.areas, ...covered.areas], sha256: before.sha256 } : covered;
    Object.assign(this.photo, { file, covered: all });
    if (this.isKept) {
      this.keep();
      await this.keeping;
    }
    this.forgetPreview();
    this.showPreview();
    this.show(this.state, say("covered", { count: all.areas.length }));
  }

  /** A photo of an earlier visit: it waits for somebody to send it. */
  offer() {
    Object.assign(this, { isKept: true, mayBeThere: true });
    const words = say("chosen", { time: dayAndTime(new Date(this.photo.chosenAt)) });
    this.show("kept", this.photo.lesion && !this.photo.patient ? `${words} ${say("forLesion")}` : words);
  }

  get name() {
    return shown(this.photo.name);
  }

  get mayRetry() {
    return this.state === "not_sent" || this.state === "kept";
  }

  get isPending() {
    return ["waiting", "sending", "checking"].includes(this.state);
  }

  /** Whether leaving the page would lose the photo. */
  get isAtRisk() {
    return (this.isPending || this.mayRetry) && !this.isKept;
  }

  keep() {
    this.keeping = keep(this.photo).then(
      () => (this.isKept = true),
      () => (this.cannotKeep = true),
    );
    this.keeping.then(() => this.showSafety());
  }

  forget() {
    this.keeping = this.keeping.then(() => forget(this.photo.key)).catch(() => null);
    this.isKept = false;
  }

  async send() {
    this.stop = new AbortController();
    Object.assign(this, { needsPerson: false, waitAtLeast: 0 });
    this.show("waiting");
    try {
      const answer = await sendInTurn(this.form.action, this.body(), {
        signal: this.stop.signal,
        onStart: () => this.show("sending"),
        onProgress: (share) => (this.find("progress").value = share),
        onSent: () => this.show("checking"),
      });
      this.settle(answer);
    } catch (error) {
      if (error.name === "AbortError") return;
      await this.failOnTheWay();
    }
    this.mayBeThere = true;
  }

  body() {
    const { file, name, kind } = this.photo;
    const body = new FormData();
    body.append("file", file, name);
    body.append("kind", kind);
    for (const [field, value] of Object.entries(fieldsOf(this.photo))) body.append(field, value);
    if (this.photo.covered) body.append("covered", JSON.stringify(this.photo.covered));
    return body;
  }

  /** For which patient it waits, and where it belongs. */
  showWhere() {
    const { patient, where, takenFor } = this.photo;
    this.put("[data-for]", patient ? say("forPatient", { code: patient.code, where }) : takenFor ?? "");
  }

  /** Another place of the same patient was chosen for it. */
  goTo() {
    Object.assign(this.photo, destination(this.form));
    if (this.isKept) this.keep();
    this.showWhere();
    this.needsPerson = false;
  }

  settle({ status, data, after }) {
    if (data?.id && (status === 201 || (status === 200 && this.mayBeThere && data.sent_before))) {
      this.forget();
      return this.onStored(this, data);
    }
    if (status === 200 && data?.id) return this.showDuplicate(data);
    const { code, message } = data?.error ?? {};
    if (FOR_GOOD.has(status) && !ON_THE_WAY.has(code)) return this.refuse(message ?? say("failed"));
    if (status === 409 || (status === 404 && (this.photo.lesion || this.photo.patient))) return this.losePlace(status);
    this.needsPerson = status === 403 || status === 404;
    this.waitAtLeast = after;
    // The server is there and says itself what is too much just now.
    const isTooMuch = ["busy", "too_many", "storage_away"].includes(code);
    if (status === 503 && !isTooMuch) return this.show("not_sent", say("database"));
    return this.show("not_sent", message ?? say(status === 403 ? "stale" : "failed"));
  }

  refuse(message) {
    this.forget();
    this.show("refused", message);
  }

  /** The patient or the lesion is no longer there. Where the photo goes instead is for a person to say. */
  losePlace(status) {
    const { patient } = this.photo;
    const words = status === 409 || !patient ? say("lesionGone") : say("patientGone", { code: patient.code });
    const takenFor = patient ? say("takenFor", { code: patient.code, where: this.photo.where }) : "";
    Object.assign(this.photo, { lesion: "", patient: null, place: null, takenFor });
    if (this.isKept) this.keep();
    this.needsPerson = true;
    this.showWhere();
    this.show("not_sent", words);
  }

  async failOnTheWay() {
    // A file that was moved or changed since it was chosen fails like a lost connection.
    if (await isReadable(this.photo.file)) return this.show("not_sent", say("network"));
    const copy = this.isKept ? await keptFile(this.photo.key).catch(() => null) : null;
    if (!copy) return this.refuse(say("unreadable"));
    this.photo.file = copy;
    return this.show("not_sent", say("network"));
  }

  showDuplicate(data) {
    this.forget();
    const link = this.find("[data-existing]");
    link.href = data.url;
    this.find("img").src = data.thumbnail;
    this.find("img").hidden = false;
    const unfiled = this.photo.patient ? "duplicateUnfiled" : "duplicate";
    const known = data.patient ? say("duplicateOf", { code: data.patient }) : say(unfiled);
    if (data.given_back) return this.show("duplicate", say("givenBack"));
    this.show("duplicate", data.covered ? say("duplicateCovered") : known);
  }

  show(state, words = "") {
    this.state = state;
    this.element.dataset.state = state;
    const pill = document.querySelector(`template[data-pill-of="${state}"]`).content.cloneNode(true);
    this.find("[data-pill]").replaceChildren(pill);
    this.put("[data-reason]", words);
    this.put("[data-wait]", "");
    this.showSafety();
    const bar = this.find("progress");
    bar.hidden = state !== "sending" && state !== "checking";
    if (state === "sending") bar.value = 0;
    if (state === "checking") bar.removeAttribute("value");
    this.find("[data-again]").hidden = !this.mayRetry;
    for (const when of ["kept", "not_sent"]) this.find(`[data-when="${when}"]`).hidden = state !== when;
    this.find("[data-cover-local]").hidden = !this.mayRetry;
    this.find("[data-drop]").hidden = state === "checking";
    this.find("[data-move]").hidden = !this.mayRetry || !this.form.elements.patient;
    // The stored photo stays where it is; only this card goes.
    this.find("[data-existing]").hidden = state !== "duplicate";
    this.find("[data-when-existing]").hidden = state !== "duplicate";
    this.find("[data-when-own]").hidden = state === "duplicate";
    this.onChange(this, words);
  }

  /** Say how long it is until the next try. */
  tick(seconds) {
    if (this.state !== "not_sent" || this.needsPerson) return;
    const isLong = seconds > LONGEST_IN_SECONDS;
    this.put("[data-wait]", isLong ? say("againMinutes", { minutes: Math.ceil(seconds / 60) }) : say("againSeconds", { seconds }));
  }

  showSafety() {
    let words = "";
    if (this.isPending || this.mayRetry) words = this.cannotKeep ? say("notKept") : this.mayRetry && this.isKept ? say("kept") : "";
    else if (this.state === "refused") words = say("refusedNotKept");
    this.put("[data-safety]", words);
  }

  put(selector, words) {
    this.find(selector).textContent = words;
    this.find(selector).hidden = !words;
  }

  async drop() {
    const isLost = this.isPending || this.mayRetry;
    if (isLost && !(await confirmAction(say("drop", { name: this.name }), { label: say("dropLabel"), danger: true }))) return;
    // Meanwhile the server may have taken it.
    if (this.element.isConnected) this.remove();
  }

  remove() {
    this.stop?.abort();
    this.state = "removed";
    this.forget();
    const neighbour = this.element.nextElementSibling ?? this.element.previousElementSibling;
    this.element.remove();
    this.forgetPreview();
    (neighbour?.querySelector("a:not([tabindex]), button:not([hidden])") ?? this.form.querySelector("[data-pick]")).focus();
    this.onChange(this, "");
  }

  problemOfSize() {
    const { size } = this.photo.file;
    if (size === 0) return say("empty");
    const limit = Number(this.form.dataset.maxBytes);
    if (size <= limit) return "";
    return say("tooLarge", { megabytes: (size / MEGABYTE).toFixed(1), limit: Math.floor(limit / MEGABYTE) });
  }

  /** The file itself, until the server's thumbnail is there. A browser that cannot draw HEIC keeps the icon. */
  showPreview() {
    this.preview = URL.createObjectURL(this.photo.file);
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
