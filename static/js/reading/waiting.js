// On the pages before and after a reading: answers that still wait on this device are sent from here too.
import { Queue, basesBelow } from "./queue.js";

const notice = document.getElementById("waiting-answers");
const text = notice.querySelector("[data-text]");
const counts = new Map();

function show(words) {
  const waiting = [...counts.values()].reduce((sum, count) => sum + count, 0);
  text.textContent = words.replace("{n}", waiting);
  notice.hidden = waiting === 0;
}

for (const base of basesBelow(notice.dataset.home)) {
  new Queue(base, {
    onState: (state, waiting) => {
      counts.set(base, waiting);
      if (state === "saved" && [...counts.values()].every((count) => count === 0)) window.location.reload();
      else show(state === "error" ? notice.dataset.sayKept : notice.dataset.sayWaiting);
    },
    onTaken: () => null,
    onRefused: () => null,
    onEnd: () => show(notice.dataset.sayKept),
  });
}
