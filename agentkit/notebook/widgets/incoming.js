// Files on their way to the kernel: dropped on a widget, and sent in parts.

const PART_BYTES = 1 << 20; // a server may refuse messages of 10 MB

// Take what is dropped on `root`, while `isOpen`.
function takeDrops(root, take, isOpen = () => true) {
  const has = (event) => event.dataTransfer?.types.includes("Files");
  for (const name of ["dragenter", "dragover", "dragleave", "drop"])
    root.addEventListener(name, (event) => {
      if (!has(event) || !isOpen()) return;
      event.preventDefault();
      event.stopPropagation();
      const away = name === "drop" || (name === "dragleave" && !root.contains(event.relatedTarget));
      root.classList.toggle("agk-dropping", !away);
      if (name === "drop") take(event.dataTransfer);
    });
}

let uploads = 0;

function uploadKey() {
  return `${Date.now().toString(36)}-${uploads++}`;
}

// Yields each part of `data` as the message that takes it, its data and how many bytes have gone with it; waits after each but the last.
async function* partsOf(key, name, data) {
  for (let at = 0; at === 0 || at < data.byteLength; at += PART_BYTES) {
    const last = at + PART_BYTES >= data.byteLength;
    yield [{ kind: "upload", key, name, last }, [data.slice(at, at + PART_BYTES)], at + PART_BYTES];
    if (!last) await new Promise((resume) => setTimeout(resume));
  }
}
