// Dates as the server writes them (formats.py of each language): 28 Nov 2026, 14:02 or 2026년 11월 28일 14:02.

const two = (number) => String(number).padStart(2, "0");

/** What a letter of Django's date formats stands for; the month in words as Django has it: capital, no full stop. */
function part(letter, date) {
  const month = (style) => {
    const word = date.toLocaleDateString(document.documentElement.lang, { month: style }).replace(/\.$/, "");
    return word.charAt(0).toUpperCase() + word.slice(1);
  };
  switch (letter) {
    case "j": return date.getDate();
    case "d": return two(date.getDate());
    case "n": return date.getMonth() + 1;
    case "m": return two(date.getMonth() + 1);
    case "M": return month("short");
    case "F": return month("long");
    case "Y": return date.getFullYear();
    case "H": return two(date.getHours());
    case "i": return two(date.getMinutes());
    default: return letter;
  }
}

/** The clock of `date`: 14:02. */
export function clock(date) {
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Day and clock of `date` as the page's language writes them. */
export function dayAndTime(date) {
  const format = document.documentElement.dataset.dayAndTime || "Y-m-d H:i";
  return format.replace(/\\(.)|[a-zA-Z]/g, (letter, kept) => kept ?? part(letter, date));
}
