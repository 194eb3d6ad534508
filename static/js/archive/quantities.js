// Bytes and times in the page's language; their decimals after a point, as in every language here.

const language = document.documentElement.lang || "en";
const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];

/** 1500000 → "1.5 MB" */
export function bytes(count) {
  const place = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), UNITS.length - 1);
  const number = count / 1000 ** place;
  return inUnits(number, UNITS[place], number < 10 && place > 0 ? 1 : 0, "short");
}

/** Seconds → "40 seconds", "3 minutes", "2 hours" */
export function duration(seconds) {
  if (seconds < 90) return inUnits(Math.max(5, 5 * Math.round(seconds / 5)), "second", 0, "long");
  if (seconds < 5400) return inUnits(Math.round(seconds / 60), "minute", 0, "long");
  return inUnits(seconds / 3600, "hour", 1, "long");
}

function inUnits(number, unit, digits, unitDisplay) {
  const format = new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay, maximumFractionDigits: digits });
  return format.formatToParts(number).map((part) => (part.type === "decimal" ? "." : part.value)).join("");
}
