// The page of a lesion: P goes to the pathology form.
import { bindKey } from "./keys.js";

const field = document.getElementById("pathology-diagnosis");

if (field) {
  bindKey("KeyP", () => {
    field.closest("details").open = true;
    field.focus();
  });
}
