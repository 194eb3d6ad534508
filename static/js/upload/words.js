// The sentences of templates/upload/words.html.
import { grouped } from "../numbers.js";

/** Return the sentence `name` with {placeholders} filled from `values`. */
export function say(name, values = {}) {
  const text = document.getElementById("upload-words").dataset[name] ?? "";
  return text.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? grouped(values[key]) : whole));
}
