// On the pages before and after a reading: answers that still wait on this device are sent from here too. What can
// never be taken any more is said once, and goes when the reader has seen it.
import { grouped } from "../numbers.js";
import { renameKept } from "./kept.js";
import { Queue, basesBelow } from "./queue.js";

const notice = document.getElementById("waiting-answers");
const text = notice.querySelector("[data-text]");
const understood = notice.querySelector("[data-understood]");
const { home, kept: who } = notice.dataset;
const counts = new Map();
const over = [];

function show(words) {
  const waiting = [...counts.values()].reduce((sum, count) => sum + count, 0);
  text.textContent = words.replace("{n}", grouped(waiting));
  notice.hidden = waiting === 0;
}

renameKept(home, who);
for (const base of basesBelow(home, who)) {
  const queue = new Queue(base, { home, who }, {
    onState: (state, waiting) => {
      counts.set(base, waiting);
      if (state === "saved" && [...counts.values()].every((count) => count === 0)) window.location.reload();
      else show(state === "error" ? notice.dataset.sayKept : notice.dataset.sayWaiting);
    },
    onTaken: () => null,
    onRefused: () => null,
    onEnd: (error) => {
      if (!error.final) return show(notice.dataset.sayKept);
      over.push([base, queue]);
      understood.hidden = false;
      show(`${error.message} ${notice.dataset.sayNotTaken}`);
    },
  });
}

understood.addEventListener("click", () => {
  for (const [base, queue] of over.splice(0)) {
    queue.giveUp();
    counts.set(base, 0);
  }
  understood.hidden = true;
  show(notice.dataset.sayKept);
});
