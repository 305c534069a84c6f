// A chat in a cell. What was said is kept by the kernel, and as an ordinary output above; here it is only shown.

const LAGS =
  "The notebook does not keep all of this chat: since the page was loaded anew, the output above no longer follows it. To keep all, run in a new cell:";
const NEAR_BOTTOM_PX = 40;

class ChatView extends CellView {
  constructor(model, el) {
    super(model, el, { className: "agk-chat", silence: "the chat", answerMs: 4000 });
    this.turns = new Map();
    this.path = [];
    this.busy = false;
    this.view = Math.random().toString(36).slice(2);
    this.build();
    this.askUntilHeard();
  }

  build() {
    this.head = element("header", "agk-chat-head", this.root);
    this.scroller = element("div", "agk-scroll", this.root);
    this.scroller.tabIndex = 0;
    this.scroller.onscroll = () => this.noteScroll();
    this.log = element("div", "agk-log", this.scroller);
    this.log.setAttribute("role", "log");
    this.log.setAttribute("aria-live", "polite");
    this.suggestions = element("div", "agk-suggestions", this.scroller);
    this.earlier = element("div", "agk-banner agk-earlier", this.root);
    this.earlier.hidden = true;
    this.jump = pictureButton("agk-jump", "bottom", "Go to the newest message", this.root, () => this.toBottom());
    this.jump.hidden = true;
    this.root.append(this.lag, this.banner);
    this.buildComposer(element("form", "agk-compose", this.root));
    this.observer = new IntersectionObserver(([entry]) => (this.composerSeen = entry.intersectionRatio > 0.95), {
      threshold: [0, 0.95],
    });
    this.observer.observe(this.form);
    this.spoken = element("div", "agk-by", this.root);
    this.spoken.setAttribute("aria-live", "polite");
  }

  buildComposer(form) {
    this.form = form;
    const chips = element("div", "agk-files agk-draft", form);
    const upload = (content, buffers) => (content.last === false ? this.send(content, buffers) : this.act(content, buffers));
    this.files = new Files(chips, upload, (text) => this.tell(text));
    this.files.listen(this.root);
    this.files.show([]);
    this.text = element("textarea", "agk-composer", form);
    this.text.rows = 1;
    this.text.oninput = () => {
      grow(this.text, 200);
      this.showSend();
    };
    const row = element("div", "agk-compose-row", form);
    this.files.chooser(row);
    const list = element("datalist", "", row);
    list.id = `agk-models-${Math.random().toString(36).slice(2)}`;
    this.models = list;
    this.modelName = element("input", "agk-model", row);
    this.modelName.setAttribute("list", list.id);
    label(this.modelName, "Model for the messages to come; empty for the agent's own");
    this.modelName.onchange = () => this.act({ kind: "model", name: this.modelName.value });
    this.modelName.onkeydown = (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // it would send the message
      this.text.focus(); // which makes the choice
    };
    this.total = element("span", "agk-total", row);
    this.sendButton = pictureButton("agk-send", "send", "Send (Enter)", row);
    this.sendButton.type = "submit";
    this.stopButton = pictureButton("agk-stop", "stop", "Stop (Esc)", row, () => this.stop());
    this.stopButton.hidden = true;
    form.onsubmit = (event) => {
      event.preventDefault();
      this.submit();
    };
  }

  // -- to the kernel

  // All of a chat may be long: who asks again has it once.
  ask(again = false) {
    this.send({ kind: "ready", view: this.view, again });
    this.expectAnswer();
  }

  submit() {
    const text = this.text.value;
    if (this.busy) {
      if (text.trim()) this.say("Wait for the answer, or stop it with Escape; your message stays here.");
      return;
    }
    if (this.gone || (!text.trim() && !this.files.any)) return;
    for (const view of this.turns.values()) view.closeRemark();
    this.act({ kind: "send", text });
    this.stick = true;
  }

  stop() {
    this.stopButton.disabled = true;
    this.act({ kind: "stop" });
  }

  key(event) {
    if (event.key === "Escape" && this.busy) {
      event.preventDefault();
      this.stop();
    } else if (event.target === this.text && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.submit();
    }
  }

  // -- from the kernel

  receive(message) {
    this.heard();
    if (message.run) this.around(() => this.turns.get(message.turn)?.receive(message.run, message.times));
    else if (message.told !== undefined) {
      this.tell(message.told);
      if (message.back && !this.text.value) this.compose(message.back);
    } else if (message.n !== undefined) this.change(message);
  }

  change(message) {
    if (!this.isInOrder(message)) return;
    this.around(() => {
      if (message.all) this.replace(message.all);
      for (const turn of message.turns ?? []) this.putTurn(turn);
      if (message.path) this.showPath(message);
    });
    if (message.kept !== undefined && !this.gone) this.kept.watch(message.kept);
    if (message.taken) this.compose("");
    if (message.files) this.files.show(message.files);
    this.showSend();
  }

