/** The built broker as a program of its own, on free ports and in a folder that goes with it. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What is run here is what is written there. */
export function buildPrograms(): void {
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [compiler, '-b', 'src', 'examples'], { cwd: ROOT });
}

export interface BrokerProgram {
  readonly port: string;
  readonly url: string;
  /** Of the endpoint for clients of SQS. */
  readonly sqsUrl: string;
  /** Where programs of the test may leave their files. */
  readonly folder: string;
  stop(): Promise<void>;
}

/** @param options of `millrace start` beside ports and data */
export async function startBroker(...options: readonly string[]): Promise<BrokerProgram> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-examples-'));
  const args = [
    'start',
    '--data',
    join(folder, 'data'),
    '--port',
    '0',
    '--ws-port',
    '0',
    '--http-port',
    '0',
    '--sqs-port',
    '0',
    '--log-format',
    'json',
  ];
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'cli', 'main.js'), ...args, ...options], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  for await (const line of createInterface(child.stdout)) {
    const { listeners } = JSON.parse(line) as { listeners?: { name: string; url: string }[] };
    const url = listeners?.find(({ name }) => name === 'tcp')?.url;
    const sqsUrl = listeners?.find(({ name }) => name === 'sqs')?.url;
    if (url === undefined || sqsUrl === undefined) continue;
    child.stdout.resume();
    return { port: new URL(url).port, url, sqsUrl, folder, stop };
  }
  await stop();
  throw new Error('the broker has ended');
}
