// The queue of look-alikes: keys press the buttons, so that forms do all the work.
import { bindKey } from "../keys.js";

const KEYS = {
  Digit1: "pair-keep-first",
  Digit2: "pair-keep-second",
  Digit3: "pair-lesion",
  Digit4: "pair-different",
  KeyS: "pair-skip",
  KeyU: "pair-undo",
};

for (const [code, id] of Object.entries(KEYS)) bindKey(code, () => document.getElementById(id)?.click());
