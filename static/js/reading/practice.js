// Practice that answers: where the study says so, each practice photo is told after the reader's own answer, and the
// first answers count towards a passing mark. Nothing is queued: without a connection the reader stays at the photo.
import { OUT_OF_TIME } from "./said.js";

const form = document.getElementById("answer-form");

export class Practice {
  constructor(root, part) {
    this.part = part;
    this.checks = root.dataset.checks === "yes";
    this.box = document.getElementById("practice-told");
    this.isAsking = false;
  }

  /** Send the answer to the photo at `position` and show what it shows; then `goOn`, or `again` if that failed. */
  meet(position, { choice }, name, goOn, again) {
    if (!this.checks) goOn();
    else if (!this.isAsking) this.#ask(position, choice, name, goOn, again);
  }

  async #ask(position, choice, name, goOn, again) {
    const { dataset } = this.box;
    this.isAsking = true;
    try {
      const answer = await fetch(`${this.part}${position}/answer`, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ choice }),
      });
      const told = await answer.json();
      if (!answer.ok) return this.#show(told.error.message, dataset.again, again);
      if (!told.truth) return goOn();
      const wrong = choice === OUT_OF_TIME ? dataset.over : dataset.wrong;
      const text = told.truth === choice ? dataset.right : wrong;
      this.#show(text.replace("{truth}", told.name).replace("{answer}", name), dataset.next, goOn);
    } catch {
      this.#show(dataset.failed, dataset.again, again);
    } finally {
      this.isAsking = false;
    }
  }

  #show(text, word, then) {
    const button = this.box.querySelector("button");
    this.box.querySelector("p").textContent = text;
    button.querySelector("span").textContent = word;
    button.onclick = () => {
      // A browser takes the focus from a hidden button late: the next Enter would press it once more.
      button.onclick = null;
      button.blur();
      this.box.close();
      form.hidden = false;
      then();
    };
    form.hidden = true;
    this.box.show();
    button.focus();
  }
}
