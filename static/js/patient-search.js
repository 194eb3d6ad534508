// The list of patients: / goes to the search field.
import { bindKey } from "./keys.js";

bindKey("Slash", () => document.getElementById("patient-search")?.focus());
