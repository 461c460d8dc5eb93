// Composition by theme: bars with parts of 100 %, or a stream of amounts. Themes differ in colour, pattern and name.
import { evidence } from "./evidence.js";

const PATTERNS = [
  null,
  { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: -Math.PI / 4 },
  { symbol: "circle", dashArrayX: [[5, 5], [0, 5, 5, 0]], dashArrayY: [5, 0], symbolSize: 0.6 },
  { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [4, 3], rotation: Math.PI / 4 },
  { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: 0 },
  { symbol: "triangle", dashArrayX: [[8, 8], [0, 8, 8, 0]], dashArrayY: [8, 0], symbolSize: 0.7 },
  { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: Math.PI / 2 },
];
const amount = (value, measure) => (measure === "minutes" ? `${value.toFixed(1)} minutes` : `${value} paragraph${value === 1 ? "" : "s"}`);
const part = (value, whole) => (whole ? `${((100 * value) / whole).toFixed(1)} %` : "–");

const styleOf = (look, index) => {
  const pattern = PATTERNS[index % PATTERNS.length];
  return { color: look.series[index % look.series.length], decal: pattern ? { ...pattern, color: look.dark ? "rgba(0,0,0,0.28)" : "rgba(255,255,255,0.32)" } : { symbol: "none" } };
};

const legend = (data, look) => ({
  show: true, top: 0, left: 0, width: look.width - 8, itemWidth: 24, itemHeight: 15, itemGap: look.narrow ? 8 : 14, orient: look.narrow ? "vertical" : "horizontal",
  textStyle: { color: look.ink, fontSize: 12, width: look.narrow ? look.width - 40 : 260, overflow: "truncate" }, selectedMode: false,
  data: data.parts.map((each, index) => ({ name: each.name, itemStyle: styleOf(look, index) })),
});

const roomOfLegend = (data, look) => {
  if (look.narrow) return data.parts.length * 26 + 12;
  const letters = data.parts.reduce((sum, each) => sum + Math.min(260, each.name.length * 6.6) + 46, 0);
  return Math.ceil((letters * 1.08) / look.width) * 30 + 8;
};

const named = (data, at) => data.months[at] + (data.unfinished.includes(data.months[at]) ? " (not over yet)" : "");

const river = (data, look, top) => ({
  singleAxis: {
    // ECharts' themeRiver needs a numeric or time axis, so the axis is the index of the month.
    type: "value", min: 0, max: Math.max(1, data.months.length - 1), interval: Math.ceil(data.months.length / Math.max(2, look.width / 90)),
    left: 34, right: 34, top: top + 4, bottom: 34,
    axisLabel: { color: look.quiet, hideOverlap: true, formatter: (at) => (data.months[at] ?? "") + (data.unfinished.includes(data.months[at]) ? "…" : "") },
    axisTick: { show: false }, axisLine: { lineStyle: { color: look.line } }, splitLine: { show: true, lineStyle: { color: look.line, opacity: 0.6 } },
  },
  tooltip: {
    trigger: "axis",
    formatter: (hits) => {
      const at = Math.round(Number(hits[0]?.axisValue));
      if (!(at in data.months)) return "";
      return [named(data, at), ...data.parts.map((each) => `${each.name.slice(0, 60)}: ${amount(each[data.measure][at], data.measure)}`)].join("\n");
    },
  },
  series: [{
    type: "themeRiver", boundaryGap: ["4%", "4%"], label: { show: false }, emphasis: { focus: "self" },
    color: data.parts.map((_, index) => styleOf(look, index).color),
    data: data.parts.flatMap((each) => data.months.map((_, at) => [at, each[data.measure][at], each.name])),
  }],
});

const parts = (data, look, top) => ({
  grid: { left: 46, right: 10, top: top + 4, bottom: 32 },
  xAxis: {
    type: "category", data: data.months, axisTick: { show: false }, axisLine: { lineStyle: { color: look.line } },
    axisLabel: { color: look.quiet, hideOverlap: true, formatter: (month) => (data.unfinished.includes(month) ? `${month}…` : month) },
  },
  yAxis: { type: "value", min: 0, max: 1, interval: 0.25, axisLabel: { color: look.quiet, formatter: (share) => `${Math.round(100 * share)} %` }, splitLine: { lineStyle: { color: look.line } } },
  tooltip: {
    trigger: "axis", axisPointer: { type: "shadow" },
    formatter: (hits) => {
      const at = hits[0].dataIndex;
      const whole = data.whole[data.measure][at];
      return [`${named(data, at)}: ${amount(whole, data.measure)}`, ...data.parts.map((each) => `${each.name.slice(0, 60)}: ${part(each[data.measure][at], whole)}, ${amount(each[data.measure][at], data.measure)}`)].join("\n");
    },
  },
  series: data.parts.map((each, index) => ({
    type: "bar", name: each.name, stack: "all", barCategoryGap: "12%", itemStyle: { ...styleOf(look, index), borderColor: look.paper, borderWidth: 1 }, emphasis: { focus: "series" },
    data: each[data.measure].map((value, at) => {
      const whole = data.whole[data.measure][at];
      const share = whole ? value / whole : null;
      const unfinished = data.unfinished.includes(data.months[at]);
      return unfinished ? { value: share, itemStyle: { opacity: 0.6, borderType: "dashed", borderColor: look.ink } } : share;
    }),
  })),
});

export const option = (data, look) => {
  const top = roomOfLegend(data, look);
  return {
    height: top + (look.narrow ? 340 : 400),
    color: data.parts.map((_, index) => styleOf(look, index).color),
    aria: { enabled: true, label: { enabled: false }, decal: { show: true, decals: data.parts.map((_, index) => styleOf(look, index).decal) } },
    legend: legend(data, look),
    ...(data.layout === "river" ? river(data, look, top) : parts(data, look, top)),
  };
};

/** A click on a part opens the talks behind it; in the stream, those of the theme's whole period. */
export const follow = ({ seriesName, dataIndex, name }, data) => {
  const parts = data.layout === "parts";
  const part = data.parts.find((each) => each.name === (parts ? seriesName : name));
  return part?.theme ? evidence("theme", part.theme, parts ? data.months[dataIndex] : "") : null;
};
