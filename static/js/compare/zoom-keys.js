// Plus, minus and 0 zoom the photos that are shown: command("in" | "out" | "reset").
import { bindKey } from "../keys.js";

export function bindZoomKeys(command) {
  const again = { repeat: true };
  bindKey("Equal", () => command("in"), again);
  bindKey("Equal", () => command("in"), { shift: true, ...again });
  bindKey("NumpadAdd", () => command("in"), again);
  bindKey("Minus", () => command("out"), again);
  bindKey("NumpadSubtract", () => command("out"), again);
  bindKey("Digit0", () => command("reset"));
}
