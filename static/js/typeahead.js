/**
 * A text field that offers choices while typing: the ARIA 1.2 combobox with a listbox.
 *
 * Markup: templates/jinja2/components/typeahead_field.html. The address answers {"terms": [{value, label, detail,
 * tier_label?, shown?}]}; what has `shown` is offered in these words and takes the text as it is. Choosing fills the text and the hidden value and sends "typeahead:choose" (bubbles,
 * detail: the term); changing the text afterwards empties the value and sends "typeahead:clear".
 *
 * Keys: Down/Up walk, Enter takes, Escape closes (again: empties). Nothing is taken while an input method
 * composes; the list follows the half-typed syllable.
 */

class Typeahead {
  constructor(root) {
    this.root = root;
    this.input = root.querySelector('[role="combobox"]');
    this.hidden = root.querySelector('input[type="hidden"]');
    this.list = root.querySelector('[role="listbox"]');
    this.status = root.querySelector('[role="status"]');
    this.terms = [];
    this.active = -1;
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("click", () => this.ask());
    this.input.addEventListener("blur", () => this.left());
    // The list must not take the focus from the text.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest('[role="option"]');
      if (option) this.choose(this.terms[Number(option.dataset.place)]);
    });
  }

  get isOpen() {
    return !this.list.hidden;
  }

  typed() {
    this.setValue("", null);
    this.ask();
  }

  /** At once, with each letter: an answer takes less time than the next letter. */
  async ask() {
    this.request?.abort();
    this.request = new AbortController();
    const address = new URL(this.root.dataset.url, window.location.href);
    address.searchParams.set("q", this.input.value);
    try {
      const response = await fetch(address, {
        signal: this.request.signal,
        headers: { Accept: "application/json" },
      });
      if (!response.ok) throw new Error(String(response.status));
      this.show((await response.json()).terms);
    } catch (error) {
      if (error.name !== "AbortError") this.say(this.root.dataset.failed);
    }
  }

  show(terms) {
    this.terms = terms;
    this.active = -1;
    this.input.removeAttribute("aria-activedescendant");
    if (document.activeElement !== this.input) return;
    this.list.replaceChildren(...(terms.length ? terms.map((term, place) => this.option(term, place)) : [this.none()]));
    this.open(Boolean(terms.length || this.input.value.trim()));
    if (this.isOpen) this.list.scrollIntoView({ block: "nearest" });
    this.say(terms.length ? `${terms.length} ${this.root.dataset.choices}` : this.root.dataset.noMatch);
  }

  option(term, place) {
    const option = element("li", { role: "option", id: `${this.list.id}-${place}`, "aria-selected": "false" });
    option.dataset.place = place;
    option.append(this.marked(term.shown ?? term.label));
    if (term.detail) option.append(element("span", { class: "typeahead-detail" }, term.detail));
    if (term.tier_label) option.append(element("span", { class: "typeahead-tier" }, term.tier_label));
    return option;
  }

  none() {
    return element("li", { class: "typeahead-none", role: "presentation" }, this.root.dataset.noMatch);
  }

  /** The label with what was typed in bold. */
  marked(label) {
    const line = element("span");
    const typed = this.input.value.trim();
    const at = typed ? label.toLowerCase().indexOf(typed.toLowerCase()) : -1;
    if (at < 0) {
      line.textContent = label;
    } else {
      line.append(label.slice(0, at), element("mark", {}, label.slice(at, at + typed.length)), label.slice(at + typed.length));
    }
    return line;
  }

  key(event) {
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!this.isOpen) this.ask();
      else this.walk(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && this.isOpen && this.terms.length) {
      event.preventDefault();
      const place = this.active < 0 && this.isClear() ? 0 : this.active;
      if (place >= 0) this.choose(this.terms[place]);
      else this.walk(1);
    } else if (event.key === "Escape" && (this.isOpen || this.input.value)) {
      event.preventDefault();
      event.stopPropagation();
      if (!this.isOpen) {
        this.input.value = "";
        this.setValue("", null);
      }
      this.close();
    }
  }

  /** Whether Enter may take the first: the only choice, or the only one of the 12 diseases, at the head of the list. */
  isClear() {
    const named = this.terms.filter((term) => !term.shown);
    const ofThe12 = named.filter((term) => term.tier && term.tier !== "other");
    return named.length === 1 || this.terms.length === 1 || (ofThe12.length === 1 && named[0] === ofThe12[0]);
  }

  walk(step) {
    const options = this.list.querySelectorAll('[role="option"]');
    if (!options.length) return;
    options[this.active]?.setAttribute("aria-selected", "false");
    this.active = (this.active + step + options.length + (this.active < 0 && step < 0 ? 1 : 0)) % options.length;
    const option = options[this.active];
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", option.id);
  }

  choose(term) {
    this.input.value = term.label;
    this.setValue(term.value, term);
    this.close();
    this.say(term.label);
  }

  setValue(value, term) {
    const before = this.hidden ? this.hidden.value : this.chosen;
    if (this.hidden) this.hidden.value = value;
    this.chosen = value;
    if (term) this.send("typeahead:choose", term);
    else if (before) this.send("typeahead:clear", null);
  }

  send(name, detail) {
    this.root.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  }

  open(isOpen) {
    this.list.hidden = !isOpen;
    this.input.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) this.input.removeAttribute("aria-activedescendant");
  }

  /** What was asked for and has not come yet must not open it again. */
  close() {
    this.request?.abort();
    this.open(false);
  }

  left() {
    this.close();
    const typed = this.input.value.trim().toLowerCase();
    // A name that is new to the clinic is taken only by choosing it.
    const same = this.terms.filter((term) => !term.is_new && !term.shown && [term.label, term.value].some((name) => name.toLowerCase() === typed));
    if (!this.chosen && same.length === 1) this.choose(same[0]);
  }

  say(text) {
    this.status.textContent = text;
  }
}

function element(name, attributes = {}, text = "") {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

/** Bring the fields in `within` to life. */
export function setUpTypeaheads(within) {
  const roots = [...within.querySelectorAll("[data-typeahead]")];
  if (within.matches?.("[data-typeahead]")) roots.push(within);
  for (const root of roots) {
    if (root.dataset.typeahead === "ready") continue;
    root.dataset.typeahead = "ready";
    new Typeahead(root);
  }
}

setUpTypeaheads(document);
document.addEventListener("htmx:load", (event) => setUpTypeaheads(event.detail.elt));
