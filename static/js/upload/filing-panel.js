// Filing in a panel over the cards: who works through twenty photos stays where the cards are. What was typed stays in a
// panel that is closed, until other photos are filed.
import { contentOf, fetchForm } from "../fetched-form.js";
import { setUpFilingPlaces } from "../filing-places.js";
import { send } from "../http.js";
import { toast } from "../toast.js";
import { setUpTypeaheads } from "../typeahead.js";
import { refresh } from "./stored-card.js";
import { say } from "./words.js";

const panel = document.getElementById("filing-panel");
const host = panel.querySelector("[data-filing-host]");
const problem = panel.querySelector("[data-problem]");
const notice = document.getElementById("filed-here");
let shown = "";
let cameFrom = null;

async function open(address, from) {
  cameFrom = from;
  if (address !== shown) {
    const form = await fetchForm(address, panel);
    if (form === null) return toast(say("filingFailed"), { kind: "error" });
    if (!form) return;
    fill(form);
    shown = address;
  }
  tell("");
  panel.showModal();
  host.querySelector("#filing-code").focus();
}

/** Said in the panel: what lies under it cannot be seen. */
function tell(words) {
  problem.hidden = !words;
  problem.textContent = words;
}

function fill(form) {
  host.replaceChildren(form);
  setUpTypeaheads(host);
  setUpFilingPlaces(host);
  window.htmx.process(host);
}

function forgetForm() {
  shown = "";
  host.replaceChildren();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-action=file]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  open(link.href, link.closest(".upload-card"));
});
document.getElementById("file-together").addEventListener("submit", (event) => {
  event.preventDefault();
  const ids = [...document.querySelectorAll("input[form=file-together]:checked")].map((box) => box.value);
  open(`${event.target.action}?ids=${[...new Set(ids)].join(",")}`, null);
});

panel.addEventListener("click", (event) => {
  if (!event.target.closest("[data-later]")) return;
  event.preventDefault();
  panel.close();
});
panel.addEventListener("close", () => {
  const card = cameFrom?.isConnected ? cameFrom : null;
  card?.querySelector("[data-action=file]")?.focus();
});

panel.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter ?? host.querySelector("button[type=submit]");
  const body = new FormData(event.target);
  // The header has the token that holds, also after signing in again.
  body.delete("csrfmiddlewaretoken");
  button.disabled = true;
  tell("");
  try {
    const response = await send(event.target.action, { method: "POST", body });
    if (response.headers.get("Content-Type")?.includes("json")) await finish(response);
    else {
      fill(contentOf(await response.text()));
      const wrong = host.querySelector("[aria-invalid=true]:not([type=hidden]), .notice[role=alert]") ?? host.querySelector("#filing-code");
      if (wrong.matches(".notice")) wrong.tabIndex = -1;
      wrong.focus();
    }
  } catch {
    tell(document.getElementById("toasts").dataset.offline);
  } finally {
    button.disabled = false;
  }
});

async function finish(response) {
  const data = await response.json();
  if (!response.ok) return tell(data.error?.message ?? say("filingFailed"));
  cameFrom = null;
  forgetForm();
  panel.close();
  if (data.warning) toast(data.warning, { kind: "warning", seconds: 0 });
  await refresh(data.photos).catch(() => null);
  for (const box of document.querySelectorAll("input[form=file-together]:checked")) box.checked = false;
  notice.hidden = false;
  notice.querySelector("[data-text]").textContent = data.said;
  document.dispatchEvent(new CustomEvent("cards:changed"));
  goOnAfter(data.photos);
}

/** The next card that is not filed, after these or from the beginning. */
function goOnAfter(ids) {
  const cards = [...document.querySelectorAll(".upload-card[data-photo]")];
  const last = Math.max(...ids.map((id) => cards.findIndex((card) => card.dataset.photo === String(id))));
  const next = [...cards.slice(last + 1), ...cards.slice(0, last + 1)]
    .map((card) => card.querySelector("[data-action=file]:not([data-filed])"))
    .find(Boolean);
  (next ?? notice.querySelector("button")).focus();
  next?.closest(".upload-card").scrollIntoView({ block: "nearest" });
}

notice.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const response = await send(event.target.action, { method: "POST" }).catch(() => null);
  const data = await response?.json().catch(() => null);
  if (!response || !data) return toast(document.getElementById("toasts").dataset.offline, { kind: "warning" });
  notice.hidden = true;
  if (!response.ok) return toast(data.error?.message ?? say("filingFailed"), { kind: "warning" });
  await refresh(data.photos).catch(() => null);
  toast(data.said, { kind: "success" });
  document.querySelector(`.upload-card[data-photo="${data.photos[0]}"] [data-action=file]`)?.focus();
});
notice.querySelector("[data-hide]").addEventListener("click", () => (notice.hidden = true));
