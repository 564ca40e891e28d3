import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";

/** OpenTelemetry's meters as a host sets them up. */
export function countEverything() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  return {
    /** Names, labels and numbers as a collector gets them now. */
    async read(): Promise<unknown[]> {
      await reader.forceFlush();
      return exporter
        .getMetrics()
        .flatMap(({ scopeMetrics, resource }) => [
          resource.attributes,
          ...scopeMetrics.flatMap(({ scope, metrics: all }) => [
            scope,
            ...all.map(({ descriptor, dataPoints }) => [
              descriptor,
              dataPoints.map(({ attributes, value }) => [attributes, value]),
            ]),
          ]),
        ]);
    },
    async stop(): Promise<void> {
      await provider.shutdown();
      metrics.disable();
    },
  };
}
