// Loaded without defer, so that the theme stands before the first paint. Choice: light, dark or auto; a page may
// say on <html data-theme-default> what holds until somebody chooses.
(() => {
  const key = "skinclinic-theme";
  const root = document.documentElement;
  const otherwise = root.dataset.themeDefault || "auto";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  const stored = () => {
    try {
      return localStorage.getItem(key) || otherwise;
    } catch {
      return otherwise;
    }
  };
  const apply = (choice) => {
    root.dataset.bsTheme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    root.dataset.themeChoice = choice;
  };
  const mark = () => {
    for (const button of document.querySelectorAll("[data-theme-value]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeValue === root.dataset.themeChoice));
    }
  };

  apply(stored());
  dark.addEventListener("change", () => apply(stored()));
  window.addEventListener("storage", (event) => event.key === key && (apply(stored()), mark()));
  document.addEventListener("DOMContentLoaded", mark);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-theme-value]");
    if (!button) return;
    try {
      localStorage.setItem(key, button.dataset.themeValue);
    } catch {
      // A browser that refuses storage keeps the choice for this page only.
    }
    apply(button.dataset.themeValue);
    mark();
  });
})();
