// What is said of a photo: the diagnosis and whatever else the study asks. One place for what every answer is made of.

const EMPTY = {
  choice: "", second: "", confidence: null, management: "", quality: "", knows_patient: false, comment: "",
};

/** Answers that are no diagnosis. */
export const OUT_OF_TIME = "out_of_time";
export const NO_DIAGNOSIS = ["cannot_judge", OUT_OF_TIME];

/** What `from` (a row, a draft, something sent) says, and nothing else of it. */
export function saidIn(from) {
  return Object.fromEntries(Object.entries(EMPTY).map(([name, empty]) => [name, from?.[name] ?? empty]));
}

export function isSame(one, other) {
  const [a, b] = [saidIn(one), saidIn(other)];
  return Object.keys(EMPTY).every((name) => a[name] === b[name]);
}

/** An answer in words; `name(key)` gives those of a key, `known` those of a known patient, `sure` of a confidence {n}. */
export function inWords(said, { name, none, known, sure }) {
  if (!said.choice) return none;
  const { choice, second, confidence, management, quality, knows_patient: knows, comment } = saidIn(said);
  const more = [name(second), confidence === null ? "" : sure.replace("{n}", String(confidence)), name(management), name(quality)];
  return [name(choice), ...more, knows ? known : "", comment].filter(Boolean).join(" · ");
}
