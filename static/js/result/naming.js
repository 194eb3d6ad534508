// Naming a diagnosis: the 12 by mouse or key, any other by type-ahead; the two never contradict each other.

const CODES = ["Digit1", "Digit2", "Digit3", "Digit4", "Digit5", "Digit6", "Digit7", "Digit8", "Digit9", "Digit0", "Minus", "Equal"];

/** The keys of the 12 diseases in their order. */
export const DISEASE_CODES = CODES;

function isOpen(element) {
  return element.checkVisibility?.() ?? element.offsetParent !== null;
}

/** Choose the disease at `place` (0 to 11) in the form that is open for an answer; false when none is. */
export function chooseByKey(place) {
  const area = [...document.querySelectorAll("#result-panel [data-digits]")].find(isOpen);
  const radio = area?.querySelectorAll("input[name=choice]")[place];
  if (!radio) return false;
  radio.click();
  radio.focus({ preventScroll: true });
  return true;
}

function emptyTerm(area) {
  const field = area.querySelector('[data-typeahead] [role="combobox"]');
  if (!field.value) return;
  field.value = "";
  area.querySelector('[data-typeahead] input[type="hidden"]').value = "";
}

document.addEventListener("change", (event) => {
  const area = event.target.matches("input[name=choice]") && event.target.closest("[data-named]");
  if (area) emptyTerm(area);
});

document.addEventListener("typeahead:choose", (event) => {
  const area = event.target.closest("[data-named]");
  for (const radio of area?.querySelectorAll("input[name=choice]") ?? []) {
    radio.checked = radio.value === event.detail.value;
  }
});

document.addEventListener("input", (event) => {
  const area = event.target.matches('[data-named] [role="combobox"]') && event.target.closest("[data-named]");
  for (const radio of (area && area.querySelectorAll("input[name=choice]:checked")) || []) radio.checked = false;
});
