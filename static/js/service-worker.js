// The service worker: only what every clinic's pages are made of. It keeps static files whose name holds the hash of
// their content, and one page for when there is no connection. No page of the product, no photo and no answer of the
// server is ever kept here. The server puts SHELL before this: {version, static, offline, files}.

const PREFIX = "skinclinic-shell-";
const { version, static: folder, offline, files } = self.SHELL;
const NAME = PREFIX + version;
const HASHED = /\.[0-9a-f]{12}\.[^/]+$/;

self.addEventListener("install", (event) => event.waitUntil(fill().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(drop((name) => name !== NAME).then(() => self.clients.claim())));

self.addEventListener("message", (event) => {
  if (event.data === "signed-out") event.waitUntil(drop(() => true));
  if (event.data === "fill") event.waitUntil(fill());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(async () => (await caches.match(offline, { cacheName: NAME })) ?? Response.error()));
  } else if (address.pathname.startsWith(folder) && !address.search) {
    if (HASHED.test(address.pathname)) event.respondWith(kept(request));
    // Without hashes (a server that collected no files) only what the page for no connection needs, and only then.
    else if (files.includes(address.pathname)) event.respondWith(fetch(request).catch(() => caches.match(address.pathname, { cacheName: NAME })));
  }
});

/** The offline page and its files, asked for as somebody who is not signed in. */
async function fill() {
  const cache = await caches.open(NAME);
  await Promise.all(
    [offline, ...files].map(async (address) => {
      if (await cache.match(address)) return;
      const answer = await fetch(address, { credentials: "omit" });
      if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
      await cache.put(address, answer);
    }),
  );
}

async function kept(request) {
  const cache = await caches.open(NAME);
  const known = await cache.match(request.url);
  if (known) return known;
  const answer = await fetch(request);
  // A full disk must not keep a page from its files.
  if (answer.status === 200) cache.put(request.url, answer.clone()).catch(() => null);
  return answer;
}

async function drop(which) {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && which(name));
  await Promise.all(names.map((name) => caches.delete(name)));
}
