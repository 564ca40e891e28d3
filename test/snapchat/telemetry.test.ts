import { context, metrics, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { entered, openShop, purchase, type Shop } from "./shop.ts";

let shop: Shop;
afterEach(() => shop.close());

describe("OpenTelemetry", () => {
  const spans = new InMemorySpanExporter();
  let reader: PeriodicExportingMetricReader;

  beforeEach(() => {
    spans.reset();
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    trace.setGlobalTracerProvider(
      new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }),
    );
  });
  afterEach(() => {
    context.disable();
    metrics.disable();
    trace.disable();
  });

  /** Sums of a metric's points, by one label. */
  async function points(name: string, label: string): Promise<Record<string, number>> {
    const { resourceMetrics } = await reader.collect();
    const found = resourceMetrics.scopeMetrics
      .flatMap((scope) => scope.metrics)
      .filter(({ descriptor }) => descriptor.name === name);
    const sums: Record<string, number> = {};
    for (const { dataPoints } of found) {
      for (const { attributes, value } of dataPoints) {
        const key = String(attributes[label] ?? "all");
        sums[key] = (sums[key] ?? 0) + (typeof value === "number" ? value : value.count);
      }
    }
    return sums;
  }

  it("counts events of the host's own queue by what became of them", async () => {
    shop = await openShop();
    const offered = [purchase("a"), { event: "wheel_spun" }, purchase("bare", "")];
    await shop.snapchat.sendNow(offered.map((event) => ({ tenantId: "acme", event })));
    expect(await points("snapchat.send_now.events", "status")).toEqual({ delivered: 1, skipped: 1, rejected: 1 });
    expect(await points("snapchat.send_now.parts", "reason")).toMatchObject({ identifiers_missing: 1 });
  });

  it("counts what Snapchat counts, names every request without ids, and shows no secret and no person", async () => {
    shop = await openShop();
    const events = Array.from({ length: 30 }, (_, i) => purchase(`e-${i}`, `jane${i}@example.com`));
    await shop.acme.track([...events, { event: "wheel_spun" }, entered("vip", "ann@example.com")], {
      receivedAt: Date.now(),
    });
    await shop.snapchat.drain({ maxMs: 20_000 });

    const { counted } = shop.simulator.inspect.events;
    expect(counted).toBe(30);
    expect(await points("snapchat.track.events", "status")).toEqual({ queued: 31, skipped: 1 });
    expect(await points("snapchat.delivery.items", "type")).toEqual({ event: counted, member: 1 });
    const requests = await points("snapchat.requests", "request");
    const total = Object.values(requests).reduce((sum, count) => sum + count, 0);
    expect(total).toBe(shop.simulator.inspect.requests.filter(({ path }) => !path.startsWith("/__simulator")).length);
    expect(await points("snapchat.request.duration", "request")).toEqual(requests);
    expect(await points("snapchat.outbox.items", "all")).toEqual({ all: 0 });

    const names = new Set(spans.getFinishedSpans().map(({ name }) => name));
    expect(names).toContain("POST /v3/{asset}/events");
    const seen = JSON.stringify([
      (await reader.collect()).resourceMetrics.scopeMetrics,
      spans
        .getFinishedSpans()
        .map(({ name, attributes, status, events: happened }) => [name, attributes, status, happened]),
    ]);
    const { conversionsToken, pixel } = shop.simulator.world.main;
    for (const secret of [conversionsToken, pixel.id, shop.id, "acme", "jane0", "ann@"])
      expect(seen).not.toContain(secret);
  });

  it("marks a request that Snapchat did not take", async () => {
    shop = await openShop();
    shop.simulator.faults.add({ area: "conversions", status: 503, count: 1 });
    await shop.acme.track([purchase("a")]);
    await shop.snapchat.drain({ maxMs: 5_000 });
    const span = spans.getFinishedSpans().find(({ name }) => name === "POST /v3/{asset}/events");
    expect(span).toMatchObject({
      attributes: { "http.response.status_code": 503, "error.type": "503" },
      status: { code: 2 },
    });
  });
});

describe("the logger", () => {
  it("may be pino", async () => {
    const lines: string[] = [];
    const logger = pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });
    shop = await openShop({ logger });
    await shop.acme.track([purchase("a")]);
    await shop.snapchat.drain({ maxMs: 20_000 });
    const written = lines.map((line) => JSON.parse(line));
    expect(written).toContainEqual(
      expect.objectContaining({ type: "settled", delivered: 1, msg: "A claim is settled." }),
    );
    expect(lines.join("")).not.toContain("jane");
  });

  it("may be console", () => {
    const logger: NonNullable<Parameters<typeof openShop>[0]>["logger"] = console;
    expect(logger).toBe(console);
  });

  it("may throw, as may every listener, sooner or later", async () => {
    const broken = () => {
      throw new Error("disk full");
    };
    shop = await openShop({ logger: { debug: broken, info: broken, warn: broken, error: broken } });
    shop.snapchat.on("settled", broken);
    shop.snapchat.on("settled", (async () => broken()) as () => void);
    let heard = 0;
    const stop = shop.snapchat.on("settled", () => heard++);
    await shop.acme.track([purchase("a")]);
    await shop.snapchat.drain({ maxMs: 20_000 });
    stop();
    await shop.acme.track([purchase("b")]);
    await shop.snapchat.drain({ maxMs: 20_000 });
    expect(shop.simulator.inspect.events.counted).toBe(2);
    expect(heard).toBe(1);
  });
});
