// The charts that Groundswell draws, and no others: a third of the whole library.
import { BarChart, CustomChart, GraphChart, HeatmapChart, LineChart, ThemeRiverChart, TreemapChart } from "echarts/charts";
import {
  AriaComponent,
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  SingleAxisComponent,
  TooltipComponent,
  VisualMapComponent,
} from "echarts/components";
import { init, use } from "echarts/core";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer, SVGRenderer } from "echarts/renderers";

use([
  AriaComponent, BarChart, CanvasRenderer, CustomChart, DataZoomComponent, GraphChart, GridComponent, HeatmapChart,
  LabelLayout, LegendComponent, LineChart, MarkLineComponent, SingleAxisComponent, SVGRenderer, ThemeRiverChart,
  TooltipComponent, TreemapChart, VisualMapComponent,
]);

export { init };
