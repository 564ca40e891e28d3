import { connect } from "node:net";

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
