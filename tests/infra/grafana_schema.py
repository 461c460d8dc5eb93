"""A strict schema of the parts of Grafana's files that Groundswell uses: any other key is a typing error.

Grafana itself ignores unknown keys, so a misspelt one would go unnoticed. Modelled on the
dashboard schema of Grafana 12 (schemaVersion 39), the provisioning of data sources, and the settings and
queries of the plugin grafana-clickhouse-datasource 4.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

UNITS = Literal["short", "percentunit", "s", "ops", "bytes", "dateTimeFromNow", "dateTimeAsIso"]
CLICKHOUSE = "grafana-clickhouse-datasource"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True, strict=True)


class Source(Strict):
    """A reference to a data source, by type and uid."""

    type: Literal["prometheus", "grafana-clickhouse-datasource"]
    uid: Literal["prometheus", "clickhouse"]

    @model_validator(mode="after")
    def _of_one_kind(self) -> Source:
        if (self.type == CLICKHOUSE) != (self.uid == "clickhouse"):
            raise ValueError(f"the data source {self.uid} is not of type {self.type}")
        return self


class Sql(Strict):
    """A query of the ClickHouse plugin; `format` 0 is a time series, 1 a table."""

    ref_id: str = Field(alias="refId", pattern="^[A-Za-z]+$")
    datasource: Source | None = None
    editor_type: Literal["sql"] = Field(alias="editorType")
    query_type: Literal["table", "timeseries"] = Field(alias="queryType")
    format: Literal[0, 1]
    raw_sql: str = Field(alias="rawSql", min_length=1)

    @model_validator(mode="after")
    def _agrees(self) -> Sql:
        if (self.format == 0) != (self.query_type == "timeseries"):
            raise ValueError("format and queryType say different things")
        return self


class PromQL(Strict):
    ref_id: str = Field(alias="refId", pattern="^[A-Z]$")
    datasource: Source
    expr: str = Field(min_length=1)
    legend: str = Field(alias="legendFormat", min_length=1)
    instant: bool = False


class GridPos(Strict):
    x: Annotated[int, Field(ge=0, lt=24)]
    y: Annotated[int, Field(ge=0)]
    w: Annotated[int, Field(ge=1, le=24)]
    h: Annotated[int, Field(ge=1)]


class Property(Strict):
    id: Literal["unit", "decimals"]
    value: UNITS | int


class Matcher(Strict):
    id: Literal["byName"]
    options: str


class Override(Strict):
    matcher: Matcher
    properties: list[Property]


class Custom(Strict):
    draw_style: Literal["line", "bars"] = Field(alias="drawStyle")
    line_width: int = Field(alias="lineWidth")
    fill_opacity: int = Field(alias="fillOpacity")
    show_points: Literal["auto"] | None = Field(None, alias="showPoints")


class Defaults(Strict):
    unit: UNITS
    min: int | None = None
    custom: Custom | None = None
    display_name: str | None = Field(None, alias="displayName", pattern=r"^\$\{__field\.labels\.\w+\}$")


class FieldConfig(Strict):
    defaults: Defaults
    overrides: list[Override]


class Reduce(Strict):
    calcs: list[Literal["lastNotNull"]]
    fields: str = ""


class Legend(Strict):
    shown: bool = Field(alias="showLegend")


class Options(Strict):
    reduce: Reduce | None = Field(None, alias="reduceOptions")
    text_mode: Literal["value_and_name"] | None = Field(None, alias="textMode")
    color_mode: Literal["none"] | None = Field(None, alias="colorMode")
    orientation: Literal["horizontal"] | None = None
    legend: Legend | None = None


class Panel(Strict):
    id: int
    type: Literal["stat", "timeseries", "table", "barchart"]
    title: str = Field(min_length=1)
    description: str = Field(min_length=1)
    datasource: Source
    grid: GridPos = Field(alias="gridPos")
    field_config: FieldConfig = Field(alias="fieldConfig")
    options: Options | None = None
    targets: list[Sql | PromQL] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_source(self) -> Panel:
        for target in self.targets:
            if target.datasource != self.datasource:
                raise ValueError(f"{self.title}: a target asks another data source than its panel")
        if self.type != "timeseries" and any(isinstance(t, Sql) and t.format == 0 for t in self.targets):
            raise ValueError(f"{self.title}: a {self.type} shows no time series")
        return self


class Current(Strict):
    text: list[str]
    value: list[str]


class Variable(Strict):
    """A list of choices: the first column of a query; `refresh` 1 runs it when the dashboard is opened."""

    name: str
    label: str
    type: Literal["query"]
    datasource: Source
    query: str
    multi: bool
    include_all: bool = Field(alias="includeAll")
    current: Current
    refresh: Literal[1]
    sort: Literal[0]


class Variables(Strict):
    list: list[Variable]


class Annotation(Strict):
    name: str
    datasource: Source
    enable: bool
    color: str = Field(alias="iconColor")
    target: Sql


class Annotations(Strict):
    list: list[Annotation]


class Time(Strict):
    start: str = Field(alias="from", pattern=r"^now-\d+[mhdMy]$")
    to: Literal["now"]


class Dashboard(Strict):
    uid: str = Field(pattern="^[a-z-]{1,40}$")
    title: str
    description: str
    tags: list[str]
    timezone: Literal["browser", "utc"]
    schema_version: Literal[39] = Field(alias="schemaVersion")
    version: int
    editable: bool
    refresh: str = Field(pattern=r"^\d+[smh]$")
    time: Time
    templating: Variables
    annotations: Annotations
    panels: list[Panel]

    @property
    def statements(self) -> dict[str, Sql | str]:
        """Return every SQL statement by the name of its variable, annotation or panel."""
        found: dict[str, Sql | str] = {f"variable {each.name}": each.query for each in self.templating.list}
        found |= {f"annotation {each.name}": each.target for each in self.annotations.list}
        for panel in self.panels:
            for target in panel.targets:
                if isinstance(target, Sql):
                    found[panel.title] = target
        return found

    @property
    def expressions(self) -> dict[str, str]:
        """Return every PromQL expression by its panel's title."""
        return {
            panel.title: target.expr
            for panel in self.panels
            for target in panel.targets
            if isinstance(target, PromQL)
        }


