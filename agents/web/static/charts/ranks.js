// Ranks by month, quarter or year: a rising line overtakes others. Names are at both ends, ranks inside the points.
import { evidence } from "./evidence.js";
import { fit } from "./fitting.js";

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const DASHES = ["solid", [7, 3], [2, 3]];

const endings = (data, look, left, right) => ({
  type: "custom", silent: true, z: 5, data: data.lines.map((_, index) => index), tooltip: { show: false }, encode: { x: -1, y: -1 },
  renderItem: (params) => {
    const grid = params.coordSys;
    const { points, name } = data.lines[params.dataIndex];
    const ends = [[0, points[0]], [points.length - 1, points.at(-1)]];
    const y = (rank) => grid.y + (grid.height * (rank - 0.5)) / data.lines.length;
    const font = `12px ${look.font}`;
    return {
      type: "group",
      children: ends.flatMap(([at, point]) => {
        const first = at === 0;
        const room = (first ? left : right) - 20;
        if (!point || room < 40) return [];
        return [{
          type: "text", x: first ? grid.x - 16 : grid.x + grid.width + 16, y: y(point.rank),
          style: { text: fit(name, room, 1, font), font, fill: look.ink, align: first ? "right" : "left", verticalAlign: "middle" },
        }];
      }),
    };
  },
});

export const option = (data, look) => {
  const count = data.lines.length;
  const numbered = look.width / data.months.length > (look.narrow ? 18 : 34) && data.months.length <= 16;
  const side = look.narrow ? 0.36 : 0.2;
  const right = Math.min(220, look.width * side);
  const left = look.narrow ? 24 : right;
  const unfinished = new Set(data.unfinished);
  const whole = data.months.findIndex((month) => unfinished.has(month));
  return {
    height: Math.max(220, count * 34 + 40),
    grid: { left, right, top: 8, bottom: 32 },
    xAxis: {
      type: "category", data: data.months, boundaryGap: false, axisTick: { show: false }, axisLine: { show: false },
      axisLabel: { color: look.quiet, hideOverlap: true, formatter: (month) => (unfinished.has(month) ? `${month}…` : month) },
      splitLine: { show: true, lineStyle: { color: look.line } },
    },
    yAxis: { type: "value", inverse: true, min: 0.5, max: count + 0.5, interval: 1, show: false },
    tooltip: {
      trigger: "axis",
      formatter: (hits) => {
        const at = hits[0].dataIndex;
        const present = data.lines.filter((line) => line.points[at]).sort((a, b) => a.points[at].rank - b.points[at].rank);
        const rows = present.map((line) => {
          const { rank, tied, videos, of_videos, share } = line.points[at];
          return `${tied ? "=" : ""}${rank}  ${line.name.slice(0, 60)}: ${percent(share)}, ${videos} of ${of_videos}`;
        });
        return [data.months[at] + (unfinished.has(data.months[at]) ? " (not over yet)" : ""), ...rows].join("\n");
      },
    },
    series: [
      ...data.lines.flatMap((line, index) => {
        const colour = look.series[index % look.series.length];
        const dash = DASHES[Math.floor(index / look.series.length) % DASHES.length];
        const of = (from, to) => line.points.map((point, at) => (point && at >= from && at < to ? point.rank : null));
        const common = {
          type: "line", name: line.name, color: colour, smooth: 0.35, smoothMonotone: "x", symbol: "circle",
          symbolSize: numbered ? 22 : 8, showAllSymbol: true, triggerLineEvent: true, emphasis: { focus: "series", lineStyle: { width: 5 } },
          label: { show: numbered, position: "inside", color: look.paper, fontSize: 11, fontWeight: 600, formatter: ({ value }) => `${value}` },
        };
        const until = whole < 0 ? data.months.length : whole;
        return [
          { ...common, data: of(0, until), lineStyle: { width: 3, type: dash } },
          ...(whole < 0 ? [] : [{ ...common, data: of(Math.max(0, until - 1), data.months.length), lineStyle: { width: 2, type: [4, 4] } }]),
        ];
      }),
      endings(data, look, left, right),
    ],
  };
};

/** A click on a point opens the talks behind it, a click on a line those of the whole period. */
export const follow = ({ seriesName, dataIndex }, data) => {
  const line = data.lines.find((each) => each.name === seriesName);
  return line ? evidence(data.key, line.unit, data.months[dataIndex]) : null;
};
