/** Starts a bare server of HTTP (bare-http-process.ts) where the broker would run. */
import { fileURLToPath } from 'node:url';
import { BenchFailure } from '../bench-failure.js';
import { startProcess, stopProcess } from '../child-processes.js';

const PROCESS = fileURLToPath(new URL('./bare-http-process.js', import.meta.url));

export interface BareHttp {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** @param prefix put before the command, for pinning @param bodyBytes of each message in its answers */
export async function startBareHttp(prefix: readonly string[], bodyBytes: number): Promise<BareHttp> {
  const child = startProcess([...prefix, process.execPath, PROCESS, String(bodyBytes)], 1024, [
    'ignore',
    'inherit',
    'inherit',
    'ipc',
  ]);
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve(Number(message)));
    child.once('exit', (code) => reject(new BenchFailure(`the bare server ended with code ${code}`)));
  });
  // Sent a message, so it has been started.
  return { port, pid: child.pid as number, stop: () => stopProcess(child) };
}
