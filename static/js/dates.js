// Dates as the server writes them (skinclinic/dates): 28 Nov 2026, 14:02 or 2026년 11월 28일 14:02.

/** The clock of `date`: 14:02. */
export function clock(date) {
  return date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

/** Day and clock of `date` in the page's language. */
export function dayAndTime(date) {
  const { lang } = document.documentElement;
  if (lang.startsWith("en")) {
    const month = date.toLocaleDateString("en-US", { month: "short" });
    return `${date.getDate()} ${month} ${date.getFullYear()}, ${clock(date)}`;
  }
  return `${date.toLocaleDateString(lang, { year: "numeric", month: "long", day: "numeric" })} ${clock(date)}`;
}
