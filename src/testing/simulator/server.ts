import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Delivery, RawRequest } from "./exchange.ts";
import type { Outgoing } from "./message.ts";
import type { HostName } from "./routes.ts";

/**
 * An error with a code, like the package's own; the simulator shares no code with it.
 *
 * @example
 * ```ts
 * import { createSimulator, SimulatorError } from "snapchat-destination/testing";
 *
 * try {
 *   await createSimulator({ port: 4010 });
 * } catch (error) {
 *   if (error instanceof SimulatorError) console.error(error.code, error.fix); // port_in_use …
 * }
 * ```
 */
export class SimulatorError extends Error {
  readonly code: string;
  readonly fix: string;

  constructor(code: string, message: string, fix: string) {
    super(`${message} ${fix}`);
    this.name = "SimulatorError";
    this.code = code;
    this.fix = fix;
  }
}

export interface Listening {
  origin: string;
  close(): Promise<void>;
}

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "::1"]);

/** One HTTP server on this machine, never on a network. Port 0 takes a free one. */
export async function listen(
  receive: (raw: RawRequest) => Promise<Delivery>,
  at: { host: string; port: number; name: HostName | undefined; maxBodyBytes: () => number },
): Promise<Listening> {
  if (!LOOPBACK.has(at.host)) {
    throw new SimulatorError(
      "host_not_loopback",
      `The simulator holds made-up secrets and cannot listen on ${at.host}.`,
      "Use 127.0.0.1 and reach it from this machine.",
    );
  }
  const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (request, response) => {
    serve(request, response, receive, at);
  });
  await started(server, at.host, at.port);
  const { port } = server.address() as AddressInfo;
  return {
    origin: at.host === "::1" ? `http://[::1]:${port}` : `http://${at.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function started(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") {
        const fix = "Stop the other program, choose another port, or use port 0 for a free one.";
        reject(new SimulatorError("port_in_use", `Port ${port} is already in use on ${host}.`, fix));
      } else {
        reject(
          new SimulatorError(
            "cannot_listen",
            `Cannot listen on ${host}:${port} (${error.code}).`,
            "Choose another port.",
          ),
        );
      }
    });
    server.listen(port, host, resolve);
  });
}

function serve(
  request: IncomingMessage,
  response: ServerResponse,
  receive: (raw: RawRequest) => Promise<Delivery>,
  at: { name: HostName | undefined; maxBodyBytes: () => number },
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= at.maxBodyBytes()) chunks.push(chunk);
    else chunks.length = 0;
  });
  request.on("error", () => {});
  response.on("error", () => {});
  request.on("end", () => {
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    const raw: RawRequest = {
      method: request.method ?? "GET",
      path: mark < 0 ? url : url.slice(0, mark),
      query: new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1)),
      headers: request.headers as Record<string, string | undefined>,
      body: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks),
      tooLarge: bytes > at.maxBodyBytes(),
      host: at.name,
    };
    receive(raw).then(
      (delivery) => send(delivery, request, response),
      (error: unknown) => {
        // A fault of the simulator itself must be seen as one, and must not hang the caller.
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
        send(
          { kind: "answer", outgoing: { status: 599, body: message, contentType: "text/plain" } },
          request,
          response,
        );
      },
    );
  });
}

function send(delivery: Delivery, request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request;
  if (delivery.kind === "silence" || response.destroyed) return;
  if (delivery.kind === "cut") {
    socket.resetAndDestroy();
    return;
  }
  const { outgoing, truncate } = delivery;
  const body = Buffer.from(outgoing.body, "utf8");
  response.writeHead(outgoing.status, { ...headersOf(outgoing), "content-length": String(body.length) });
  if (truncate === undefined) {
    response.end(body);
  } else {
    response.write(body.subarray(0, truncate), () => socket.destroy());
  }
}

export function headersOf(outgoing: Outgoing): Record<string, string> {
  return { "content-type": outgoing.contentType ?? "application/json", ...outgoing.headers };
}
