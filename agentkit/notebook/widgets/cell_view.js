// What the widgets that a reader works with have in common: the keys pressed in them are theirs, messages come in order,
// and what goes wrong is said in a banner.

const ASK_MS = 600;
const MOST_ASKS = 20;
const NO_SHORTCUTS = "data-lm-suppress-shortcuts"; // the notebook's own keys do nothing in here

// Whoever extends it says what it shows and does: `ask` for everything, `receive` a message, `key` for a key that was
// pressed, `showLag` where the notebook doesn't keep all, `end` when the kernel is gone. It puts `banner` and `lag` in place.
class CellView {
  // `silence` is said when the kernel hasn't answered for `answerMs`.
  constructor(model, el, { className, silence, answerMs }) {
    this.model = model;
    this.next = null; // the number of the message to come; null where all is asked for
    this.silence = silence;
    this.answerMs = answerMs;
    this.root = element("div", `agk agk-view ${className} agk-control jp-RenderedHTMLCommon`, el);
    this.root.setAttribute("role", "region");
    this.root.setAttribute(NO_SHORTCUTS, "true");
    this.early = (event) => this.letSave(event);
    window.addEventListener("keydown", this.early, true); // before the notebook looks at the key
    this.root.onkeydown = (event) => {
      if (saves(event)) return;
      event.stopPropagation();
      this.key(event);
    };
    this.banner = element("div", "agk-banner");
    this.banner.setAttribute("role", "alert");
    this.banner.hidden = true;
    this.lag = element("div", "agk-banner agk-lag");
    this.lag.setAttribute("role", "status");
    this.lag.hidden = true;
    this.kept = new KeptWatch(this.root, (lags) => this.showLag(lags));
  }

  // Of the notebook's keys one goes on working: what saves it.
  letSave(event) {
    if (!this.root.contains(event.target)) return;
    if (saves(event)) this.root.removeAttribute(NO_SHORTCUTS);
    else this.root.setAttribute(NO_SHORTCUTS, "true");
  }

  send(content, buffers) {
    if (!this.gone) this.model.send(content, undefined, buffers);
  }

  // Ask for everything, again and again until it comes: what is sent while a kernel begins can be lost.
  askUntilHeard() {
    let asked = 0;
    const again = () => (this.next !== null || ++asked > MOST_ASKS ? clearInterval(this.asking) : this.ask(true));
    this.asking = setInterval(again, ASK_MS);
    this.ask();
  }

  // Something that the reader did: the kernel has to answer.
  act(content, buffers) {
    this.hideBanner();
    this.send(content, buffers);
    this.expectAnswer();
  }

  expectAnswer() {
    if (this.waiting || this.gone) return;
    this.waiting = setTimeout(() => {
      this.waiting = null;
      this.silent = true;
      this.tell(`The kernel hasn't answered yet. It may be busy, or gone; ${this.silence} goes on when it does.`);
    }, this.answerMs);
  }

  heard() {
    clearTimeout(this.waiting);
    this.waiting = null;
    if (this.silent) this.hideBanner();
    this.silent = false;
  }

  // Whether a message is the one to come, or has everything. After a gap everything is asked for, once.
  isInOrder(message) {
    if (message.all || message.n === this.next) {
      this.next = message.n + 1;
      return true;
    }
    if (this.next !== null) this.ask();
    this.next = null;
    return false;
  }

  tell(text) {
    this.banner.replaceChildren(element("span", "", null, text));
    this.dismissal(() => this.hideBanner());
    this.banner.hidden = false;
  }

  // What takes a banner away, at its end.
  dismissal(onclick) {
    pictureButton("agk-dismiss", "close", "Dismiss", this.banner, onclick);
  }

  hideBanner() {
    if (!this.gone) this.banner.hidden = true;
  }

  rest() {
    this.kept.stop();
    clearInterval(this.asking);
    clearTimeout(this.waiting);
  }

  close() {
    this.rest();
    this.observer.disconnect();
    window.removeEventListener("keydown", this.early, true);
  }
}

function saves(event) {
  return (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s";
}

// What shows a widget by a class of view.
function rendering(View) {
  return ({ model, el }) => {
    const view = new View(model, el);
    const receive = (message) => view.receive(message);
    const closed = () => view.end();
    const leave = whenGone(model, closed);
    model.on("msg:custom", receive);
    model.on("comm:close", closed);
    return () => {
      leave();
      view.close();
      model.off("msg:custom", receive);
      model.off("comm:close", closed);
    };
  };
}
