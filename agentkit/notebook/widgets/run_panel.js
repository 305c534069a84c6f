// The widget of one run in a cell.

const LOOK_MS = 50;
const NOT_KEPT =
  "The notebook does not keep this: since the page was loaded anew, the output above is no longer replaced. To keep it, run in a new cell:";

// A run that goes on after its cell has ended: once it is over, what the notebook keeps takes this one's place.
class Over {
  constructor(panel, send) {
    this.panel = panel;
    this.send = send;
    this.kept = new KeptWatch(panel.root, (lags) => this.told(lags), LOOK_MS);
  }

  receive({ kept, again, note }) {
    this.again = again;
    this.panel.end(note);
    this.kept.watch(kept);
  }

  told(lags) {
    if (!lags) {
      this.panel.root.style.display = "none"; // the output above says it all
      this.send({ kind: "kept" });
    } else if (!this.lag) {
      this.lag = element("div", "agk-lag", this.panel.root);
      this.lag.setAttribute("role", "status");
      element("span", "", this.lag, `${NOT_KEPT} `);
      element("code", "agk-again", this.lag, this.again);
    }
  }
}

function render({ model, el }) {
  const send = (content) => model.send(content);
  const panel = new Panel(el, send);
  const over = new Over(panel, send);
  const receive = (message) => (message.kept === undefined ? panel.receive(message) : over.receive(message));
  const leave = whenGone(model, () => {
    over.kept.stop();
    panel.end(`${GONE}, and this run with it. Ask again to begin another.`);
  });
  model.on("msg:custom", receive);
  return () => {
    leave();
    over.kept.stop();
    panel.close();
    model.off("msg:custom", receive);
  };
}

export default { render };
