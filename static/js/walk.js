// J and K go through the list a case was opened from, N to its next undecided case, L back to the list.
import { bindKey } from "./keys.js";

const go = (where) => () => {
  const place = document.getElementById("walk") ?? document.getElementById("result");
  const address = place?.dataset[where];
  if (address) window.location.assign(address);
};
bindKey("KeyJ", go("next"));
bindKey("KeyK", go("previous"));
bindKey("KeyN", go("undecided"));
bindKey("KeyL", go("list"));
