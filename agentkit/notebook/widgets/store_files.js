// Files for a store: chosen or dropped, folders too, sent to the kernel in parts.

const MOST_FILES = 200;

function sizeText(bytes) {
  for (const unit of ["B", "kB", "MB"]) {
    if (bytes < 999.5) return `${Number(bytes.toPrecision(3))} ${unit}`;
    bytes /= 1000;
  }
  return `${Number(bytes.toPrecision(3))} GB`;
}

// The files of a drop: those of folders as well, each with its path within them.
async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files].map((file) => [file.name, file]);
  const found = [];
  const walk = async (entry, path) => {
    if (found.length > MOST_FILES || entry.name.startsWith(".")) return;
    if (entry.isFile) {
      found.push([path + entry.name, await new Promise((resolve, reject) => entry.file(resolve, reject))]);
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return;
      for (const each of some) await walk(each, `${path}${entry.name}/`);
    }
  };
  for (const entry of entries) await walk(entry, "");
  return found;
}

class StoreUploads {
  // `send` takes a message and its data, `tell` a text; `moved` is called when something has changed.
  constructor(send, tell, moved) {
    this.send = send;
    this.tell = tell;
    this.moved = moved;
    this.mostBytes = Infinity;
    this.coming = new Map(); // by key: what the kernel doesn't have whole
  }

  async add(files) {
    if (files.length > MOST_FILES) {
      this.tell(`These are more than ${MOST_FILES} files: put the folder in by store.add("folder").`);
      return;
    }
    const names = new Set();
    for (const [name, file] of files) {
      await this.upload(name, file, names.has(name));
      names.add(name);
    }
  }

  // `again` tells that a file of this name came with it: it would take that one's place.
  async upload(name, file, again) {
    const key = uploadKey();
    const job = { key, name: name || "pasted", size: sizeText(file.size), state: "coming from the browser", failed: false, reason: "" };
    const fail = (reason) => {
      this.coming.set(key, { ...job, state: "failed", failed: true, reason });
      this.moved();
    };
    if (again) return fail("Another file of this name came with it. Rename one of the two, and choose this one again.");
    if (file.size > this.mostBytes) {
      const most = `${this.mostBytes / 1e6} MB`;
      return fail(`It is ${sizeText(file.size)}, and at most ${most} of a file come through the notebook's connection. Put it in by store.add("${name}").`);
    }
    this.coming.set(key, job);
    this.moved();
    let data;
    try {
      data = await file.arrayBuffer();
    } catch (error) {
      return fail(`It can't be read: ${error.message}`);
    }
    for await (const [message, part, sent] of partsOf(key, job.name, data)) {
      if (this.gone) return;
      this.send(message, part);
      if (message.last) return;
      this.coming.set(key, { ...job, state: `coming from the browser, ${Math.floor((100 * sent) / data.byteLength)} %` });
      this.moved();
    }
  }

  // The kernel has these: they are no longer only on their way to it.
  has(keys) {
    for (const key of keys) this.coming.delete(key);
  }
}
