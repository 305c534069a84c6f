// One turn of a chat: the reader's message, and the answer to it with what can be done about it.

function label(control, text) {
  control.title = text;
  control.setAttribute("aria-label", text);
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // a page without https has no clipboard of its own
    const holder = element("textarea", "", document.body);
    holder.value = text;
    const focused = document.activeElement;
    holder.select();
    document.execCommand("copy");
    holder.remove();
    focused?.focus();
  }
}

// The panel of a run under way, with the time that each step took.
class TurnPanel extends Panel {
  constructor(root, send) {
    super(root, send);
    this.times = {};
    this.stop.remove(); // the chat has one
  }

  receive(message, times) {
    Object.assign(this.times, times);
    super.receive(message);
    for (const key of Object.keys(times ?? {})) showTime(this.rows.get(key), times[key]);
  }

  step(key, html) {
    super.step(key, html);
    showTime(this.rows.get(key), this.times[key]);
  }
}

function showTime(row, time) {
  if (!row || !time) return;
  const line = row.tagName === "DETAILS" ? row.firstElementChild : row;
  (line.querySelector(":scope > .agk-time") ?? element("span", "agk-time", line)).textContent = time;
}

// `act` takes what the reader does; `chat` is where the turn stands.
class TurnView {
  constructor(chat, data) {
    this.chat = chat;
    this.root = element("article", "agk-turn");
    this.root.tabIndex = -1; // for the focus that was on another version of the message
    this.user = element("div", "agk-user", this.root);
    this.under = element("div", "agk-under", this.root);
    this.answer = element("div", "agk-answer", this.root);
    this.panel = null;
    this.place = [1, 1];
    this.update(data);
  }

  close() {
    this.panel?.close();
    this.panel = null;
  }

  update(data) {
    this.data = data;
    this.root.setAttribute("aria-label", data.over ? `Message and answer by ${data.agent}` : "Message being answered");
    if (!this.editing) this.showQuestion();
    if (data.over) this.showAnswer();
    else if (!this.panel) this.showRun();
    this.showUnder();
  }

  // -- the reader's message

  showQuestion() {
    this.editing = false;
    this.user.className = "agk-user";
    this.user.hidden = false;
    const by = element("b", "agk-by", null, "You: ");
    const text = element("span", "agk-said");
    text.innerHTML = this.data.question;
    this.user.replaceChildren(by, text);
    if (this.data.files) this.user.insertAdjacentHTML("beforeend", this.data.files);
  }

  setPlace(place, versions) {
    this.place = place;
    this.versions = versions;
    this.showUnder();
  }

  showUnder() {
    const [number, count] = this.place;
    const focused = this.under.contains(document.activeElement) ? document.activeElement.className : null;
    this.under.replaceChildren();
    this.under.hidden = this.editing;
    if (this.editing) return;
    if (count > 1) {
      const go = (to) => this.chat.act({ kind: "choose", turn: this.versions[to - 1] });
      const previous = pictureButton("agk-branch-prev", "previous", "Previous version", this.under, () => go(number - 1));
      previous.disabled = number === 1 || this.chat.busy;
      const shown = element("span", "agk-branch", this.under, `${number}/${count}`);
      shown.setAttribute("aria-label", `Version ${number} of ${count}`);
      const next = pictureButton("agk-branch-next", "next", "Next version", this.under, () => go(number + 1));
      next.disabled = number === count || this.chat.busy;
    }
    const edit = pictureButton("agk-edit", "edit", "Edit and send again", this.under, () => this.edit());
    edit.disabled = this.chat.busy;
    if (focused) this.under.querySelector(`[class="${focused}"]:enabled`)?.focus();
  }

