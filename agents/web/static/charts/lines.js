// Shares by month, quarter or year as lines with 95 % bands; an unfinished period is dashed. Either one chart per line, with the
// other lines pale behind it, or all lines in one chart, with the band that the reader chose and names at the ends of the lines.
import { evidence } from "./evidence.js";
import { fit, spread } from "./fitting.js";

const SYMBOLS = ["circle", "rect", "triangle", "diamond", "emptyCircle", "emptyRect", "emptyTriangle", "emptyDiamond"];
const percent = (share) => `${(100 * share).toFixed(1)} %`;

const amounts = (point) => point.amounts ?? `${point.videos} of ${point.of_videos}`;
const said = (point) => (point ? `${percent(point.share)} (${percent(point.low)} to ${percent(point.high)}), ${amounts(point)}` : "no talks");

const wholeOf = (data) => {
  const first = data.months.findIndex((month) => data.unfinished.includes(month));
  return first < 0 ? data.months.length : first;
};

const topOf = (data, banded) => {
  const shares = data.lines.flatMap((line, index) => line.points.map((point) => point && (banded(line, index) ? point.high : point.share)));
  return Math.min(1, Math.ceil(Math.max(0.05, ...shares.filter(Number.isFinite)) * 10) / 10);
};

const band = (line, colour, at, look) => {
  const edge = { type: "line", stack: `band ${at.xAxisIndex} ${line.name}`, symbol: "none", silent: true, lineStyle: { opacity: 0 }, stackStrategy: "all", z: 1, ...at };
  const opacity = look.dark ? 0.22 : 0.16;
  return [
    { ...edge, data: line.points.map((point) => point && point.low) },
    { ...edge, data: line.points.map((point) => point && point.high - point.low), areaStyle: { color: colour, opacity }, blur: { areaStyle: { opacity }, lineStyle: { opacity: 0 } } },
  ];
};

const stroke = (data, line, index, look, at) => {
  const whole = wholeOf(data);
  const only = (from, to) => line.points.map((point, place) => (place >= from && place < to && point ? point.share : null));
  const common = {
    type: "line", name: line.name, color: look.series[index], symbol: SYMBOLS[index], symbolSize: 6, z: 3,
    showSymbol: data.months.length <= 40, triggerLineEvent: true, emphasis: { focus: "series", lineStyle: { width: 3 } }, ...at,
  };
  return [
    { ...common, data: only(0, whole), lineStyle: { width: 2 } },
    ...(whole < data.months.length ? [{ ...common, data: only(Math.max(0, whole - 1), data.months.length), lineStyle: { width: 2, type: "dashed" } }] : []),
  ];
};

const axes = (data, look, top, gridIndex, more = {}) => ({
  x: {
    type: "category", data: data.months, boundaryGap: false, gridIndex, axisTick: { show: false },
    axisLabel: { margin: 10, color: look.quiet, hideOverlap: true, fontSize: more.small ? 11 : 12 }, axisLine: { lineStyle: { color: look.line } },
  },
  y: {
    type: "value", min: 0, max: top, gridIndex, interval: more.small ? top / 2 : undefined, splitLine: { lineStyle: { color: look.line } },
    axisLabel: { color: look.quiet, fontSize: more.small ? 11 : 12, formatter: (share) => `${Math.round(100 * share)} %` }, ...more.y,
  },
});

/** The place of a period on the x axis of a grid. */
const placeOf = (data, grid) => {
  const step = data.months.length > 1 ? grid.width / (data.months.length - 1) : 0;
  return (at) => grid.x + step * at;
};

/** Thin dashed lines at the periods in which something happened; the tooltip says what. A single series: each mark of ECharts' own is several shapes. */
const marks = (data, look, at) => {
  const places = Object.keys(data.events ?? {}).map((month) => data.months.indexOf(month)).filter((place) => place >= 0);
  return {
    type: "custom", silent: true, z: 2, ...at, data: places.length ? [0] : [], tooltip: { show: false }, encode: { x: -1, y: -1 },
    renderItem: ({ coordSys: grid }) => ({
      type: "group",
      children: places.map(placeOf(data, grid)).map((x) => ({
        type: "line", shape: { x1: x, x2: x, y1: grid.y, y2: grid.y + grid.height }, style: { stroke: look.quiet, lineDash: [3, 4], lineWidth: 1, opacity: 0.6 },
      })),
    }),
  };
};

const happened = (events) => (events.length > 4 ? [...events.slice(0, 3), `and ${events.length - 3} more events`] : events).map((event) => `◆ ${event.slice(0, 80)}`);

/** The other lines behind one line, as a single series: a series each would take longer than the rest of the chart. */
const pale = (data, lines, look, top, at) => ({
  type: "custom", silent: true, z: 2, ...at, data: lines.map((_, index) => index), tooltip: { show: false }, encode: { x: -1, y: -1 },
  renderItem: ({ coordSys: grid, dataIndex }) => {
    const { points } = lines[dataIndex];
    const placed = placeOf(data, grid);
    const runs = [[]];
    points.forEach((point, place) => {
      if (point) runs.at(-1).push([placed(place), grid.y + grid.height * (1 - point.share / top)]);
      else if (runs.at(-1).length) runs.push([]);
    });
    return {
      type: "group",
      children: runs.map((run) => ({ type: "polyline", shape: { points: run }, style: { stroke: look.quiet, fill: "none", lineWidth: 1, opacity: 0.22 } })),
    };
  },
});

