// Draws every <figure data-chart="KIND"> from its JSON, with the module charts/KIND.js:
//   option(data, look) -> the ECharts option, plus the height of the chart, and its width if it is wider than the page;
//   follow(hit, data) -> the address that a click opens, or {set, to}: a control and its new value, or null.
// The library, the chart's module and the font of Latin letters are loaded with the first chart, and then all other modules. A chart that has them is
// drawn before the next frame; waiting for a promise would paint the page without it first. Tooltips are rich text, not HTML, so titles stay text.
import { brush } from "./charts/brush.js";
import { isDark, onScheme } from "./switch.js";

const KINDS = ["composition", "cooccurrence", "lines", "ranks", "treemap"];
const drawn = new Map();
const modules = new Map();
const NARROW = 600;

/** Return a loaded module, or a promise of it. */
const load = (path) => modules.get(path) ?? import(path).then((module) => {
  modules.set(path, module);
  return module;
});

/** Colours, font and available width for a chart, from the style sheet. */
const lookOf = (chart) => {
  const { figure } = chart;
  const style = getComputedStyle(figure);
  const of = (name) => style.getPropertyValue(name).trim();
  return {
    ink: of("--ink"), quiet: of("--quiet"), line: of("--line"), paper: of("--paper"), card: of("--card"),
    sea: of("--sea"), news: of("--news"),
    level: Array.from({ length: 10 }, (_, index) => of(`--level-${index + 1}`)),
    onLow: of("--on-low"), onMiddle: of("--on-middle"), onHigh: of("--on-high"),
    series: Array.from({ length: 8 }, (_, index) => of(`--series-${index + 1}`)),
    dark: isDark(),
    narrow: figure.clientWidth < NARROW,
    width: figure.clientWidth,
    font: style.fontFamily,
    /** The layout box of a datum while it is drawn, so that a label can be fitted into it. */
    boxOf: (dataIndex) => chart.picture.getModel().getSeriesByIndex(0).getData().getItemLayout(dataIndex),
  };
};

/** An ECharts option with what all charts have in common. */
const dressed = (option, look) => ({
  animation: false,
  textStyle: { fontFamily: look.font, color: look.ink },
  ...option,
  tooltip: {
    renderMode: "richText", confine: true, backgroundColor: look.card, borderColor: look.line,
    textStyle: { color: look.ink, fontFamily: look.font, fontSize: 13 }, ...option.tooltip,
  },
});

/** The chart drawn for a file, as SVG or on a canvas of this scale; a datum's box is that of this picture while it is drawn. */
const apart = (chart, size, renderer, scale) => {
  const picture = renderer === "svg"
    ? chart.init(null, null, { renderer, ssr: true, ...size })
    : chart.init(document.createElement("div"), null, { renderer, devicePixelRatio: scale, ...size });
  const look = lookOf({ ...chart, picture });
  if (renderer === "svg") look.font = look.font.replaceAll('"', "'"); // ECharts writes it into an attribute as it is
  const { height, width, ...option } = chart.kind.option(chart.data, look);
  picture.setOption(dressed(option, look));
  return picture;
};

const fontOf = (figure) => `16px ${getComputedStyle(figure).fontFamily}`;

/** Wait for the font of Latin letters, as widths measured before it is there are wrong; null if it is there. */
const latinFont = (figure) => {
  const font = fontOf(figure);
  return document.fonts.check(font) ? null : document.fonts.load(font).catch(() => null);
};

/** Whether the font lacks letters of a chart's texts: the browser loads them when they are drawn, and the chart is drawn again. */
const lacksLetters = (figure) => {
  const letters = [...new Set(figure.textContent)].join(""); // a browser looks at every letter
  return !document.fonts.check(fontOf(figure), letters);
};

