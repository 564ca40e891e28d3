import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A wire that can be cut. */
export interface TcpProxy {
  readonly port: number;
  /** Ends every connection at once, as a broken cable with a reset does. New ones go through. */
  cut(): void;
  /** Nothing is passed on any more on the connections there are, and nobody is told: half-open. New ones go through. */
  silence(): void;
  close(): Promise<void>;
}

/** Passes on to a server of this machine. `port` may change, where the server is started anew on another. */
export async function createTcpProxy(to: { port: number; host?: string }): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((near) => {
    const far = connect({ host: to.host ?? "127.0.0.1", port: to.port });
    const pair = [near, far] as const;
    pairs.add(pair);
    const end = () => {
      near.destroy();
      far.destroy();
      pairs.delete(pair);
    };
    near.on("error", end).on("close", end).pipe(far);
    far.on("error", end).on("close", end).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const cut = () => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    silence() {
      for (const [near, far] of pairs) {
        near.unpipe(far);
        far.unpipe(near);
        // Read and thrown away, so that neither side sees the other stop.
        near.resume();
        far.resume();
      }
    },
    async close() {
      server.close();
      cut();
      await once(server, "close");
    },
  };
}
