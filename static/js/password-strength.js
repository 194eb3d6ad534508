// How hard a new password is to guess, roughly: letters that repeat or follow from the one before count for nothing.

const ALPHABETS = [[/[a-z]/, 26], [/[A-Z]/, 26], [/[0-9]/, 10], [/[ -/:-@[-`{-~]/, 33], [/[^ -~]/, 100]];
const FAIR_BITS = 55;
const STRONG_BITS = 75;

function follows(letter, before) {
  return before !== undefined && Math.abs(letter.codePointAt(0) - before.codePointAt(0)) <= 1;
}

/** "short" below `least` letters, else "weak", "fair" or "strong". */
export function strengthOf(password, least) {
  const letters = [...password];
  if (letters.length < least) return "short";
  const counted = letters.filter((letter, index) => !follows(letter, letters[index - 1])).length;
  // As few different letters make as little as a short alphabet.
  const size = ALPHABETS.filter(([kind]) => kind.test(password)).reduce((sum, [, count]) => sum + count, 0);
  const bits = counted * Math.log2(Math.max(2, Math.min(size, new Set(letters).size * 2)));
  if (bits < FAIR_BITS) return "weak";
  return bits < STRONG_BITS ? "fair" : "strong";
}