const eachAlone = (data, look) => {
  const count = data.lines.length;
  const across = Math.max(1, Math.min(count, Math.floor(look.width / 300), count === 4 ? 2 : 3));
  const [gap, side, head, plot, foot] = [28, 44, 28, 112, 28];
  const width = (look.width - gap * (across - 1)) / across;
  const tall = head + plot + foot;
  const top = topOf(data, () => true);
  const font = `600 13px ${look.font}`;
  const made = { grid: [], xAxis: [], yAxis: [], series: [] };
  data.lines.forEach((line, index) => {
    const [column, row] = [index % across, Math.floor(index / across)];
    made.grid.push({ left: column * (width + gap) + side, top: row * tall + head, width: width - side - 10, height: plot });
    const { x, y } = axes(data, look, top, index, {
      small: true,
      y: {
        name: fit(line.name, width - 20, 1, font), nameLocation: "end", nameGap: 10,
        nameTextStyle: { align: "left", padding: [0, 0, 0, -side], fontWeight: 600, fontSize: 13, color: look.ink },
      },
    });
    made.xAxis.push(x);
    made.yAxis.push(y);
    const at = { xAxisIndex: index, yAxisIndex: index };
    made.series.push(pale(data, data.lines.filter((other) => other !== line), look, top, at), marks(data, look, at), ...band(line, look.series[index], at, look), ...stroke(data, line, index, look, at));
  });
  return { height: Math.ceil(count / across) * tall, ...made, of: (hit) => [data.lines[hit.axisIndex ?? 0]] };
};

const endings = (data, look, top, room) => ({
  // Label positions are computed from the grid and the scale; ECharts would let labels overlap or hide some.
  type: "custom", silent: true, z: 5, data: data.lines.map((_, index) => index), tooltip: { show: false }, encode: { x: -1, y: -1 },
  renderItem: (params) => {
    const grid = params.coordSys;
    const ends = data.lines.map((line) => line.points.findLastIndex(Boolean));
    const wanted = data.lines.map((line, index) => grid.y + grid.height * (1 - (line.points[ends[index]]?.share ?? 0) / top));
    const placed = spread(wanted, 17, grid.y, grid.y + grid.height);
    const index = params.dataIndex;
    if (ends[index] < 0) return null;
    const end = placeOf(data, grid)(ends[index]);
    const right = grid.x + grid.width;
    return {
      type: "group",
      children: [
        { type: "polyline", shape: { points: [[end + 5, wanted[index]], [right + 8, wanted[index]], [right + 18, placed[index]]] }, style: { stroke: look.series[index], fill: "none", opacity: 0.5 } },
        { type: "text", x: right + 22, y: placed[index], style: { text: fit(data.lines[index].name, room - 24, 1, `12px ${look.font}`), fill: look.ink, font: `12px ${look.font}`, verticalAlign: "middle" } },
      ],
    };
  },
});

const together = (data, look) => {
  const banded = (line) => data.lines.length === 1 || data.band === "all" || data.band === line.name;
  const top = topOf(data, banded);
  const many = data.lines.length > 1;
  const room = many && !look.narrow ? Math.min(230, look.width * 0.24) : 14;
  const keys = many && look.narrow ? 26 * data.lines.length : 0;
  const height = (many ? 420 : 300) + keys;
  const { x, y } = axes(data, look, top, 0);
  const at = { xAxisIndex: 0, yAxisIndex: 0 };
  return {
    height,
    grid: { left: 46, right: room, top: 16 + keys, bottom: 30 },
    legend: { show: keys > 0, orient: "vertical", left: 0, top: 0, itemGap: 10, data: data.lines.map((line) => line.name), textStyle: { color: look.ink, width: look.width - 50, overflow: "truncate" }, selectedMode: false },
    xAxis: x,
    yAxis: y,
    series: [
      marks(data, look, at),
      ...data.lines.flatMap((line, index) => (banded(line) ? band(line, look.series[index], at, look) : [])),
      ...data.lines.flatMap((line, index) => stroke(data, line, index, look, at)),
      ...(many && !look.narrow ? [endings(data, look, top, room)] : []),
    ],
    of: () => data.lines,
  };
};

export const option = (data, look) => {
  const { of, ...picture } = data.layout === "each" && data.lines.length > 1 ? eachAlone(data, look) : together(data, look);
  return {
    ...picture,
    tooltip: {
      trigger: "axis",
      formatter: (hits) => {
        const [hit] = hits;
        const at = hit.dataIndex;
        const month = data.months[at] + (data.unfinished.includes(data.months[at]) ? " (not over yet)" : "");
        const lines = of(hit).map((line) => `${line.name.slice(0, 60)}: ${said(line.points[at])}`);
        return [month, ...lines, ...happened(data.events?.[data.months[at]] ?? [])].join("\n");
      },
    },
  };
};

/** A click on a point opens the talks behind it; a click on a line between two points shows its interval. */
export const follow = ({ seriesName, dataIndex }, data) => {
  const line = data.lines.find((each) => each.name === seriesName);
  if (!line) return null;
  return dataIndex === undefined ? { set: "band", to: seriesName } : evidence(line.key ?? data.key, line.unit, data.months[dataIndex]);
};
