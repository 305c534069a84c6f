// The widget of one run in a cell.

function render({ model, el }) {
  const panel = new Panel(el, (content) => model.send(content));
  const receive = (message) => panel.receive(message);
  const leave = whenGone(model, () => panel.end(`${GONE}, and this run with it. Ask again to begin another.`));
  model.on("msg:custom", receive);
  return () => {
    leave();
    panel.close();
    model.off("msg:custom", receive);
  };
}

export default { render };
