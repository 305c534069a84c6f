// The widget of one run in a cell.

function render({ model, el }) {
  const panel = new Panel(el, (content) => model.send(content));
  const receive = (message) => panel.receive(message);
  model.on("msg:custom", receive);
  return () => {
    panel.close();
    model.off("msg:custom", receive);
  };
}

export default { render };
