// A chart as a picture to save, with what it needs away from the page: title, talks, study, axes, and notes.
const SIDE = 24;
const [TITLE, LINE] = [30, 20];

/** The picture of `svg`, a chart of this size as SVG text, between its title and its notes. */
const framed = (svg, { width, height }, said, look) => {
  const wide = width + 2 * SIDE;
  const above = SIDE + TITLE + LINE * said.above.length;
  const tall = above + height + LINE * said.below.length + SIDE;
  const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`);
  const font = escaped(look.font);
  const line = (text, y, size, colour, weight = 400) => `<text x="${SIDE}" y="${y}" font-family="${font}" font-size="${size}" font-weight="${weight}" fill="${colour}">${escaped(text)}</text>`;
  const lines = [
    line(said.title, SIDE + 16, 20, look.ink, 600),
    ...said.above.map((text, index) => line(text, SIDE + TITLE + 8 + LINE * index, 13, look.quiet)),
    ...said.below.map((text, index) => line(text, above + height + 16 + LINE * index, 12, look.quiet)),
  ];
  const inner = svg.replace("<svg", `<svg x="${SIDE}" y="${above}"`);
  return {
    width: wide,
    height: tall,
    text: `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${wide}" height="${tall}" viewBox="0 0 ${wide} ${tall}"><title>${escaped(said.title)}</title><rect width="100%" height="100%" fill="${look.paper}"/>${inner}${lines.join("")}</svg>`,
  };
};

const saved = (blob, name) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
};

/** What the dashed lines mean, a line of text each; of many, the first four. */
const marked = (events) => {
  const said = Object.entries(events).flatMap(([month, each]) => each.map((event) => `${month}: ${event.slice(0, 100)}`));
  return said.length > 5 ? [...said.slice(0, 4), `and ${said.length - 4} more events`] : said;
};

/** What the picture says beside the chart. */
const saidOf = (figure, data) => {
  const { study, talks } = document.getElementById("content").dataset;
  const open = (data.unfinished ?? []).filter((month) => data.months?.includes(month));
  return {
    title: [document.querySelector(".profile h1")?.textContent, figure.querySelector("h2").textContent].filter(Boolean).join(": "),
    above: [`${talks} · study ${study}`],
    below: [
      figure.dataset.axes ?? "",
      ...marked(data.events ?? {}),
      open.length ? `${open.join(", ")} is not over yet; its numbers will still grow.` : "",
      `Made with Groundswell (${location.host}) on ${new Date().toISOString().slice(0, 10)}.`,
    ].filter(Boolean),
  };
};

/** Save a chart as `kind`, svg or png. `drawn(renderer, size)` returns a picture of it that is on no page. */
export const save = async (kind, { figure, canvas, data }, look, drawn) => {
  const size = { width: canvas.clientWidth, height: canvas.clientHeight };
  const picture = drawn(size);
  const { width, height, text } = framed(picture.renderToSVGString(), size, saidOf(figure, data), look);
  picture.dispose();
  if (kind === "svg") return saved(new Blob([text], { type: "image/svg+xml" }), `${figure.id}.svg`);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const board = document.createElement("canvas");
  [board.width, board.height] = [2 * width, 2 * height];
  const brush = board.getContext("2d");
  brush.scale(2, 2);
  brush.drawImage(image, 0, 0);
  return saved(await new Promise((made) => board.toBlob(made, "image/png")), `${figure.id}.png`);
};