class ClickHouseSettings(Strict):
    host: str
    port: int
    protocol: Literal["native", "http"]
    secure: bool
    username: str
    database: str = Field(alias="defaultDatabase")
    dial_timeout: str = Field(alias="dialTimeout", pattern=r"^\d+$")
    query_timeout: str = Field(alias="queryTimeout", pattern=r"^\d+$")


class PrometheusSettings(Strict):
    interval: str = Field(alias="timeInterval", pattern=r"^\d+s$")


class Password(Strict):
    password: str = Field(pattern=r"^\$[A-Z_]+$")


class DataSource(Strict):
    """A provisioned data source; a secret in it is the name of a variable, never the secret."""

    name: str
    uid: str
    type: str
    access: Literal["proxy"]
    url: str | None = None
    default: bool = Field(alias="isDefault")
    editable: bool = False
    settings: ClickHouseSettings | PrometheusSettings = Field(alias="jsonData")
    secrets: Password | None = Field(None, alias="secureJsonData")


class DataSources(Strict):
    api: Literal[1] = Field(alias="apiVersion")
    datasources: list[DataSource]


class Provider(Strict):
    name: str
    folder: str
    type: Literal["file"]
    options: dict[Literal["path"], str]


class Providers(Strict):
    api: Literal[1] = Field(alias="apiVersion")
    providers: list[Provider]


def loaded(model: type[BaseModel], content: Any) -> Any:
    """Validate a file's content."""
    return model.model_validate(content)
