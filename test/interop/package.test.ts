/** The package as npm would publish it, installed in an empty folder: the program, the simulator against it, the API. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endPrograms, runProgram } from './run-program.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-package-'));
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT });
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', `./${archive}`], { cwd: folder });
}, 120_000);

afterAll(() => {
  endPrograms();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the installed program on free ports. */
async function startInstalled() {
  const program = join(folder, 'node_modules', '.bin', 'millrace');
  const data = ['--data', join(folder, 'data')];
  const child = spawn(
    program,
    ['start', ...data, '--port', '0', '--ws-port', '0', '--http-port', '0', '--sqs-port', '0', '--log-format', 'json'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  for await (const line of createInterface(child.stdout)) {
    const { listeners } = JSON.parse(line) as { listeners?: { name: string; url: string }[] };
    const url = listeners?.find(({ name }) => name === 'tcp')?.url;
    if (url !== undefined) return { child, url };
  }
  throw new Error('the installed program has ended');
}

describe('the installed package', () => {
  it('holds what is built, the program and the types, and nothing else', () => {
    const files = readdirSync(join(folder, 'node_modules', 'millrace')).sort();
    expect(files).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json']);
    expect(readdirSync(join(folder, 'node_modules', 'millrace', 'dist', 'broker'))).toContain('broker.d.ts');
  });

  it('serves mosquitto and the simulated fleet, and stops with 0', async () => {
    const { child, url } = await startInstalled();
    const { port } = new URL(url);
    const kept = await runProgram('mosquitto_pub', ['-p', port, '-t', 'a', '-m', 'b', '-r', '-q', '2', '-V', '5']);
    expect(kept.exitCode).toBe(0);
    const read = await runProgram('mosquitto_sub', ['-p', port, '-t', 'a', '-C', '1', '-W', '5']);
    expect(read.output).toBe('b\n');
    const sim = await runProgram('npm', ['run', '--silent', 'sim', '--', '--url', url, '--readings', '20'], 50_000);
    expect(sim.output).toMatch(/every reading was delivered: .* 0 lost/);
    expect(sim.exitCode).toBe(0);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('keeps its data within a program too', async () => {
    const program = join(folder, 'embed-store.mjs');
    writeFileSync(
      program,
      `import { Broker } from 'millrace';
       import { openStore } from 'millrace/store';
       const store = await openStore({ directory: process.argv[2] });
       const broker = await Broker.start({ store, listeners: [] });
       broker.subscribe('a/+', (message) => process.stdout.write(message.topic + ' ' + message.payload));
       if (process.argv[3] === 'first') broker.publish({ topic: 'a/b', payload: 'kept', qos: 1, retain: true });
       await broker.stop();`,
    );
    for (const run of ['first', 'second']) {
      const { output, exitCode } = await runProgram(process.execPath, [program, join(folder, 'embedded'), run]);
      expect([output, exitCode]).toEqual(['a/b kept', 0]);
    }
  });

  it('can be used within a program', async () => {
    writeFileSync(
      join(folder, 'embed.mjs'),
      `import { Broker } from 'millrace';
       const broker = await Broker.start({ listeners: [{ name: 'tcp', kind: 'tcp', host: '127.0.0.1', port: 0 }] });
       broker.subscribe('a/+', (message) => process.stdout.write(message.topic + ' ' + message.payload));
       broker.publish({ topic: 'a/b', payload: 'c', qos: 1, retain: true });
       await broker.stop();`,
    );
    const { output, exitCode } = await runProgram(process.execPath, [join(folder, 'embed.mjs')]);
    expect(output).toBe('a/b c');
    expect(exitCode).toBe(0);
  });
});
