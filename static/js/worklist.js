// The worklist: rows of unfinished analyses follow their analysis; J and K walk, / searches.
import { bindKey } from "./keys.js";
import { announce } from "./toast.js";

const EVERY_MS = 3000;
const onScreen = new Set();

const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) onScreen.add(target);
    else onScreen.delete(target);
  }
});

function watch(within) {
  for (const row of within.querySelectorAll("tr[data-unfinished]")) watcher.observe(row);
  if (within.matches?.("tr[data-unfinished]")) watcher.observe(within);
}

/** Ask for the rows that can be seen and are not finished; the answer replaces those that have moved on. */
async function follow() {
  for (const row of onScreen) if (!row.isConnected) onScreen.delete(row);
  const list = document.getElementById("worklist");
  if (list && onScreen.size && !document.hidden) {
    const address = new URL(list.dataset.rowsUrl, window.location.href);
    address.searchParams.set("seen", [...onScreen].map((row) => row.dataset.unfinished).join(","));
    if ("select" in list.dataset) address.searchParams.set("select", "1");
    // An error is no reason to stop: the next round asks again.
    await window.htmx.ajax("GET", `${address.pathname}${address.search}`, { source: "#worklist-poll", swap: "none" }).catch(() => {});
  }
  setTimeout(follow, EVERY_MS);
}

function walk(step) {
  const links = [...document.querySelectorAll("#worklist .case-link")];
  const row = document.activeElement.closest?.("tr.case");
  const place = row ? links.findIndex((link) => row.contains(link)) + step : step > 0 ? 0 : links.length - 1;
  const link = links[place];
  link?.focus();
  link?.closest("tr").scrollIntoView({ block: "nearest" });
}

bindKey("KeyJ", () => walk(1), { repeat: true });
bindKey("KeyK", () => walk(-1), { repeat: true });
bindKey("Slash", () => {
  const search = document.getElementById("worklist-search");
  search?.focus();
  search?.select();
});

// From the search into what it found.
const SEARCHING_MS = 2000;
let leavesUntil = 0;
document.getElementById("worklist-search")?.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  // The list may come twice: for the key, and for what was typed just before it.
  leavesUntil = event.key === "Enter" ? performance.now() + SEARCHING_MS : 0;
  if (event.key !== "ArrowDown") return;
  event.preventDefault();
  walk(1);
});
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  const isList = detail.target?.id === "worklist" || detail.elt.id === "worklist";
  if (isList && performance.now() < leavesUntil && !document.activeElement.closest("tr.case")) walk(1);
});

document.addEventListener("htmx:load", ({ detail }) => {
  watch(detail.elt);
  if (detail.elt.dataset?.announce) announce(detail.elt.dataset.announce);
});
watch(document);
// On a phone the views are a strip that scrolls.
document.querySelector(".worklist-views .chip[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
// Back from a case: its row, or the one that stands in its place.
const here = document.querySelector("tr[data-here] .case-link");
here?.focus();
// Scrolling to the row that the address names takes the focus away again, some time before the page has loaded.
window.addEventListener("load", () => document.activeElement === document.body && here?.focus());
setTimeout(follow, EVERY_MS);
