// Photos that the server has not acknowledged yet, kept in this browser (IndexedDB) from the moment they are chosen.
// Each belongs to the person and clinic that took it (`owner`): anybody else learns how many wait, and no more.

const DATABASE = "skinclinic-photos";
const STORE = "unsent";
const news = "BroadcastChannel" in window ? new BroadcastChannel(DATABASE) : null;
const held = new Map();
let opened = null;

/** Who has photos of person `person` in clinic `clinic`. */
export const ownerOf = (person, clinic) => `${person} ${clinic}`;

/** Keep `photo`: {key, owner, file, name, kind, lesion, chosenAt}. Rejects where the browser keeps nothing or is full. */
export async function keep(photo) {
  await write((store) => store.put(photo));
  news?.postMessage("changed");
}

/** The server has it, or nobody wants it. */
export async function forget(key) {
  await write((store) => store.delete(key));
  held.get(key)?.();
  held.delete(key);
  news?.postMessage("changed");
}

/** What `owner` has kept here, in the order it was chosen. */
export async function keptBy(owner) {
  const photos = await read((store) => store.index("owner").getAll(owner));
  return photos.sort((a, b) => a.chosenAt - b.chosenAt);
}

/** The bytes that were kept of one photo. */
export async function keptFile(key) {
  return (await read((store) => store.get(key)))?.file;
}

/** {mine, others}: how many photos `owner` has kept here, and how many others have. */
export async function countKept(owner) {
  const [all, mine] = await Promise.all([
    read((store) => store.count()),
    read((store) => store.index("owner").count(owner)),
  ]);
  return { mine, others: all - mine };
}

/** Call `run` when another page of this browser has kept or forgotten one. */
export function whenChanged(run) {
  news?.addEventListener("message", run);
}

/** Whether this page alone shows and sends the photo; another tab that does lets go of it when it is closed. */
export function hold(key) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(`${DATABASE} ${key}`, { ifAvailable: true }, (lock) => {
        resolve(Boolean(lock));
        return lock && new Promise((letGo) => held.set(key, letGo));
      })
      .catch(reject);
  });
}

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(STORE, { keyPath: "key" }).createIndex("owner", "owner");
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      request.result.onclose = () => (opened = null);
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  }).catch((error) => {
    opened = null;
    throw error;
  });
  return opened;
}

async function read(ask) {
  const request = ask((await database()).transaction(STORE).objectStore(STORE));
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function write(change) {
  // "strict": on the disk, not only on its way there, when this resolves.
  const transaction = (await database()).transaction(STORE, "readwrite", { durability: "strict" });
  change(transaction.objectStore(STORE));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}
