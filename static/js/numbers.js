// Whole numbers as the server writes them (THOUSAND_SEPARATOR of each language's formats.py): 1,958.

const english = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** `value` with what stands between thousands; what is no whole number as it is. */
export function grouped(value) {
  if (!Number.isInteger(value)) return String(value);
  return english.format(value).replaceAll(",", document.documentElement.dataset.thousands ?? ",");
}
