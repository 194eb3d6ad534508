// Photos beside each other on a page that says which: zoomed and moved in step, nothing to choose.
import { Stage } from "./compare/stage.js";
import { bindZoomKeys } from "./compare/zoom-keys.js";

const section = document.querySelector("[data-compare]");
if (section) {
  const stage = new Stage(section);
  section.querySelector("[data-compare-tools]").hidden = false;
  bindZoomKeys((name) => stage.command(name));
}
