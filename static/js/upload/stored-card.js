// Cards of stored photos: drawn by the server, kept fresh by one question for all of them.
import { confirmAction } from "../confirm.js";
import { send } from "../http.js";
import { announce, toast } from "../toast.js";
import { say } from "./words.js";

const FASTEST = 400;
const SLOWEST = 4000;
const SLOWING = 1.3;
const HIDDEN_PAGE = 8000;
const A_QUESTION = 100;

let pause = FASTEST;
let timer = 0;
let asking = false;

/** Make an element of a card's HTML. */
export function cardElement(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html.trim();
  return holder.content.firstElementChild;
}

/** What this page knows of a photo and the server does not: it stays until the photo is filed. */
export function note(card, words) {
  const line = document.createElement("p");
  line.className = "upload-words upload-unfit";
  line.dataset.note = "";
  line.textContent = words;
  card.querySelector(".upload-head").after(line);
}

/** Put a fresh state into a card that is shown; its picture, and the focus in it, stay. */
export function freshen(card, html) {
  const fresh = cardElement(html);
  const focused = card.contains(document.activeElement) ? document.activeElement.dataset.action : null;
  const noted = card.querySelector("[data-note]");
  card.querySelector(".upload-body").replaceWith(fresh.querySelector(".upload-body"));
  if (noted && !card.querySelector("[data-filed]")) card.querySelector(".upload-head").after(noted);
  const [box, freshBox] = [card, fresh].map((one) => one.querySelector(".upload-select"));
  if (box && !freshBox) box.remove();
  if (!box && freshBox) card.prepend(freshBox);
  card.dataset.state = fresh.dataset.state;
  card.dataset.seen = fresh.dataset.seen;
  card.toggleAttribute("data-finished", fresh.hasAttribute("data-finished"));
  if (focused) (card.querySelector(`[data-action="${focused}"]`) ?? card.querySelector("[data-action]"))?.focus();
}

/** Ask soon again: something has just changed. */
export function watchSoon() {
  pause = FASTEST;
  clearTimeout(timer);
  timer = setTimeout(ask, pause);
}

/** Draw the cards of these photos anew: something else has changed them. */
export async function refresh(ids) {
  const address = document.getElementById("upload-form").dataset.cards;
  const have = ids.map((id) => `${id}:changed`).join(",");
  const response = await send(`${address}?have=${encodeURIComponent(have)}`, { headers: { Accept: "application/json" } });
  if (response.ok) apply(await response.json(), { quietly: true });
}

function schedule() {
  clearTimeout(timer);
  if (unfinished().length) timer = setTimeout(ask, document.hidden ? HIDDEN_PAGE : pause);
}

function unfinished() {
  return [...document.querySelectorAll(".upload-card[data-photo]:not([data-finished])")];
}

async function ask() {
  if (asking) return;
  const cards = unfinished().slice(0, A_QUESTION);
  if (!cards.length) return;
  asking = true;
  try {
    const have = cards.map((card) => `${card.dataset.photo}:${card.dataset.seen}`).join(",");
    const address = document.getElementById("upload-form").dataset.cards;
    const response = await send(`${address}?have=${encodeURIComponent(have)}`, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(String(response.status));
    const changed = apply(await response.json());
    pause = changed ? FASTEST : Math.min(SLOWEST, pause * SLOWING);
  } catch {
    pause = SLOWEST;
  } finally {
    asking = false;
  }
  schedule();
}

function apply({ cards, gone }, { quietly = false } = {}) {
  for (const data of cards) {
    for (const card of document.querySelectorAll(`.upload-card[data-photo="${data.id}"]`)) freshen(card, data.html);
    if (quietly) continue;
    if (data.state === "done") announceReady(data.name);
    if (data.state === "failed") announce(say("analysisFailed", { name: data.name }));
  }
  for (const id of gone) for (const card of document.querySelectorAll(`.upload-card[data-photo="${id}"]`)) card.remove();
  if (cards.length || gone.length) document.dispatchEvent(new CustomEvent("cards:changed"));
  return cards.length + gone.length;
}

/** The last photo is announced by the summary, the others one by one. */
function announceReady(name) {
  if (unfinished().length) announce(say("ready", { name }));
}

document.addEventListener("visibilitychange", () => document.hidden || watchSoon());
window.addEventListener("pageshow", watchSoon);

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches(".upload-card form")) return;
  event.preventDefault();
  const card = form.closest(".upload-card");
  if (form.matches("[data-remove]")) await remove(card, form);
  else await again(card, form);
});

async function remove(card, form) {
  const name = card.querySelector(".upload-name").textContent;
  if (!(await confirmAction(say("remove", { name }), { label: say("removeLabel") }))) return;
  const response = await send(form.action, { method: "POST", headers: { Accept: "application/json" } }).catch(() => null);
  if (!response?.ok && response?.status !== 404) return toast(say("removeFailed"), { kind: "error" });
  const neighbour = card.nextElementSibling ?? card.previousElementSibling;
  for (const copy of document.querySelectorAll(`.upload-card[data-photo="${card.dataset.photo}"]`)) copy.remove();
  (neighbour?.querySelector("[data-action]") ?? document.querySelector("[data-pick]")).focus();
  const gone = response.ok ? await response.json() : null;
  const back = gone && { label: say("restore"), run: () => bringBack(card, gone.restore, name) };
  toast(say("removed", { name }), { kind: "success", action: back, seconds: back ? 12 : 6 });
  document.dispatchEvent(new CustomEvent("cards:changed"));
}

/** Take the card's photo out of the bin again, where it was moved a moment ago. */
async function bringBack(card, address, name) {
  const response = await send(address, { method: "POST", headers: { Accept: "application/json" } }).catch(() => null);
  if (!response?.ok) return toast(say("restoreFailed", { name }), { kind: "error" });
  document.getElementById("sent").prepend(card);
  document.dispatchEvent(new CustomEvent("cards:changed"));
  watchSoon();
}

async function again(card, form) {
  const response = await send(form.action, { method: "POST" }).catch(() => null);
  if (!response?.ok) return toast(say("network"), { kind: "error" });
  card.removeAttribute("data-finished");
  watchSoon();
}
