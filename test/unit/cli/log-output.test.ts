import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogOutput } from '../../../src/cli/log-output.js';

describe('LogOutput', () => {
  let directory: string;
  let file: string;
  let descriptor: number;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-log-'));
    file = join(directory, 'log');
    descriptor = openSync(file, 'a');
  });

  afterEach(() => {
    closeSync(descriptor);
    rmSync(directory, { recursive: true });
  });

  it('gathers lines and writes them when it is flushed', () => {
    const output = new LogOutput(descriptor);
    output.write('one\n');
    output.write('two ü\n');
    expect(readFileSync(file, 'utf8')).toBe('');
    output.flush();
    output.flush();
    expect(readFileSync(file, 'utf8')).toBe('one\ntwo ü\n');
  });

  it('writes many lines by itself, each once and in order', async () => {
    const output = new LogOutput(descriptor);
    const lines = Array.from({ length: 5_000 }, (_, i) => `line ${i}\n`);
    for (const [i, line] of lines.entries()) {
      output.write(line);
      if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => readFileSync(file, 'utf8').length, { timeout: 5_000 }).toBe(lines.join('').length);
    expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
  });

  it('gives up at once when it cannot be written', () => {
    const readOnly = openSync(file, 'r');
    const output = new LogOutput(readOnly);
    output.write('one\n');
    output.flush();
    output.write('two\n');
    output.flush();
    closeSync(readOnly);
    expect(readFileSync(file, 'utf8')).toBe('');
  });
});
