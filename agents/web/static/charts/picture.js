// A chart as a picture to save, with what it needs away from the page: title, talks, study, axes, notes, and licence.
import { fit } from "./fitting.js";

const SIDE = 24;
const SCALE = 2;
const STYLES = {
  title: { size: 20, weight: 600, high: 26, colour: "ink" },
  above: { size: 13, weight: 400, high: 20, colour: "quiet" },
  below: { size: 12, weight: 400, high: 20, colour: "quiet" },
};

const fontOf = ({ size, weight }, look) => `${weight} ${size}px ${look.font}`;

/** The size of the picture of a chart of this size, the place of the chart in it, and the lines of text above and below. */
const framed = (said, { width, height }, look) => {
  const lines = [];
  let y = SIDE;
  const write = (name, texts) => {
    const style = STYLES[name];
    for (const text of texts.flatMap((each) => fit(each, width, 3, fontOf(style, look)).split("\n")).filter(Boolean)) {
      lines.push({ ...style, text, y: y + style.size - 4 });
      y += style.high;
    }
  };
  write("title", [said.title]);
  y += 8;
  write("above", said.above);
  const top = y;
  y += height + 8;
  write("below", said.below);
  return { width: width + 2 * SIDE, height: y + SIDE - 8, top, lines };
};

/** A file of this server as a data URL. */
const inlined = async (address) => {
  const reader = new FileReader();
  const read = new Promise((done, failed) => [reader.onload, reader.onerror] = [done, failed]);
  reader.readAsDataURL(await (await fetch(address)).blob());
  await read;
  return reader.result;
};

/** The page's font for the letters of a text, as CSS: where it is not installed, other letters would be too wide. */
const fontFaces = async (text, look) => {
  const letters = [...new Set(text)].map((letter) => letter.codePointAt(0));
  const isFor = (range) => {
    const [low, high = low] = range.trim().slice(2).split("-").map((code) => parseInt(code, 16));
    return letters.some((letter) => low <= letter && letter <= high);
  };
  const sheet = [...document.styleSheets].find(({ href }) => href?.endsWith("/vendor/fonts.css"));
  const family = (names) => names.split(",")[0].replace(/["']/g, "");
  const faces = [...sheet.cssRules].filter(({ style }) =>
    family(style.getPropertyValue("font-family")) === family(look.font) && style.getPropertyValue("unicode-range").split(",").some(isFor));
  return (await Promise.all(faces.map(async ({ style, cssText }) => {
    const [address, file] = /url\("(.+?)"\)/.exec(style.getPropertyValue("src"));
    return cssText.replace(address, `url("${await inlined(new URL(file, sheet.href))}")`);
  }))).join("");
};

const asSvg = async (picture, { width, height, top, lines }, title, look) => {
  const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`);
  const texts = lines.map((line) => `<text x="${SIDE}" y="${line.y}" font-family="${escaped(look.font)}" font-size="${line.size}" font-weight="${line.weight}" fill="${look[line.colour]}">${escaped(line.text)}</text>`);
  const inner = picture.renderToSVGString().replace("<svg", `<svg x="${SIDE}" y="${top}"`);
  const fonts = await fontFaces([inner, ...texts].join(""), look).catch(() => "");
  const text = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><title>${escaped(title)}</title><style>${fonts}</style><rect width="100%" height="100%" fill="${look.paper}"/>${inner}${texts.join("")}</svg>`;
  return new Blob([text], { type: "image/svg+xml" });
};

/** Drawn on a canvas, not from the SVG: an image cannot use the page's fonts. */
const asPng = (picture, { width, height, top, lines }, look) => {
  const board = document.createElement("canvas");
  [board.width, board.height] = [SCALE * width, SCALE * height];
  const pen = board.getContext("2d");
  pen.fillStyle = look.paper;
  pen.fillRect(0, 0, board.width, board.height);
  pen.drawImage(picture.renderToCanvas({ pixelRatio: SCALE }), SCALE * SIDE, SCALE * top);
  pen.scale(SCALE, SCALE);
  for (const line of lines) {
    pen.font = fontOf(line, look);
    pen.fillStyle = look[line.colour];
    pen.fillText(line.text, SIDE, line.y);
  }
  return new Promise((made) => board.toBlob(made, "image/png"));
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
  const { study, talks, licence } = document.getElementById("content").dataset;
  const open = (data.unfinished ?? []).filter((month) => data.months?.includes(month));
  return {
    title: [document.querySelector(".profile h1")?.textContent, figure.querySelector("h2").textContent].filter(Boolean).join(": "),
    above: [`${talks} · study ${study}`],
    below: [
      figure.dataset.axes ?? "",
      ...marked(data.events ?? {}),
      open.length ? `${open.join(", ")} is not over yet; its numbers will still grow.` : "",
      `Made with Groundswell (${location.host}) on ${new Date().toISOString().slice(0, 10)}.`,
      licence ? `Licence: ${licence}` : "",
    ].filter(Boolean),
  };
};

/** Save a chart as `kind`, svg or png. `drawn(size, renderer, scale)` returns a picture of it that is on no page. */
export const save = async (kind, { figure, canvas, data }, look, drawn) => {
  const size = { width: canvas.clientWidth, height: canvas.clientHeight };
  const said = saidOf(figure, data);
  await document.fonts.load(`16px ${look.font}`, [said.title, ...said.above, ...said.below].join("")).catch(() => null);
  const frame = framed(said, size, look);
  const picture = drawn(size, kind === "svg" ? "svg" : "canvas", SCALE);
  const file = await (kind === "svg" ? asSvg(picture, frame, said.title, look) : asPng(picture, frame, look));
  picture.dispose();
  saved(file, `${figure.id}.${kind}`);
};