const draw = (chart) => {
  const { figure, canvas, kind, data } = chart;
  const look = lookOf(chart);
  chart.width = look.width;
  const { height, width = 0, ...option } = kind.option(data, look);
  canvas.style.height = `${height ?? (look.narrow ? 320 : 420)}px`;
  canvas.style.width = width > look.width ? `${width}px` : "";
  const board = canvas.parentElement;
  if (width > look.width) {
    board.tabIndex = 0;
    board.setAttribute("role", "region");
    board.setAttribute("aria-label", `${figure.querySelector("h2").textContent}, chart`);
  } else {
    for (const name of ["tabindex", "role", "aria-label"]) board.removeAttribute(name);
  }
  for (const label of figure.querySelectorAll("[data-only]")) label.hidden = data.layout !== label.dataset.only;
  // Created after its size is set, because resizing would draw everything again.
  if (chart.picture) chart.picture.resize();
  else chart.picture = chart.init(canvas, null, { renderer: "canvas" });
  chart.picture.setOption(dressed(option, look), { notMerge: true });
  figure.dataset.drawn = Number(figure.dataset.drawn ?? 0) + 1;
};

/** The name in the address of a control of a chart, such as `months.layout`. */
const parameter = (chart, control) => `${chart.figure.id}.${control.dataset.set}`;

const set = (chart, control, value) => {
  chart.data[control.dataset.set] = value;
  const address = new URL(location.href);
  address.searchParams.set(parameter(chart, control), value);
  history.replaceState(history.state, "", address);
  draw(chart);
};

/** Take over what the address says of a chart's controls, if they offer it. */
const recall = (chart) => {
  const given = new URLSearchParams(location.search);
  for (const control of chart.figure.querySelectorAll("select[data-set]")) {
    const value = given.get(parameter(chart, control));
    if (![...control.options].some((option) => option.value === value)) continue;
    control.value = value;
    chart.data[control.dataset.set] = value;
  }
};

const start = (figure, { init }, kind) => {
  if (!figure.isConnected || drawn.has(figure)) return;
  const canvas = figure.querySelector(".canvas");
  const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  const chart = { figure, canvas, kind, data, init, picture: null, lacks: lacksLetters(figure) };
  drawn.set(figure, chart);
  recall(chart);
  draw(chart);
  chart.watch = new ResizeObserver(() => {
    if (figure.clientWidth !== chart.width) draw(chart);
  });
  chart.watch.observe(figure);
  const wasDragged = data.months ? brush(chart) : () => false;
  if (kind.follow) {
    chart.picture.on("click", (hit) => {
      if (wasDragged()) return;
      const found = kind.follow(hit, data);
      if (typeof found === "string") {
        if (document.body.matches(".embedded")) window.open(found, "_blank", "noopener");
        else location.assign(found);
      }
      const control = found?.set && figure.querySelector(`[data-set="${found.set}"]`);
      if (!control || control.closest("[hidden]")) return;
      control.value = found.to;
      set(chart, control, found.to);
    });
  }
  for (const control of figure.querySelectorAll("[data-set]")) {
    control.addEventListener("change", () => set(chart, control, control.type === "checkbox" ? control.checked : control.value));
  }
  for (const button of figure.querySelectorAll("[data-save]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const { save } = await import("./charts/picture.js");
      await save(button.dataset.save, chart, lookOf(chart), (...wanted) => apart(chart, ...wanted));
    });
  }
};

export const drawCharts = (root) => {
  const figures = [...root.querySelectorAll("figure[data-chart]")];
  if (root.matches?.("figure[data-chart]")) figures.push(root);
  for (const figure of figures) {
    const failed = (error) => {
      figure.dataset.failed = "";
      figure.querySelector(".twin").open = true;
      console.error(error);
    };
    const parts = [load("./vendor/echarts.js"), load(`./charts/${figure.dataset.chart}.js`), latinFont(figure)];
    if (parts.some((part) => part instanceof Promise)) {
      Promise.all(parts).then((loaded) => start(figure, ...loaded)).catch(failed);
      globalThis.requestIdleCallback?.(() => KINDS.forEach((kind) => load(`./charts/${kind}.js`)));
      continue;
    }
    try {
      start(figure, ...parts);
    } catch (error) {
      failed(error);
    }
  }
};

export const forgetCharts = (root) => {
  for (const [figure, chart] of drawn) {
    if (figure !== root && !root.contains(figure)) continue;
    chart.watch?.disconnect();
    chart.picture?.dispose();
    drawn.delete(figure);
  }
};

onScheme(() => drawn.forEach(draw));

document.fonts.addEventListener("loadingdone", () => {
  for (const chart of drawn.values()) {
    if (!chart.lacks) continue;
    chart.lacks = lacksLetters(chart.figure);
    draw(chart);
  }
});
