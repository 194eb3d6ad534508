// Where files come from: picker, camera, drop anywhere on the page (folders too), paste.
import { say } from "./words.js";

/** Call `take(files)` with every file a person gives the page. */
export function listenForFiles(take) {
  for (const input of document.querySelectorAll("[data-pick]")) {
    input.addEventListener("change", () => {
      take([...input.files]);
      input.value = ""; // so that the same file can be chosen again
    });
  }
  listenForDrop(take);
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    take(files.map(withName));
  });
}

function listenForDrop(take) {
  const veil = document.getElementById("upload-veil");
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0; // dragenter and dragleave also come from every element inside
  const cover = (on) => (veil.hidden = !on);
  window.addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    cover(true);
  });
  window.addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    depth = Math.max(0, depth - 1);
    cover(depth > 0);
  });
  window.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  window.addEventListener("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    cover(false);
    take(await droppedFiles(event.dataTransfer));
  });
}

async function droppedFiles(transfer) {
  // Both must be read before the first await: the browser empties the transfer after this turn.
  const files = [...transfer.files];
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return files;
  return (await Promise.all(entries.map(filesOf))).flat();
}

async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const inside = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    inside.push(...some);
  }
  const visible = inside.filter((child) => !child.name.startsWith("."));
  return (await Promise.all(visible.map(filesOf))).flat();
}

function withName(file) {
  const ending = file.type.split("/")[1] ?? "png";
  const generic = !file.name || /^image\.\w+$/.test(file.name);
  return generic ? new File([file], `${say("pasted")}.${ending}`, { type: file.type }) : file;
}
