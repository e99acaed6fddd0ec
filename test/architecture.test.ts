/** Proves that `src` keeps to the layers of ARCHITECTURE.md, and that what checks it would notice if it did not. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findViolations, importsOf } from './support/source-rules.js';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));

function sourcesOf(folder: string): Map<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  return new Map(paths.map((path) => [path.replaceAll('\\', '/'), readFileSync(folder + path, 'utf8')]));
}

/** Violations of one made-up file, among others that it may import. */
function violationsOf(path: string, text: string, others: Record<string, string> = {}): string[] {
  return findViolations(new Map([...Object.entries(others), [path, text]]));
}

describe('src', () => {
  const sources = sourcesOf(SRC);

  it('is found', () => {
    expect(sources.size).toBeGreaterThan(80);
    expect(importsOf(sources.get('broker/broker.ts') ?? '').length).toBeGreaterThan(20);
  });

  it('keeps to the rules of the architecture', () => {
    expect(findViolations(sources)).toEqual([]);
  });
});

describe('the check of imports', () => {
  const others = { 'broker/router.ts': '', 'core/message.ts': '', 'codec/frame.ts': '' };

  it.each([
    ["import { Router } from '../broker/router.js';"],
    ["import type { Router } from '../broker/router.js';"],
    ["import { type Router } from '../broker/router.js';"],
    ["export { Router } from '../broker/router.js';"],
    ["export * from '../broker/router.js';"],
    ["export type { Router } from '../broker/router.js';"],
    ["import '../broker/router.js';"],
    ["import * as router from '../broker/router.js';"],
    ["import {\n  a,\n  b,\n} from '../broker/router.js';"],
    ["const router = await import('../broker/router.js');"],
  ])('sees %s from codec', (text) => {
    expect(violationsOf('codec/x.ts', text, others)).toEqual([
      'codec/x.ts: codec must not import broker (broker/router.ts)',
    ]);
  });

  it('lets pass what the table allows, and what is only mentioned', () => {
    expect(violationsOf('codec/x.ts', "import { Message } from '../core/message.js';", others)).toEqual([]);
    expect(violationsOf('codec/x.ts', "import { f } from './frame.js';", others)).toEqual([]);
    expect(violationsOf('codec/x.ts', "// import { R } from '../broker/router.js';", others)).toEqual([]);
    expect(violationsOf('cli/x.ts', "import { R } from '../broker/router.js';", others)).toEqual([]);
  });

  it('keeps core alone, and everybody away from cli', () => {
    expect(violationsOf('core/x.ts', "import '../codec/frame.js';", others)).toHaveLength(1);
    expect(violationsOf('broker/x.ts', "import '../cli/main.js';", { 'cli/main.ts': '' })).toHaveLength(1);
    expect(violationsOf('bridge/x.ts', "import '../broker/router.js';", others)).toHaveLength(1);
    expect(violationsOf('broker/x.ts', "import '../queues/queue.js';", { 'queues/queue.ts': '' })).toHaveLength(1);
    expect(violationsOf('queues/x.ts', "import '../broker/router.js';", others)).toHaveLength(1);
  });

  it('lets http see types of the broker only', () => {
    expect(violationsOf('http/x.ts', "import type { R } from '../broker/router.js';", others)).toEqual([]);
    expect(violationsOf('http/x.ts', "import { type R } from '../broker/router.js';", others)).toEqual([]);
    expect(violationsOf('http/x.ts', "import { R } from '../broker/router.js';", others)).toHaveLength(1);
  });

  it.each([
    ['broker/x.ts', 'mqtt-packet'],
    ['broker/x.ts', 'ws'],
    ['sessions/x.ts', 'node:net'],
    ['queues/x.ts', 'level'],
    ['broker/x.ts', 'aedes-persistence-level'],
    ['broker/x.ts', 'mqtt'],
  ])('refuses in %s the package %s', (path, specifier) => {
    expect(violationsOf(path, `import { x } from '${specifier}';`)).toHaveLength(1);
  });

  it('finds cycles, also of types', () => {
    const text = "import type { B } from './b.js';";
    const found = violationsOf('core/a.ts', text, { 'core/b.ts': "import type { A } from './a.js';" });
    expect(found).toEqual(['cycle: core/b.ts -> core/a.ts -> core/b.ts']);
  });

  it('wants a known layer, a file that exists and its ending', () => {
    expect(violationsOf('misc/x.ts', '')).toHaveLength(1);
    expect(violationsOf('core/x.ts', "import './missing.js';")).toHaveLength(1);
    expect(violationsOf('core/x.ts', "import './message';", others)).toHaveLength(1);
  });
});

describe('the check of text', () => {
  it.each([
    ['time', 'const now = Date.now();'],
    ['the monotonic clock', 'const now = performance.now();'],
    ['new Date()', 'const now = new Date();'],
    ['timers', 'setTimeout(f, 1);'],
    ['intervals', 'setInterval(f, 1);'],
    ['randomness', 'const x = Math.random();'],
    ['bare errors', "throw new Error('no');"],
    ['any', 'function f(x: any) {}'],
    ['any in a cast', 'const x = y as any;'],
    ['any in a list', 'const x: Map<string, any> = y;'],
    ['any in an array', 'const x: any[] = [];'],
    ['the console', 'console.log(1);'],
  ])('finds %s', (_name, text) => {
    expect(violationsOf('broker/x.ts', `\n${text}\n`)).toEqual([expect.stringMatching(/^broker\/x\.ts:2: /)]);
  });

  it.each([
    ['in comments', '// Date.now() and any other\n/* new Error( */'],
    ['in strings', "const text = 'any, Date.now()';"],
    ['as part of a word', 'const company: string = anyOf(many);'],
    ['of a subclass', "throw new ListenError('x');"],
  ])('lets pass what stands %s', (_name, text) => {
    expect(violationsOf('broker/x.ts', text)).toEqual([]);
  });

  it('allows the clock and the command line to ask the machine', () => {
    expect(violationsOf('core/clock.ts', 'setTimeout(f, performance.now());')).toEqual([]);
    expect(violationsOf('cli/main.ts', 'setTimeout(f, Date.now()); console.log(1);')).toEqual([]);
  });

  it.each(['utils', 'util', 'helpers', 'common', 'types', 'index', 'PublishEncoder', 'snake_case'])(
    'refuses a file called %s.ts',
    (name) => {
      expect(violationsOf(`core/${name}.ts`, '')).toHaveLength(1);
    },
  );
});
