// On every page with the bar.
import "./session-guard.js";
import "./confirm.js";
import "./htmx-setup.js";
import "./keys.js";
import "./forms.js";
import "./reachable.js";
import "./away.js";
import "./unsent-note.js";
import "./installed.js";
