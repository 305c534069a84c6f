// Files that go with the next message: chosen, pasted or dropped, sent to the kernel in parts.

class Files {
  // `where` gets the names of those that are there; `send` takes a message and its data.
  constructor(where, send, tell) {
    this.where = where;
    this.send = send;
    this.tell = tell;
    this.mostBytes = Infinity;
  }

  // The button; the field that takes the files is inside it, so that a label is all it needs.
  chooser(parent) {
    const made = element("label", "agk-icon agk-attach", parent);
    made.append(picture("attach"));
    made.title = "Attach images, PDFs or texts";
    const input = element("input", "", made);
    input.type = "file";
    input.multiple = true;
    input.setAttribute("aria-label", made.title);
    input.onchange = () => {
      this.add(input.files);
      input.value = "";
    };
    return input;
  }

  listen(root) {
    root.addEventListener("paste", (event) => {
      if (!event.clipboardData?.files.length) return;
      event.preventDefault();
      this.add(event.clipboardData.files);
    });
    takeDrops(root, (transfer) => this.add(transfer.files));
  }

  async add(files) {
    for (const file of files) await this.upload(file);
  }

  async upload(file) {
    if (file.size > this.mostBytes) {
      this.tell(`${file.name} is too large: ${Math.ceil(file.size / 1e6)} MB, where ${this.mostBytes / 1e6} MB is the most.`);
      return;
    }
    let data;
    try {
      data = await file.arrayBuffer();
    } catch (error) {
      this.tell(`${file.name} can't be read: ${error.message} A folder's files are attached one by one.`);
      return;
    }
    for await (const [message, part] of partsOf(uploadKey(), file.name || "pasted", data)) this.send(message, part);
  }

  show(files) {
    this.where.replaceChildren();
    this.where.hidden = !files.length;
    for (const { key, name, size } of files) {
      const chip = element("span", "agk-file", this.where, `${name} · ${size}`);
      pictureButton("agk-drop", "close", `Don't attach ${name}`, chip, () => this.send({ kind: "drop", key }));
    }
    this.any = files.length > 0;
  }
}
