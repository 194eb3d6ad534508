// What a person likes: heatmap on or off, colours, opacity and axis, remembered on this device for whoever is signed in.

const KEY = ["skinclinic-result", document.documentElement.dataset.person].filter(Boolean).join("-");

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

/** Return the remembered value of `name`, or `otherwise`. */
export function liking(name, otherwise) {
  return stored()[name] ?? otherwise;
}

/** Remember `value` for `name`; a browser that refuses storage forgets it with the page. */
export function remember(name, value) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...stored(), [name]: value }));
  } catch {
    // Nothing to do: the choice still holds on this page.
  }
}
