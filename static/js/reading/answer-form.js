// The answers beside the photo: what is chosen, by mouse, finger or key.
import { NO_DIAGNOSIS, saidIn } from "./said.js";

const CAPS = {
  Digit1: "1", Digit2: "2", Digit3: "3", Digit4: "4", Digit5: "5", Digit6: "6", Digit7: "7", Digit8: "8",
  Digit9: "9", Digit0: "0", Minus: "-", Equal: "=",
};
const STEP = 5;

/** Every key that stands for a diagnosis, by its place on the keyboard. */
export const ANSWER_CODES = Object.keys(CAPS);

export class AnswerForm {
  /** `form`: the form of templates/reading/read.html; `onChange` after every choice. */
  constructor(form, onChange) {
    this.form = form;
    this.second = form.elements.second;
    this.confidence = form.elements.confidence;
    this.noStatement = form.elements.no_confidence;
    this.output = form.querySelector("[data-confidence]");
    this.onChange = onChange;
    // A touch of the slider in its middle changes nothing, and is an answer all the same.
    this.confidence?.addEventListener("click", () => this.putConfidence(Number(this.confidence.value)));
    form.addEventListener("input", ({ target }) => {
      if (target === this.confidence) this.setConfidence(Number(target.value));
      if (target === this.noStatement && target.checked) this.setConfidence(null, true);
      this.settle();
    });
    form.addEventListener("keydown", (event) => {
      // Enter in a remark is the end of it, and confirms nothing.
      if (event.key !== "Enter" || !event.target.matches("[name=comment]")) return;
      event.preventDefault();
      event.target.blur();
    });
  }

  radios(name = "choice") {
    return [...this.form.querySelectorAll(`input[name=${name}]`)];
  }

  chosen(name) {
    return this.radios(name).find((radio) => radio.checked)?.value ?? "";
  }

  /** Whether the answer is a diagnosis, of which one can be more or less sure. */
  get isDiagnosis() {
    return !NO_DIAGNOSIS.includes(this.chosen("choice"));
  }

  /** What is chosen now. */
  get value() {
    const isSet = this.confidence && this.confidence.dataset.unset !== "yes" && this.isDiagnosis;
    const { comment, knows_patient: knows } = this.form.elements;
    return {
      choice: this.chosen("choice"),
      second: (this.isDiagnosis && this.second?.value) || "",
      confidence: isSet ? Number(this.confidence.value) : null,
      management: this.chosen("management"),
      quality: this.chosen("quality"),
      knows_patient: Boolean(knows?.checked),
      comment: (comment?.value ?? "").replace(/\s+/g, " ").trim(),
    };
  }

  /** The questions that are still open, as the form calls them; nothing is confirmed before they are answered. */
  get open() {
    const { choice, confidence, management, quality } = this.value;
    const open = [];
    if (!choice) open.push("choice");
    if (this.confidence && this.isDiagnosis && confidence === null && !this.noStatement?.checked) {
      open.push("confidence");
    }
    if (this.radios("management").length && !management) open.push("management");
    if (this.radios("quality").length && !quality) open.push("quality");
    return open;
  }

  /** What a key of an answer is called in the reader's language. */
  name(key) {
    if (!key) return "";
    return this.form.querySelector(`input[value="${key}"]`)?.dataset.name ?? this.form.dataset[key] ?? "";
  }

  fill(from) {
    const said = saidIn(from);
    for (const name of ["choice", "management", "quality"]) {
      for (const radio of this.radios(name)) radio.checked = radio.value === said[name];
    }
    const { comment, knows_patient: knows } = this.form.elements;
    if (knows) knows.checked = said.knows_patient;
    if (comment) comment.value = said.comment;
    if (this.second) this.second.value = said.second;
    // Of a stored answer it was left out; of what is only chosen it is still open.
    this.setConfidence(said.confidence, Boolean(from?.number && said.choice) && said.confidence === null);
    this.settle();
  }

  /** Whether anything can be chosen. */
  set isEnabled(is) {
    for (const group of this.form.querySelectorAll("fieldset")) group.disabled = !is;
  }

  choose(code) {
    const radio = this.radios().find((one) => one.dataset.cap === CAPS[code]);
    this.check(radio);
  }

  /** Choose a radio, or switch a checkbox. */
  check(input) {
    if (!input || input.matches(":disabled")) return;
    input.checked = input.type === "radio" || !input.checked;
    this.settle();
  }

  chooseSecond(code) {
    const key = this.radios().find((one) => one.dataset.cap === CAPS[code])?.value;
    if (!this.second || this.second.matches(":disabled") || !key || key === this.value.choice) return;
    this.second.value = this.second.value === key ? "" : key;
    this.settle();
  }

  putConfidence(value) {
    this.setConfidence(value);
    this.settle();
  }

  setConfidence(value, isWithheld = false) {
    if (!this.confidence) return;
    const isSet = value !== null;
    this.confidence.value = String(isSet ? value : 50);
    this.confidence.dataset.unset = isSet ? "" : "yes";
    this.output.textContent = isSet ? String(value) : "–";
    if (isSet) this.confidence.removeAttribute("aria-valuetext");
    else this.confidence.setAttribute("aria-valuetext", this.confidence.dataset.sayUnset);
    if (this.noStatement) this.noStatement.checked = !isSet && isWithheld;
  }

  stepConfidence(direction) {
    if (!this.confidence || this.confidence.matches(":disabled")) return;
    const now = this.value.confidence ?? 50;
    this.putConfidence(Math.min(100, Math.max(0, now + direction * STEP)));
  }

  /** The second choice cannot be the first; where nothing is diagnosed, one is not sure of anything. */
  settle() {
    const { choice } = this.value;
    for (const option of this.second?.options ?? []) option.disabled = option.value !== "" && option.value === choice;
    if (this.second && this.second.value === choice) this.second.value = "";
    for (const field of [this.second, this.confidence, this.noStatement]) {
      if (field) field.disabled = !this.isDiagnosis;
    }
    this.onChange();
  }
}
