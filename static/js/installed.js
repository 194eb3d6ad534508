// The service worker of the installed product (service-worker.js). While the product is being changed (DEBUG) there is
// none, and one of before is removed.

const address = document.documentElement.dataset.serviceWorker;
const container = navigator.serviceWorker;

async function begin() {
  if (!address) {
    for (const one of await container.getRegistrations()) if (one.active?.scriptURL.endsWith("/service-worker.js")) one.unregister();
    return;
  }
  await container.register(address);
  const { active } = await container.ready;
  // Signing out has emptied it.
  active.postMessage("fill");
}

if (container) {
  begin().catch(() => null);
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented && event.target.matches("form[data-sign-out]")) container.controller?.postMessage("signed-out");
  });
}
