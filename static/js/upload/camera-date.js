// The moment a photo was taken, from one JPEG's Exif into another's: a canvas writes none.

const TAKEN = 0x9003;
const OFFSET = 0x9011;
const EXIF_FOLDER = 0x8769;
const ASCII = 2;
const LONG = 4;
const ENTRY = 12;

/** `blob`, a JPEG without Exif, with the moment that `file` says it was taken at; as it is where that says none. */
export async function withDateOf(file, blob) {
  let found = {};
  try {
    found = read(new DataView(await file.arrayBuffer()));
  } catch {
    // A file that ends early, or is no JPEG: it says nothing.
  }
  if (!found[TAKEN]) return blob;
  const bytes = await blob.arrayBuffer();
  return new Blob([bytes.slice(0, 2), segment(found), bytes.slice(2)], { type: "image/jpeg" });
}

/** {tag: text} of TAKEN and OFFSET. */
function read(view) {
  let at = 2;
  while (view.getUint16(0) === 0xffd8 && view.getUint8(at) === 0xff && view.getUint8(at + 1) !== 0xda) {
    const isExif = view.getUint8(at + 1) === 0xe1 && view.getUint32(at + 4) === 0x45786966;
    if (isExif) return inExif(new DataView(view.buffer, view.byteOffset + at + 10));
    at += 2 + view.getUint16(at + 2);
  }
  return {};
}

function inExif(view) {
  const little = view.getUint16(0) === 0x4949;
  const found = {};
  const look = (folder) => {
    for (let n = 0; n < view.getUint16(folder, little); n += 1) {
      const entry = folder + 2 + n * ENTRY;
      const tag = view.getUint16(entry, little);
      if (tag === EXIF_FOLDER) look(view.getUint32(entry + 8, little));
      if (tag === TAKEN || tag === OFFSET) found[tag] = text(view, entry, little);
    }
  };
  look(view.getUint32(4, little));
  return found;
}

function text(view, entry, little) {
  const length = view.getUint32(entry + 4, little);
  const at = length > 4 ? view.getUint32(entry + 8, little) : entry + 8;
  return [...new Uint8Array(view.buffer, view.byteOffset + at, length)].map((code) => String.fromCharCode(code)).join("");
}

/** An APP1 segment with one Exif folder that holds these texts. */
function segment(found) {
  const entries = Object.entries(found);
  const texts = entries.reduce((sum, [, words]) => sum + words.length, 0);
  const folder = 26;
  const behind = folder + 2 + entries.length * ENTRY + 4;
  const view = new DataView(new ArrayBuffer(10 + behind + texts));
  const put = (at, value, size) => view[`setUint${size}`](at, value);
  put(0, 0xffe1, 16);
  put(2, view.byteLength - 2, 16);
  put(4, 0x45786966, 32);
  // From here on, addresses count from the byte order mark.
  const base = 10;
  put(base, 0x4d4d, 16);
  put(base + 2, 42, 16);
  put(base + 4, 8, 32);
  put(base + 8, 1, 16);
  putEntry(base + 10, EXIF_FOLDER, LONG, 1, folder);
  put(base + folder, entries.length, 16);
  let at = behind;
  entries.forEach(([tag, words], n) => {
    putEntry(base + folder + 2 + n * ENTRY, Number(tag), ASCII, words.length, at);
    [...words].forEach((letter, place) => put(base + at + place, letter.charCodeAt(0), 8));
    at += words.length;
  });
  return view.buffer;

  function putEntry(place, tag, type, count, value) {
    put(place, tag, 16);
    put(place + 2, type, 16);
    put(place + 4, count, 32);
    put(place + 8, value, 32);
  }
}
