// The charts that Groundswell draws, and no others: a third of the whole library.
import { BarChart, CustomChart, HeatmapChart, LineChart, ThemeRiverChart, TreemapChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, SingleAxisComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer, SVGRenderer } from "echarts/renderers";

use([
  AriaComponent, BarChart, CanvasRenderer, CustomChart, GridComponent, HeatmapChart, LabelLayout, LegendComponent,
  LineChart, SingleAxisComponent, SVGRenderer, ThemeRiverChart, TooltipComponent, TreemapChart,
]);

export { init };
