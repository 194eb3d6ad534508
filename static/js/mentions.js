// "@" in a comment offers the clinic's members; who is chosen is sent by key, beside the text. M goes to the comment.
import { bindKey } from "./keys.js";

const WAIT_MS = 120;
// What is typed of a name up to the cursor: after an @ that begins a word.
const NAME = /(?:^|\s)@([^@\n]{0,40})$/;

class Mentions {
  constructor(root) {
    this.root = root;
    this.text = root.querySelector("textarea");
    this.list = root.querySelector("[role=listbox]");
    this.status = root.querySelector("[role=status]");
    this.terms = [];
    this.active = 0;
    this.text.addEventListener("input", () => this.typed());
    this.text.addEventListener("keydown", (event) => this.key(event));
    this.text.addEventListener("blur", () => this.close());
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.choose(this.terms[Number(option.dataset.place)]);
    });
  }

  get begun() {
    return NAME.exec(this.text.value.slice(0, this.text.selectionStart))?.[1];
  }

  typed() {
    clearTimeout(this.timer);
    if (this.begun === undefined) return this.close();
    this.timer = setTimeout(() => this.load(), WAIT_MS);
  }

  async load() {
    const asked = this.begun;
    const address = new URL(this.root.dataset.url, window.location.href);
    address.searchParams.set("q", asked ?? "");
    try {
      const response = await fetch(address, { headers: { Accept: "application/json" } });
      // Whoever types on is offered what the next answer has; without one the text is sent as it is.
      if (response.ok && this.begun === asked) this.show((await response.json()).terms);
    } catch {
      this.close();
    }
  }

  show(terms) {
    this.terms = terms;
    this.active = 0;
    this.list.replaceChildren(
      ...terms.map((term, place) => {
        const option = document.createElement("li");
        option.id = `${this.list.id}-${place}`;
        option.role = "option";
        option.dataset.place = place;
        const detail = document.createElement("span");
        detail.className = "typeahead-detail";
        detail.textContent = term.detail;
        option.append(term.label, detail);
        return option;
      }),
    );
    this.list.hidden = !terms.length;
    this.status.textContent = terms.length ? "" : this.root.dataset.noMatch;
    if (terms.length) this.mark();
    else this.text.removeAttribute("aria-activedescendant");
  }

  mark() {
    for (const option of this.list.children) option.setAttribute("aria-selected", String(Number(option.dataset.place) === this.active));
    this.text.setAttribute("aria-activedescendant", `${this.list.id}-${this.active}`);
    this.status.textContent = this.terms[this.active].label;
  }

  key(event) {
    if (this.list.hidden || event.isComposing || event.keyCode === 229) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.active = (this.active + step + this.terms.length) % this.terms.length;
      this.mark();
    } else if (event.key === "Enter" || event.key === "Tab") this.choose(this.terms[this.active]);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  choose(term) {
    const end = this.text.selectionStart;
    const start = end - this.begun.length;
    this.text.setRangeText(`${term.label} `, start, end, "end");
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "mentions", value: term.value });
    this.root.append(field);
    this.close();
  }

  close() {
    clearTimeout(this.timer);
    this.list.hidden = true;
    this.text.removeAttribute("aria-activedescendant");
  }
}

function start(within) {
  for (const root of within.querySelectorAll("[data-mentions]:not([data-ready])")) {
    root.dataset.ready = "";
    new Mentions(root);
  }
}

start(document);
document.addEventListener("htmx:load", (event) => start(event.detail.elt));
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.elt.id === "comments") document.getElementById("comments-said")?.focus();
});
bindKey("KeyM", () => {
  const text = document.getElementById("comment-text-new");
  text?.focus();
  text?.scrollIntoView({ block: "center" });
});