  replace(state) {
    this.agent = state.agent;
    this.resume = state.resume;
    this.again = state.again;
    this.files.mostBytes = state.most_bytes;
    this.files.show(state.files);
    this.root.setAttribute("aria-label", `Chat with ${state.agent}`);
    this.head.replaceChildren(element("span", "agk-n", null, state.agent));
    if (state.title) element("span", "agk-d", this.head, state.title);
    this.scroller.style.maxHeight = `min(${state.height}px, 75vh)`;
    this.scroller.setAttribute("aria-label", `Messages of the chat with ${state.agent}`);
    this.text.placeholder = `Message ${state.agent}`;
    this.text.setAttribute("aria-label", `Message to ${state.agent}; Enter sends, Shift and Enter begins a new line`);
    this.models.replaceChildren();
    for (const name of state.models) element("option", "", this.models).value = name;
    this.modelName.placeholder = "agent's model";
    if (document.activeElement !== this.modelName) this.modelName.value = state.model;
    this.suggestions.replaceChildren();
    for (const text of state.suggestions)
      button("agk-suggestion", text, this.suggestions, { onclick: () => this.act({ kind: "send", text }) });
    if (state.earlier) this.fillWithCode(this.earlier, ...state.earlier);
    for (const turn of this.turns.values()) turn.close();
    this.turns.clear();
    for (const turn of state.turns) this.putTurn(turn);
    this.stick = true;
  }

  putTurn(data) {
    const known = this.turns.get(data.id);
    if (known) known.update(data);
    else this.turns.set(data.id, new TurnView(this, data));
  }

  showPath(state) {
    const views = state.path.map((id) => this.turns.get(id)).filter(Boolean);
    if (views.length < state.path.length) this.ask(); // a turn that was shown before this page was there
    const here = [...this.log.children];
    const there = views.map((view) => view.root);
    const left = here.findIndex((root) => !there.includes(root) && root.contains(document.activeElement));
    for (const root of here) if (!there.includes(root)) root.remove();
    there.forEach((root, index) => {
      if (this.log.children[index] !== root) this.log.insertBefore(root, this.log.children[index] ?? null);
    });
    there[left]?.focus({ preventScroll: true });
    const began = state.busy && !this.busy;
    this.busy = state.busy;
    views.forEach((view, index) => view.setPlace(state.places[index], state.versions[index]));
    for (const view of this.turns.values()) view.setBusy(this.busy);
    if (began) this.stick = true;
    this.total.textContent = state.total;
    this.suggestions.hidden = views.length > 0;
    this.earlier.hidden = views.length > 0 || !this.earlier.firstChild;
    this.log.hidden = !views.length;
  }

  showSend() {
    const focused = document.activeElement === this.stopButton;
    this.stopButton.hidden = !this.busy;
    if (!this.busy) this.stopButton.disabled = false;
    this.sendButton.hidden = this.busy;
    this.sendButton.disabled = this.gone || (!this.text.value.trim() && !this.files.any);
    if (focused && this.stopButton.hidden) this.text.focus();
  }

  compose(text) {
    this.text.value = text;
    grow(this.text, 200);
    this.showSend();
  }

  // -- scrolling: along with the answer, unless the reader has gone up

  // What grows may push the composer out of sight; who saw it goes on seeing it.
  around(change) {
    const keep = this.composerSeen || this.stick;
    const follow = this.stick || this.atBottom();
    change();
    this.stick = false;
    if (follow) this.toBottom();
    else this.noteScroll();
    if (keep && follow) this.form.scrollIntoView({ block: "nearest" });
  }

  atBottom() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM_PX;
  }

  toBottom() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.jump.hidden = true;
  }

  noteScroll() {
    this.jump.hidden = this.atBottom();
  }

  showLag(lags) {
    this.around(() => {
      if (lags && this.lag.hidden) this.fillWithCode(this.lag, LAGS, this.again);
      this.lag.hidden = !lags;
    });
  }

  // -- what else there is to say

  say(text) {
    this.spoken.textContent = text;
    this.spoken.className = "agk-spoken";
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => {
      this.spoken.className = "agk-by";
      this.spoken.textContent = "";
    }, 4000);
  }

  // The kernel has ended or begun anew: what is shown stays, and is kept in the notebook.
  end() {
    if (this.gone) return;
    this.gone = true;
    this.kept.stop();
    this.heard();
    this.busy = false;
    for (const view of this.turns.values()) {
      view.setBusy(true);
      view.panel?.end("Not answered to the end.");
    }
    for (const control of this.root.querySelectorAll("textarea, input, button:not(.agk-copy, .agk-jump, .agk-copy-resume)"))
      control.disabled = true;
    this.showSend();
    const told = `${GONE}, and this chat with it. What was said is kept in the notebook.`;
    if (this.resume) this.fillWithCode(this.banner, `${told} Go on in a new cell:`, this.resume);
    else this.banner.replaceChildren(element("span", "", null, told));
    this.banner.hidden = false;
    this.lag.hidden = true;
  }

  // Say something that ends in code to be run, which can be copied.
  fillWithCode(banner, text, code) {
    banner.replaceChildren(element("span", "", null, text), element("code", "agk-resume", null, code));
    const copy = pictureButton("agk-copy-resume", "copy", "Copy", banner, async () => {
      await copyText(code);
      copy.replaceChildren(picture("done"));
    });
  }

  close() {
    super.close();
    clearTimeout(this.speaking);
    for (const view of this.turns.values()) view.close();
  }
}

export default { render: rendering(ChatView) };
