/**
 * The rules of ARCHITECTURE.md and STYLE.md that can be checked by reading source text: who imports whom, and what must
 * not be written where. Used by the architecture test on `src`, and on small made-up sources to prove that it finds
 * what it should.
 */
import { posix } from 'node:path';

/** Source text by path below `src`, for example `core/clock.ts`. */
export type Sources = ReadonlyMap<string, string>;

/** Which layers a layer may import besides itself. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  codec: ['core'],
  topics: ['core'],
  transport: ['core'],
  store: ['core'],
  queues: ['core', 'topics', 'store'],
  auth: ['core', 'topics'],
  sessions: ['core', 'topics', 'store'],
  bridge: ['core', 'codec', 'topics', 'queues'],
  broker: ['core', 'codec', 'topics', 'store', 'auth', 'sessions', 'transport'],
  // http sees store, broker and sessions through types alone; see `checkLayers`.
  http: ['core', 'store', 'queues', 'auth', 'transport', 'broker', 'sessions'],
  cli: ['core', 'codec', 'topics', 'transport', 'store', 'queues', 'auth', 'sessions', 'bridge', 'broker', 'http'],
};

/** Packages and Node modules that belong to one layer. cli, which puts everything together, may use them too. */
const OWNERS: readonly (readonly [specifier: RegExp, layers: readonly string[]])[] = [
  [/^mqtt-packet$/, ['codec']],
  [/^(level|classic-level|abstract-level|aedes-persistence.*)$/, ['store']],
  [/^ws$/, ['transport', 'http', 'bridge']],
  [/^node:(net|tls)$/, ['transport']],
  [/^node:https?$/, ['transport', 'http', 'bridge']],
  [/^node:fs(\/promises)?$/, ['store', 'auth', 'http', 'transport']],
  [/^mqtt$/, []],
];

const FORBIDDEN_NAMES = /^(utils?|helpers?|common|types|index)\.ts$/;

interface Import {
  readonly specifier: string;
  readonly isTypeOnly: boolean;
}

/** All violations, one line each; empty if the sources keep to the rules. */
export function findViolations(sources: Sources): string[] {
  const violations: string[] = [];
  for (const [path, text] of sources) {
    const code = withoutComments(text);
    violations.push(...checkName(path), ...checkImports(path, code, sources), ...checkText(path, code));
  }
  return [...violations, ...findCycles(sources)];
}

/** Import statements, `import type`, `export … from`, side-effect imports and dynamic imports. */
export function importsOf(text: string): Import[] {
  const code = withoutComments(text);
  const imports: Import[] = [];
  const statement = /\b(import|export)\s+(type\s+)?([\w$*\s{},]*?\sfrom\s*)?(['"])([^'"\n]+)\4/g;
  for (const match of code.matchAll(statement)) {
    const names = (match[3] ?? '').match(/\{([^}]*)\}\s*from/)?.[1]?.split(',') ?? [];
    const listed = names.map((name) => name.trim()).filter((name) => name !== '');
    const isEveryNameAType = listed.length > 0 && listed.every((name) => name.startsWith('type '));
    imports.push({ specifier: match[5] as string, isTypeOnly: match[2] !== undefined || isEveryNameAType });
  }
  for (const match of code.matchAll(/\bimport\s*\(\s*(['"])([^'"\n]+)\1/g)) {
    imports.push({ specifier: match[2] as string, isTypeOnly: false });
  }
  return imports;
}

function checkName(path: string): string[] {
  const name = posix.basename(path);
  if (FORBIDDEN_NAMES.test(name)) return [`${path}: a file is named after the one thing it exports`];
  if (!/^[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(name)) return [`${path}: file names are kebab-case`];
  return [];
}

function checkImports(path: string, code: string, sources: Sources): string[] {
  const layer = layerOf(path);
  if (LAYERS[layer] === undefined) return [`${path}: no such layer in ARCHITECTURE.md`];
  return importsOf(code).flatMap(({ specifier, isTypeOnly }) => {
    if (!specifier.startsWith('.')) return checkPackage(path, layer, specifier);
    const target = resolve(path, specifier);
    if (!specifier.endsWith('.js')) return [`${path}: ${specifier} has no .js ending`];
    if (!sources.has(target)) return [`${path}: ${specifier} is not in src`];
    return checkLayers(path, layer, target, isTypeOnly);
  });
}

function checkPackage(path: string, layer: string, specifier: string): string[] {
  for (const [pattern, owners] of OWNERS) {
    if (pattern.test(specifier) && layer !== 'cli' && !owners.includes(layer)) {
      return [`${path}: ${layer} must not import ${specifier}`];
    }
  }
  return [];
}

function checkLayers(path: string, layer: string, target: string, isTypeOnly: boolean): string[] {
  const other = layerOf(target);
  if (other === layer) return [];
  if (!(LAYERS[layer] ?? []).includes(other)) return [`${path}: ${layer} must not import ${other} (${target})`];
  if (layer === 'http' && ['store', 'broker', 'sessions'].includes(other) && !isTypeOnly) {
    return [`${path}: http sees ${other} through types only (${target})`];
  }
  return [];
}

function checkText(path: string, code: string): string[] {
  const violations: string[] = [];
  const layer = layerOf(path);
  const isOutermost = layer === 'cli' || path === 'core/clock.ts';
  const forbid = (pattern: RegExp, what: string) => {
    const text = withoutStrings(code);
    for (const match of text.matchAll(pattern)) {
      violations.push(`${path}:${text.slice(0, match.index).split('\n').length}: ${what}`);
    }
  };
  if (!isOutermost) {
    forbid(/\b(Date\.now|performance\.now)\b|\bnew Date\(\s*\)/g, 'time comes from a Clock');
    forbid(/\b(setTimeout|setInterval)\b/g, 'waiting is done with a Clock');
    forbid(/\bMath\.random\b/g, 'randomness comes from outside');
  }
  forbid(/\bnew Error\(/g, 'an error has a class and a code');
  forbid(/(:|\bas|<|\||&|=>|,)\s*any\b(?!\s*[:(])/g, 'no any');
  if (layer !== 'cli') forbid(/\bconsole\./g, 'what is to be told is logged');
  return violations;
}

/** Cycles of files through imports of any kind: what depends on each other is one thing. */
function findCycles(sources: Sources): string[] {
  const edges = new Map<string, string[]>();
  for (const [path, text] of sources) {
    const targets = importsOf(text).map(({ specifier }) => resolve(path, specifier));
    edges.set(
      path,
      targets.filter((target) => sources.has(target)),
    );
  }
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at !== -1) {
      cycles.push(`cycle: ${[...trail.slice(at), path].join(' -> ')}`);
      return;
    }
    if (done.has(path)) return;
    for (const target of edges.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return cycles;
}

function layerOf(path: string): string {
  return path.split('/', 1)[0] as string;
}

function resolve(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
}

/** Comments become blanks of the same length; what stands in strings is left alone. */
function withoutComments(text: string): string {
  const token = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(token, (found) => (found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : found));
}

function withoutStrings(code: string): string {
  return code.replace(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, (found) => `'${' '.repeat(found.length - 2)}'`);
}
