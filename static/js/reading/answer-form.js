// The answers beside the photo: what is chosen, by mouse, finger or key.

const CAPS = {
  Digit1: "1", Digit2: "2", Digit3: "3", Digit4: "4", Digit5: "5", Digit6: "6", Digit7: "7", Digit8: "8",
  Digit9: "9", Digit0: "0", Minus: "-", Equal: "=",
};
const STEP = 5;

/** Every key that stands for an answer, by its place on the keyboard. */
export const ANSWER_CODES = Object.keys(CAPS);

export class AnswerForm {
  /** `form`: the form of templates/reading/read.html; `onChange` after every choice. */
  constructor(form, onChange) {
    this.form = form;
    this.second = form.elements.second;
    this.confidence = form.elements.confidence;
    this.output = form.querySelector("[data-confidence]");
    this.onChange = onChange;
    form.addEventListener("input", (event) => {
      if (event.target === this.confidence) this.setConfidence(Number(this.confidence.value));
      this.settle();
    });
  }

  radios() {
    return [...this.form.querySelectorAll("input[name=choice]")];
  }

  /** What is chosen now. */
  get value() {
    const choice = this.radios().find((radio) => radio.checked)?.value ?? "";
    const isSet = this.confidence && this.confidence.dataset.unset !== "yes";
    return {
      choice,
      second: this.second?.value ?? "",
      confidence: isSet ? Number(this.confidence.value) : null,
    };
  }

  /** The name of an answer in the reader's language. */
  name(key) {
    return this.radios().find((radio) => radio.value === key)?.dataset.name ?? "";
  }

  fill({ choice = "", second = "", confidence = null } = {}) {
    for (const radio of this.radios()) radio.checked = radio.value === choice;
    if (this.second) this.second.value = second;
    if (this.confidence) this.setConfidence(confidence);
    this.settle();
  }

  choose(code) {
    const radio = this.radios().find((one) => one.dataset.cap === CAPS[code]);
    if (!radio || radio.disabled) return;
    radio.checked = true;
    this.settle();
  }

  chooseSecond(code) {
    const key = this.radios().find((one) => one.dataset.cap === CAPS[code])?.value;
    if (!this.second || !key || key === this.value.choice) return;
    this.second.value = this.second.value === key ? "" : key;
    this.settle();
  }

  setConfidence(value) {
    if (!this.confidence) return;
    const isSet = value !== null;
    this.confidence.value = String(isSet ? value : 50);
    this.confidence.dataset.unset = isSet ? "" : "yes";
    this.output.textContent = isSet ? String(value) : "–";
    if (isSet) this.confidence.removeAttribute("aria-valuetext");
    else this.confidence.setAttribute("aria-valuetext", this.confidence.dataset.sayUnset);
  }

  stepConfidence(direction) {
    if (!this.confidence) return;
    const now = this.value.confidence ?? 50;
    this.setConfidence(Math.min(100, Math.max(0, now + direction * STEP)));
    this.settle();
  }

  /** The second choice cannot be the first. */
  settle() {
    const { choice } = this.value;
    for (const option of this.second?.options ?? []) option.disabled = option.value !== "" && option.value === choice;
    if (this.second && this.second.value === choice) this.second.value = "";
    this.onChange();
  }
}
