// How long somebody still has to wait, counted down: <span data-wait="59" data-over="…">.

for (const box of document.querySelectorAll("[data-wait]")) {
  const until = Date.now() + Number(box.dataset.wait) * 1000;
  const clock = document.createElement("time");
  clock.className = "num";
  // Read out once, with the words; not each second.
  clock.setAttribute("aria-hidden", "true");
  box.after(" ", clock);
  const show = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left > 0) return;
    clearInterval(ticks);
    clock.remove();
    box.setAttribute("role", "status");
    box.textContent = box.dataset.over;
  };
  const ticks = setInterval(show, 1000);
  show();
}
