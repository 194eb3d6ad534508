// Links that are shown once: nobody leaves without having kept them, or having said so.
const box = document.getElementById("links");
const links = [...box.querySelectorAll("[data-link]")];
const kept = new Set();
let isMailing = false;

box.addEventListener("click", (event) => {
  if (event.target.closest("[data-keeps-all]")) for (const link of links) kept.add(link);
  const link = event.target.closest("[data-link]");
  if (link && event.target.closest("button, [data-keeps]")) kept.add(link);
  // An address of a mail program leaves nothing, though browsers ask as if it did.
  if (event.target.closest("[data-keeps], [download]")) {
    isMailing = true;
    setTimeout(() => (isMailing = false), 500);
  }
});

window.addEventListener("beforeunload", (event) => {
  if (!("needed" in box.dataset) || isMailing || kept.size === links.length) return;
  event.preventDefault();
  event.returnValue = box.dataset.ask;
});