  edit() {
    this.editing = true;
    this.user.className = "agk-user agk-editing";
    const text = element("textarea", "agk-edit-text");
    text.rows = 1;
    text.value = this.data.text;
    text.setAttribute("aria-label", "The message, to be changed and sent again");
    const row = element("div", "agk-row");
    const done = () => {
      this.showQuestion();
      this.showUnder();
    };
    const send = () => {
      if (!text.value.trim() && !this.data.files) return;
      done();
      this.chat.act({ kind: "edit", turn: this.data.id, text: text.value });
      this.chat.text.focus();
    };
    button("agk-button agk-edit-send", "Send", row, { title: "Send the changed message", onclick: send });
    button("agk-button agk-edit-cancel", "Cancel", row, { title: "Leave the message as it is", onclick: () => {
      done();
      this.under.querySelector(".agk-edit")?.focus();
    } });
    text.onkeydown = (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        send();
      } else if (event.key === "Escape") {
        event.stopPropagation();
        row.lastElementChild.click();
      }
    };
    text.oninput = () => grow(text, 240);
    this.user.replaceChildren(text, row);
    this.showUnder();
    grow(text, 240);
    text.focus();
    text.setSelectionRange(text.value.length, text.value.length);
  }

  // -- the answer

  showRun() {
    this.answer.replaceChildren();
    this.answer.setAttribute("aria-busy", "true");
    this.panel = new TurnPanel(this.answer, (content) => this.chat.send({ kind: "run", turn: this.data.id, content }));
  }

  receive(message, times) {
    this.panel?.receive(message, times);
  }

  showAnswer() {
    const { data } = this;
    const tools = this.answer.contains(document.activeElement) ? document.activeElement.className : null;
    this.close();
    this.answer.removeAttribute("aria-busy");
    const parts = [element("b", "agk-by", null, `${data.agent}: `)];
    if (data.steps.length) {
      const steps = element("div", "agk-s");
      for (const [html, time] of data.steps) {
        steps.insertAdjacentHTML("beforeend", html);
        showTime(steps.lastElementChild, time);
      }
      parts.push(steps);
    }
    if (data.answer) {
      const answer = element("div", "agk-a");
      answer.innerHTML = data.answer;
      parts.push(answer);
    }
    if (data.note) {
      const note = element("div", "agk-note");
      element("span", "agk-no", note, "■ ");
      note.append(data.note);
      parts.push(note);
    }
    parts.push(this.tools());
    this.answer.replaceChildren(...parts);
    if (tools) this.answer.querySelector(`button[class="${tools}"]`)?.focus();
  }

  tools() {
    const { data } = this;
    const row = element("div", "agk-tools");
    if (data.source) {
      const copy = pictureButton("agk-copy", "copy", "Copy the answer as Markdown", row, async () => {
        await copyText(data.source);
        copy.replaceChildren(picture("done"));
        this.chat.say("Copied.");
        setTimeout(() => copy.replaceChildren(picture("copy")), 1500);
      });
    }
    const thumb = (name, text) => {
      const made = pictureButton(`agk-${name}`, "up", text, row, () => this.rate(name));
      made.setAttribute("aria-pressed", String(data.rating === name));
      return made;
    };
    thumb("up", "Good answer");
    thumb("down", "Bad answer");
    const retry = pictureButton("agk-retry", "retry", "Send the message again", row, () =>
      this.chat.act({ kind: "retry", turn: data.id }),
    );
    retry.disabled = this.chat.busy;
    element("span", "agk-usage", row, data.usage);
    if (data.rating && data.rating !== this.remarking) {
      const said = data.remark ? `rated ${data.rating}: ${data.remark}` : "";
      if (said) element("div", "agk-said-of", row, said);
    }
    if (this.remarking && data.rating === this.remarking) this.askRemark(row);
    return row;
  }

  rate(name) {
    const rating = this.data.rating === name ? null : name;
    this.remarking = rating;
    this.wantsFocus = rating !== null;
    this.chat.act({ kind: "rate", turn: this.data.id, rating, remark: rating ? this.data.remark : "" });
  }

  askRemark(row) {
    const form = element("form", "agk-remark-row", row);
    const text = element("input", "agk-remark", form);
    text.type = "text";
    text.value = this.data.remark;
    text.placeholder = this.remarking === "down" ? "What was wrong with it? (optional)" : "What was good about it? (optional)";
    text.setAttribute("aria-label", "Remark on the answer");
    const save = button("agk-button agk-remark-save", "Save", form, { title: "Save the remark" });
    save.type = "submit";
    const finish = (remark) => {
      const rating = this.remarking;
      this.remarking = null;
      this.chat.act({ kind: "rate", turn: this.data.id, rating, remark });
      this.answer.querySelector(`.agk-${rating}`)?.focus();
    };
    form.onsubmit = (event) => {
      event.preventDefault();
      finish(text.value);
    };
    text.onkeydown = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      finish(this.data.remark);
    };
    if (this.wantsFocus) queueMicrotask(() => text.focus());
    this.wantsFocus = false;
  }

  // The reader goes on: what was written so far is the remark.
  closeRemark() {
    if (!this.remarking) return;
    const [rating, remark] = [this.remarking, this.answer.querySelector(".agk-remark")?.value ?? ""];
    this.remarking = null;
    this.answer.querySelector(".agk-remark-row")?.remove();
    if (remark !== this.data.remark) this.chat.act({ kind: "rate", turn: this.data.id, rating, remark });
  }

  setBusy(busy) {
    for (const each of this.root.querySelectorAll(".agk-retry, .agk-edit")) each.disabled = busy;
    const [number, count] = this.place;
    const [previous, next] = [".agk-branch-prev", ".agk-branch-next"].map((each) => this.under.querySelector(each));
    if (previous) previous.disabled = busy || number === 1;
    if (next) next.disabled = busy || number === count;
  }
}

// Let a text field be as high as its text, up to a limit in pixels.
function grow(field, most) {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight + 2, most)}px`;
}
