import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Ends the program with one line where a server does not answer. */
export async function needs(address: string, start: string): Promise<string> {
  const { hostname, port } = new URL(address);
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: 2_000 });
    for (const end of ["error", "timeout"]) socket.once(end, () => resolve(false));
    socket.once("connect", () => resolve(true));
    for (const end of ["error", "timeout", "connect"]) socket.once(end, () => socket.destroy());
  });
  if (!answers) {
    console.error(`Nothing answers at ${hostname}:${port}. Start it (${start}), and try again.`);
    process.exit(1);
  }
  return address;
}

/** `PORT`, or the usual one. Ends the program with one line where nothing can listen there. */
export async function freePort(usual: number): Promise<number> {
  const port = process.env.PORT || String(usual);
  const server = createServer();
  try {
    await once(server.listen(Number(port), "127.0.0.1"), "listening");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "EADDRINUSE" ? "is taken" : `cannot be used (${code})`;
    console.error(`Port ${port} ${why}. Set PORT to another one.`);
    process.exit(1);
  }
  await once(server.close(), "close");
  return Number(port);
}
